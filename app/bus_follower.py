"""BusFollower: a thread that hears of what happens, and may take its time over it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from app.event_bus import EventBus, EventsGone
from app.events import Event

log = logging.getLogger(__name__)

INTERVAL_S = 0.2
"""From one look to the next, while things happen."""

QUIET_S = 1.0
"""The same while nothing does."""


class BusFollower:
    """Calls `take` in a thread of its own, with what is new; also with nothing, every now and then."""

    def __init__(
        self,
        bus: EventBus,
        name: str,
        take: Callable[[Sequence[Event]], None],
        start_over: Callable[[], None],
    ) -> None:
        """`start_over`: called when it was too slow, and events are gone that it has not seen."""
        self._bus = bus
        self._take = take
        self._start_over = start_over
        self._last = bus.last
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        """Begin with what has happened since this was made."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Take what is left, if it does not take longer than this."""
        self._stopping.set()
        self._bus.wake()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _work(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stopping.wait(INTERVAL_S)
            self._bus.wait_for_news(self._last, QUIET_S, unless=self._stopping.is_set)
            try:
                self._look()
            except Exception:  # the edge of the thread
                log.exception("%s could not take in what has happened", self._thread.name)

    def _look(self) -> None:
        newest = self._bus.last
        try:
            events = self._bus.since(self._last)
        except EventsGone:
            self._last = newest
            self._start_over()
            return
        if events:
            self._last = events[-1].seq
        self._take(events)
