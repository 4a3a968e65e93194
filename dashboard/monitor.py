"""Monitor: a thread that tells every two seconds what this process and its machine are used for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from dashboard.counters import CounterSource
from dashboard.reading import Counters, Reading, reading_between

INTERVAL_S = 2.0

log = logging.getLogger(__name__)


class Monitor:
    """From `start` to `stop`. `told` is called in the monitor's thread."""

    def __init__(
        self, source: CounterSource, told: Callable[[Reading], None], interval_s: float = INTERVAL_S
    ) -> None:
        self._source = source
        self._told = told
        self._interval_s = interval_s
        self._fails = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """End the thread; wait at most `timeout_s` for what it does now."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        before: Counters | None = None
        while not self._ended.is_set():
            before = self._look(before)
            self._ended.wait(self._interval_s)

    def _look(self, before: Counters | None) -> Counters | None:
        """The counters as they are now; None where they cannot be read, which is said once until they can."""
        try:
            after = self._source.read()
            if before is not None:
                self._told(reading_between(before, after))
        except Exception:  # the edge of the thread, which outlasts what happens in it
            if not self._fails:
                log.exception("what this machine is used for cannot be told now; it is tried again")
            self._fails = True
            return None
        self._fails = False
        return after
