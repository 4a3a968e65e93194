"""Refusals: enters who was not let in, so that whoever knocks all night does not fill the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from app.audit.entry import Kind
from app.audit.log import AuditLog

PERIOD_S = 3600.0
MOST = 100
"""Different refusals in a period that get an entry of their own."""

MAX_REASON = 300


@dataclass(frozen=True)
class Refusal:
    """Of somebody, as far as known, for a reason in words."""

    reason: str
    client: str | None = None
    key: str | None = None


OTHERS = Refusal("others were refused, too many to name them")


class Refusals:
    """Each once in a period, and then how often it was repeated. Used in one thread."""

    def __init__(self, audit: AuditLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._audit = audit
        self._clock = clock
        self._began = clock()
        self._repeated: dict[Refusal, int] = {}

    def add(self, reason: str, client: str | None = None, key: str | None = None) -> None:
        """Somebody was refused."""
        if self._clock() - self._began > PERIOD_S:
            self.close()
        refusal = Refusal(reason[:MAX_REASON], client, key)
        if refusal not in self._repeated and len(self._repeated) >= MOST:
            refusal = OTHERS
        if refusal in self._repeated:
            self._repeated[refusal] += 1
        else:
            self._repeated[refusal] = 0
            self._record(refusal, 0)

    def close(self) -> None:
        """The period is over: enter what was repeated in it."""
        repeated, self._repeated = self._repeated, {}
        self._began = self._clock()
        for refusal, times in repeated.items():
            if times:
                self._record(refusal, times)

    def _record(self, refusal: Refusal, repeated: int) -> None:
        self._audit.record(
            Kind.CLIENT_REFUSED,
            client=refusal.client,
            key=refusal.key,
            reason=refusal.reason,
            repeated=repeated,
        )
