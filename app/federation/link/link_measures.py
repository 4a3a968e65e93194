"""LinkMeasures: how much each client's link carries, and how far the client is, looked at every now and then.

Where frames are written and read, two numbers grow, and nothing else is done for this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from app.federation.link.session import Session
from app.federation.link.traffic import Traffic
from app.records import ClientLink

DIGITS = 2
"""That are told: what differs in the others only is no news."""


class _Carried(NamedTuple):
    """How many bytes until now, and which numbers say so."""

    by: Traffic
    sent: int
    received: int

    @classmethod
    def of(cls, traffic: Traffic) -> _Carried:
        return cls(traffic, traffic.sent, traffic.received)


class LinkMeasures:
    """One thread measures; any thread reads."""

    def __init__(self, sessions: dict[str, Session], clock: Callable[[], float] = time.monotonic) -> None:
        """`sessions`: those that are open, by client, which another thread changes."""
        self._sessions = sessions
        self._clock = clock
        self._at = clock()
        self._before: Mapping[str, _Carried] = {}
        self._newest: Mapping[str, ClientLink] = MappingProxyType({})

    @property
    def newest(self) -> Mapping[str, ClientLink]:
        """By client, as of the last time; another object after each measuring."""
        return self._newest

    def measure(self) -> None:
        """Look at all links, in one thread alone."""
        now = self._clock()
        passed = max(now - self._at, 1e-3)
        sessions = self._sessions.copy()
        carried = {name: _Carried.of(session.traffic) for name, session in sessions.items()}
        self._newest = MappingProxyType(
            {name: self._link(name, session, carried[name], passed) for name, session in sessions.items()}
        )
        self._at, self._before = now, carried

    def _link(self, name: str, session: Session, now: _Carried, passed: float) -> ClientLink:
        before = self._before.get(name)
        if before is not None and before.by is not now.by:
            before = None  # another client of the same name: that one was forgotten
        return ClientLink(
            client=name,
            measures=session.measures,
            latency_s=_rounded(session.latency_s),
            sent_per_s=_rounded(None if before is None else (now.sent - before.sent) / passed),
            received_per_s=_rounded(None if before is None else (now.received - before.received) / passed),
        )


def _rounded(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.{DIGITS}g}")
