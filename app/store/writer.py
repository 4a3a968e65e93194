"""StoreWriter: the thread "writer". It follows the event bus and keeps what happens in the store."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from itertools import chain, repeat
from typing import Protocol

from app.event_bus import EventBus, EventsGone
from app.events import Event, event_of
from app.records import Client, LogRecord, RoundUpdate, Run, StoreStatus
from app.store.audit import NOTHING_NEW, AuditBatch
from app.store.store import Store
from shared.error_line import error_of
from shared.errors import StoreUnavailable

log = logging.getLogger(__name__)

BATCH_INTERVAL_S = 0.05
"""From one batch to the next: at most 20 transactions a second."""

FIRST_RETRY_S = 0.1
LAST_RETRY_S = 5.0
"""While the database fails, tries are so far apart: first, and in the end."""

State = Iterable[Run | RoundUpdate | Client]
"""All that is so now; a run before its rounds."""


class Entries(Protocol):
    """What is written in the transaction of the events beside which it happened: the audit log."""

    @property
    def recorded(self) -> int:
        """How many entries there are in all."""

    @property
    def kept(self) -> int:
        """How many of them are on the disk."""

    @property
    def has_news(self) -> bool:
        """Whether there is something to write."""

    def moment(self) -> AbstractContextManager[None]:
        """While it lasts, nothing happens of which there are both entries and events."""

    def batch(self, up_to: int) -> AuditBatch:
        """What is to be written when so many entries are to be on the disk; the same until it is kept."""

    def keep(self, batch: AuditBatch) -> None:
        """It is on the disk."""

    def on_wake(self, wake: Callable[[], None]) -> None:
        """`wake` is to be called when there is something to write."""


class StoreWriter:
    """Writes behind the events. What has a number up to `written` survives a power cut."""

    def __init__(self, store: Store, bus: EventBus, current: Callable[[], State], audit: Entries) -> None:
        """`bus` numbers on from `store.last_seq()`. `current` is asked, in the writer's thread, when the
        database failed for so long that events were lost from the bus. `audit` loses nothing."""
        self._store = store
        self._bus = bus
        self._current = current
        self._audit = audit
        audit.on_wake(bus.wake)
        self._written = store.last_seq()
        if bus.last < self._written:
            raise ValueError(f"the bus is at {bus.last}, the store holds numbers up to {self._written}")
        self._changed = threading.Condition()
        self._hurry = threading.Event()
        self._problem: str | None = None
        self._give_up_at: float | None = None
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    @property
    def written(self) -> int:
        """The number up to which everything is on the disk."""
        return self._written

    @property
    def problem(self) -> str | None:
        """Why nothing can be kept at present, in words; None while all is well."""
        return self._problem

    def shown(self, events: Sequence[Event]) -> list[Event]:
        """Those that a restart would not lose; all, while nothing can be written, which the page says."""
        durable = self._written
        return list(events) if self._problem else [event for event in events if event.seq <= durable]

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Write what is left, and end. After `timeout_s` of a database that fails, what is left is lost."""
        self._give_up_at = time.monotonic() + timeout_s
        if self._thread.ident is None:  # a server that could not start has a log all the same
            self._thread.start()
        self._hurry.set()
        self._bus.wake()
        self._thread.join()

    def flush(self, timeout_s: float) -> None:
        """Return once all that was published so far is on the disk.

        Raises StoreUnavailable after `timeout_s`, with the reason.
        """
        target, entries = self._bus.last, self._audit.recorded
        self._hurry.set()
        with self._changed:
            if self._changed.wait_for(
                lambda: self._written >= target and self._audit.kept >= entries, timeout_s
            ):
                return
        raise StoreUnavailable(
            self._problem
            or f"The database did not keep what happened within {timeout_s:g} s: it is overloaded. Try again."
        )

    # in the thread

    def _work(self) -> None:
        retry_s = FIRST_RETRY_S
        while not self._finished():
            began = time.monotonic()
            self._hurry.clear()
            try:
                self._catch_up()
                self._works()
            except BaseException as error:  # noqa: BLE001 - the edge of the thread, which outlives all failures
                self._failed(error)
                self._pause(retry_s)
                retry_s = min(2 * retry_s, LAST_RETRY_S)
                continue
            retry_s = FIRST_RETRY_S
            self._pause(BATCH_INTERVAL_S - (time.monotonic() - began))
            self._bus.wait_for_news(self._written, unless=lambda: self._stopping() or self._audit.has_news)
        if (lost := self._bus.last - self._written) > 0:
            log.error("the last %d events before the end are not kept: %s", lost, self._problem)
        if (lost := self._audit.recorded - self._audit.kept) > 0:
            log.error("the last %d entries of the audit log are not kept: %s", lost, self._problem)

    def _stopping(self) -> bool:
        return self._give_up_at is not None

    def _finished(self) -> bool:
        """Whether it was told to stop and has nothing left to write, or no more time for it."""
        if self._give_up_at is None:
            return False
        is_done = self._written >= self._bus.last and not self._audit.has_news
        return is_done or time.monotonic() > self._give_up_at

    def _pause(self, seconds: float) -> None:
        """Wait, unless somebody is in a hurry."""
        if seconds > 0:
            self._hurry.wait(min(seconds, FIRST_RETRY_S) if self._stopping() else seconds)

    def _catch_up(self) -> None:
        """One transaction with all that is new."""
        try:
            with self._audit.moment():
                events, recorded = self._bus.since(self._written), self._audit.recorded
        except EventsGone:
            newest, audit = self._bus.last, self._audit.batch(self._audit.recorded)
            self._keep(self._what_is_left(newest), audit)
            log.warning(
                "more happened than could be held while nothing could be kept: runs, rounds and clients are "
                "kept as they are now, but some of the history and of the log in between is lost"
            )
        else:
            newest = events[-1].seq if events else self._written
            audit = self._audit.batch(recorded)
            self._keep(events, audit)
        self._audit.keep(audit)
        with self._changed:
            self._written = newest
            self._changed.notify_all()

    def _keep(self, events: Sequence[Event], audit: AuditBatch) -> None:
        """Write events; those that the database refuses for what is in them are lost, and only those.
        Entries of the audit log are not lost, whatever they are: until they are kept, nothing is."""
        if not events and not audit:
            return
        try:
            self._store.apply(events, audit)
        except StoreUnavailable:
            raise
        except BaseException:  # no reason to lose the others, or to stand still for ever
            if not events:
                raise
            self._keep((), audit)
            self._keep_some(events)

    def _keep_some(self, events: Sequence[Event]) -> None:
        """Write those of the events that the database does not refuse."""
        if len(events) > 1:
            half = len(events) // 2
            self._keep(events[:half], NOTHING_NEW)
            self._keep(events[half:], NOTHING_NEW)
        elif not _own_report(events[0]):  # which would be followed by a report on the report
            log.exception("event %d (%s) cannot be kept", events[0].seq, events[0].type)

    def _what_is_left(self, newest: int) -> list[Event]:
        """Events that stand for those up to `newest` that are gone: everything as it is now, and the log
        records still held. They get numbers out of the gap, which nobody else has."""
        now = time.time()
        numbers = chain(range(self._written + 1, newest), repeat(newest))
        state = [event_of(seq, now, data) for seq, data in zip(numbers, self._current(), strict=False)]
        logs = [
            event_of(entry.seq, entry.time, LogRecord(**entry.model_dump(exclude={"seq", "time"})))
            for entry in self._bus.logs()
            if self._written < entry.seq <= newest
        ]
        return [*state, *logs]

    def _failed(self, error: BaseException) -> None:
        """Say once that nothing is kept."""
        known = self._problem is not None
        self._problem = (
            str(error) if isinstance(error, StoreUnavailable) else f"An unexpected error: {error_of(error)}"
        )
        if not known:
            self._bus.publish(StoreStatus(problem=self._problem))
            unexpected = None if isinstance(error, StoreUnavailable) else error
            log.error("nothing can be kept at present: %s", self._problem, exc_info=unexpected)

    def _works(self) -> None:
        """Say once that all is well again."""
        if self._problem is not None:
            self._problem = None
            self._bus.publish(StoreStatus(problem=None))
            log.info("the database works again")


def _own_report(event: Event) -> bool:
    return isinstance(event.data, LogRecord) and event.data.logger == __name__
