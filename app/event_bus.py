"""EventBus: numbers what happens.

Any thread publishes. The bus gives each event the next sequence number and keeps the newest in a ring, so
that whoever reads (the Socket.IO pump, `GET /api/v1/events`, a browser that reconnects) asks for all after
the last number it saw.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from app.events import Event, EventData, event_of
from app.records import LogEntry, LogRecord


class EventsGone(LookupError):
    """The events asked for have left the ring, or the number was never given: take a snapshot."""


class EventBus:
    """Numbers events; keeps the newest `capacity` of them, and the newest `log_capacity` log records."""

    def __init__(
        self,
        capacity: int = 20_000,
        log_capacity: int = 5_000,
        *,
        first_seq: int = 1,
        logs: Iterable[LogEntry] = (),
    ) -> None:
        """`first_seq`: the number of the first event. `logs`: older log records, oldest first."""
        self._news = threading.Condition(threading.Lock())
        self._ring: deque[Event] = deque(maxlen=capacity)
        self._logs: deque[LogEntry] = deque(logs, maxlen=log_capacity)
        self._last = first_seq - 1

    @property
    def last(self) -> int:
        """The newest event's sequence number; before the first event, the one before its number."""
        return self._last

    def publish(self, data: EventData) -> int:
        """Append an event; safe from any thread, never blocks on a reader. Returns its sequence number."""
        with self._news:
            event = event_of(self._last + 1, time.time(), data)
            self._append(event)
            self._news.notify_all()
            return event.seq

    def take(self, events: Iterable[Event]) -> None:
        """Append events that another bus has numbered; those that are here already are left out. Raises
        EventsGone where one is missing: those before it are here then."""
        with self._news:
            for event in events:
                if event.seq <= self._last:
                    continue
                if event.seq != self._last + 1:
                    raise EventsGone(f"Event {event.seq} came after {self._last}: those between are missing.")
                self._append(event)
            self._news.notify_all()

    def _append(self, event: Event) -> None:
        self._last = event.seq
        self._ring.append(event)
        if isinstance(event.data, LogRecord):
            self._logs.append(LogEntry(seq=event.seq, time=event.time, **dict(event.data)))

    def since(self, seq: int) -> list[Event]:
        """All events after number `seq`, oldest first. Raises `EventsGone` if they are not all here."""
        with self._news:
            missing = self._last - seq
            if seq < 0 or missing < 0 or missing > len(self._ring):
                raise EventsGone(
                    f"Events since {seq} are not kept: the newest is {self._last}, "
                    f"the oldest kept is {self._last - len(self._ring) + 1}. Start from a snapshot."
                )
            newest_first = islice(reversed(self._ring), missing)
            return list(newest_first)[::-1]

    def newest(self, count: int) -> list[Event]:
        """At most so many of those that are kept, oldest first."""
        with self._news:
            return list(islice(reversed(self._ring), count))[::-1]

    def wait_for_news(
        self, after: int, timeout_s: float | None = None, *, unless: Callable[[], bool] = lambda: False
    ) -> bool:
        """Block until there is an event after number `after`, and return whether there is.

        It gives up after `timeout_s`, or when `unless` is true; that is asked at the beginning, after each
        event and after each `wake`.
        """
        with self._news:
            self._news.wait_for(lambda: self._last > after or unless(), timeout_s)
            return self._last > after

    def wake(self) -> None:
        """Have all who wait for news ask their `unless` again."""
        with self._news:
            self._news.notify_all()

    def logs(self) -> list[LogEntry]:
        """The newest log records, oldest first."""
        with self._news:
            return list(self._logs)
