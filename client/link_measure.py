"""What a client finds of its link to the server: how far that is, and how much goes over it.

The server finds the same of all its clients (`app/federation/link/link_measures.py`); this is for the people
beside one of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from client.round_trip import RoundTrip

T = TypeVar("T")


@dataclass(frozen=True)
class LinkView:
    """At one moment. `latency_s`: there and back; rates in bytes of frames a second, before TLS. None: not
    measured yet, or there is no link."""

    latency_s: float | None = None
    sent_per_s: float | None = None
    received_per_s: float | None = None


NO_LINK = LinkView()


class Carried:
    """How many bytes of frames one connection has carried, before TLS. Its event loop counts."""

    def __init__(self) -> None:
        self.sent = 0
        self.received = 0

    def counting_sent(self, serialise: Callable[[T], bytes]) -> Callable[[T], bytes]:
        """The same, and what comes of it is counted."""

        def counted(frame: T) -> bytes:
            data = serialise(frame)
            self.sent += len(data)
            return data

        return counted

    def counting_received(self, read: Callable[[bytes], T]) -> Callable[[bytes], T]:
        """The same, and what goes into it is counted."""

        def counted(data: bytes) -> T:
            self.received += len(data)
            return read(data)

        return counted


class _Count(NamedTuple):
    """At `at`, in monotonic seconds."""

    at: float
    sent: int
    received: int


class LinkMeasure:
    """Of one connection. In its event loop."""

    def __init__(
        self, carried: Carried, round_trip: RoundTrip, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._carried = carried
        self._round_trip = round_trip
        self._clock = clock
        self._before: _Count | None = None
        self._sent_per_s: float | None = None
        self._received_per_s: float | None = None

    def measure(self) -> None:
        """Look at what has gone over it since the last time, every now and then."""
        now, before = _Count(self._clock(), self._carried.sent, self._carried.received), self._before
        self._before = now
        if before is None:
            return  # since when nobody knows: a moment ago, mostly
        passed = max(now.at - before.at, 1e-3)
        self._sent_per_s = (now.sent - before.sent) / passed
        self._received_per_s = (now.received - before.received) / passed

    def view(self) -> LinkView:
        """As it is now, with the rates as of the last time."""
        return LinkView(self._round_trip.latency_s, self._sent_per_s, self._received_per_s)
