"""Outbox: notices that have not arrived yet, in memory and, while that works, in the store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from app.records.notices import Notice
from shared.errors import StoreUnavailable

MOST = 1_000
"""So many notices wait at most; the oldest are lost first."""

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 600.0
GIVEN_UP_AFTER_S = 3 * 24 * 3600.0

log = logging.getLogger(__name__)


class KeptNotices(Protocol):
    """Where notices outlast the server."""

    def keep(self, notice: Notice) -> None:
        """Raises StoreUnavailable."""

    def forget(self, notice_ids: Iterable[str]) -> None:
        """Raises StoreUnavailable."""

    def all(self) -> list[Notice]:
        """Oldest first. Raises StoreUnavailable."""


@dataclass
class _Waiting:
    notice: Notice
    due: float
    tries: int = 0


class Outbox:
    """Safe from any thread. Each notice stays until it has arrived, or is given up."""

    def __init__(self, kept: KeptNotices) -> None:
        """Raises StoreUnavailable."""
        self._kept = kept
        self._changed = threading.Condition()
        self._waiting = {notice.id: _Waiting(notice, due=0.0) for notice in kept.all()}
        self.lost = 0
        """How many were given up since the start."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, notice: Notice, now: float) -> None:
        """It is to be sent."""
        try:
            self._kept.keep(notice)
        except StoreUnavailable as error:
            log.warning("a notice is lost if the server ends before it is sent: %s", error)
        with self._changed:
            self._waiting[notice.id] = _Waiting(notice, due=now)
            excess = list(self._waiting)[:-MOST]
            self._changed.notify_all()
        self._give_up(excess, f"more than {MOST:,} wait")

    def next_due(self, clock: Callable[[], float], unless: Callable[[], bool]) -> Notice | None:
        """Wait for the notice that is to be sent next; None once `unless` is true, which is asked after
        each `wake`."""
        with self._changed:
            while not unless():
                first = min(self._waiting.values(), key=lambda each: each.due, default=None)
                if first is not None and first.due <= clock():
                    return first.notice
                self._changed.wait(None if first is None else first.due - clock())
            return None

    def wait_until_empty(self, timeout_s: float) -> None:
        """Return once nothing waits any more, or then."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting, timeout_s)

    def wake(self) -> None:
        """Have who waits ask again."""
        with self._changed:
            self._changed.notify_all()

    def arrived(self, notice: Notice) -> None:
        """It need not be sent again."""
        self._remove([notice.id])

    def failed(self, notice: Notice, now: float) -> None:
        """It is sent again, later each time, or given up."""
        if now - notice.time > GIVEN_UP_AFTER_S:
            self._give_up([notice.id], "it did not arrive for three days")
            return
        with self._changed:
            if (waiting := self._waiting.get(notice.id)) is not None:
                waiting.due = now + min(FIRST_RETRY_S * 2**waiting.tries, LAST_RETRY_S)
                waiting.tries += 1

    def _give_up(self, notice_ids: list[str], why: str) -> None:
        for notice in self._remove(notice_ids):
            self.lost += 1
            log.error("the webhook is never told that %s (%s): %s", notice.text, notice.event, why)

    def _remove(self, notice_ids: list[str]) -> list[Notice]:
        with self._changed:
            gone = [self._waiting.pop(each).notice for each in notice_ids if each in self._waiting]
            self._changed.notify_all()
        if gone:
            try:
                self._kept.forget([notice.id for notice in gone])
            except StoreUnavailable as error:
                log.warning("a notice may be sent once more after a restart, under its id: %s", error)
        return gone
