"""PauseClock: whether a run is paused, and how long it was in all."""

from __future__ import annotations

import time
from collections.abc import Callable


class PauseClock:
    """Not paused at first. Guarded by whoever has it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self.held_s = 0.0
        """How long the pauses that are over were, in seconds."""

    @property
    def is_paused(self) -> bool:
        """Whether it is now."""
        return self._since is not None

    def set(self, paused: bool) -> bool:
        """Pause, or go on; whether that changes anything."""
        if paused is self.is_paused:
            return False
        now = self._clock()
        if self._since is not None:
            self.held_s += now - self._since
        self._since = now if paused else None
        return True
