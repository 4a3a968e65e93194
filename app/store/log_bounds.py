"""LogBounds: now and then has the store forget what is beyond the bounds of the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from app.store.logs import LogStore
from shared.errors import StoreUnavailable

GAP_S = 60.0
"""From one look to the next: so long the log may be larger."""

DAY_S = 86_400.0
MEGABYTE = 1_000_000


class LogBounds:
    """In one thread."""

    def __init__(
        self, kept: LogStore, days: int, megabytes: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._kept = kept
        self._age_s = days * DAY_S
        self._most = megabytes * MEGABYTE
        self._clock = clock
        self._looked_at = 0.0

    def hold(self) -> None:
        """Forget what is too old or too much, if it was not looked for a minute."""
        now = self._clock()
        if 0 <= now - self._looked_at < GAP_S:
            return
        self._looked_at = now
        with suppress(StoreUnavailable):  # the writer says so, and there will be another minute
            self._kept.forget_older(now - self._age_s)
            self._kept.forget_beyond(self._most)
