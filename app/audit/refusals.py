"""RefusalEntries: enters who was not let in, so that whoever knocks all night does not fill the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.audit.entry import Kind
from app.audit.log import AuditLog

PERIOD_S = 3600.0
MOST = 100
"""Different refusals in a period that get an entry of their own."""

MAX_REASON = 300

NAMES: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {Kind.CLIENT_REFUSED: ("client", "key"), Kind.LOGIN_REFUSED: ("user", "address")}
)
"""What an entry says of whoever was refused."""

OTHERS = "others were refused, too many to name them"


@dataclass(frozen=True)
class Refusal:
    """Of somebody, as far as known, for a reason in words."""

    reason: str
    who: tuple[str | None, ...]


class RefusalEntries:
    """Each once in a period, and then how often it was repeated. Safe from any thread."""

    def __init__(self, audit: AuditLog, kind: Kind, clock: Callable[[], float] = time.monotonic) -> None:
        """`kind`: of the entries, one of NAMES."""
        self._audit = audit
        self._kind = kind
        self._clock = clock
        self._lock = threading.RLock()
        self._began = clock()
        self._repeated: dict[Refusal, int] = {}

    def add(self, reason: str, **who: str | None) -> None:
        """Somebody was refused. What is not known of them is left out."""
        names = NAMES[self._kind]
        refusal = Refusal(reason[:MAX_REASON], tuple(who.get(name) for name in names))
        with self._lock:
            if self._clock() - self._began > PERIOD_S:
                self.close()
            if refusal not in self._repeated and len(self._repeated) >= MOST:
                refusal = Refusal(OTHERS, (None,) * len(names))
            if refusal in self._repeated:
                self._repeated[refusal] += 1
            else:
                self._repeated[refusal] = 0
                self._record(refusal, 0)

    def close(self) -> None:
        """The period is over: enter what was repeated in it."""
        with self._lock:
            repeated, self._repeated = self._repeated, {}
            self._began = self._clock()
            for refusal, times in repeated.items():
                if times:
                    self._record(refusal, times)

    def _record(self, refusal: Refusal, repeated: int) -> None:
        who = dict(zip(NAMES[self._kind], refusal.who, strict=True))
        self._audit.record(self._kind, **who, reason=refusal.reason, repeated=repeated)
