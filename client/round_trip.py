"""RoundTrip: how far the server is, by the heartbeats that it answers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from shared.proto.link_pb2 import Heartbeat

OPEN = 8
"""Heartbeats whose answer is waited for; of older ones it is not."""
NEWEST = 5
"""Of so many measured times the least counts: the others waited behind models, at one end or the other (the
clock filter of NTP, RFC 5905, section 10, does the same with eight)."""


class RoundTrip:
    """Over one connection. A stamp is a number, so that the server is told nothing of the clock here."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stamp = 0
        self._sent: dict[int, float] = {}
        self._took: deque[float] = deque(maxlen=NEWEST)

    @property
    def latency_s(self) -> float | None:
        """There and back; None: no heartbeat was answered yet, which an older server never does."""
        return min(self._took, default=None)

    def heartbeat(self) -> Heartbeat:
        """The next, which leaves now."""
        self._stamp += 1
        self._sent[self._stamp] = self._clock()
        self._sent.pop(self._stamp - OPEN, None)
        return Heartbeat(stamp=self._stamp, latency_s=self.latency_s)

    def answered(self, answer: Heartbeat) -> None:
        """One has come back. The server answers the newest that it has: those before it are lost."""
        sent = self._sent.get(answer.stamp)
        if sent is None:
            return
        self._took.append(self._clock() - sent)
        self._sent = {stamp: at for stamp, at in self._sent.items() if stamp > answer.stamp}
