"""A gate between two batches: closed while the run is paused."""

from __future__ import annotations

import threading


class PauseGate:
    """Open at first. `wait` is called by the thread that works, the rest by any other."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False

    def close(self) -> None:
        """Hold up whoever comes next."""
        with self._changed:
            self._closed = True

    def open(self) -> None:
        """Let everybody pass."""
        with self._changed:
            self._closed = False
            self._changed.notify_all()

    def wake(self) -> None:
        """Have whoever waits look at its `cancelled` again."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, cancelled: threading.Event) -> None:
        """Return once the gate is open, or `cancelled` is set."""
        if not self._closed:  # without the lock: this is called after every batch
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._closed or cancelled.is_set())
