"""KeepAlive: whether neighbours are there, and how far away, by a ping each second."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mesh.protocol.limits import Pace
from shared.security.key_id import KeyId

SMOOTHING = 1 / 8
"""Weight of the newest round trip (RFC 6298)."""
OPEN_PINGS = 8


@dataclass
class _Neighbour:
    heard_at: float
    pinged_at: float
    sent: dict[int, float]
    """When each ping that is not answered was sent, by its stamp."""
    latency_s: float | None = None


class KeepAlive:
    """Of all neighbours. The stamp of a ping is a number, so that a neighbour is told nothing of the clock
    here."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._neighbours: dict[KeyId, _Neighbour] = {}
        self._stamp = 0
        self._ticked_at: float | None = None

    def connected(self, peer: KeyId, now: float) -> None:
        """A neighbour more; it is pinged at the next tick."""
        self._neighbours[peer] = _Neighbour(now, now - self._pace.ping_s, {})

    def disconnected(self, peer: KeyId) -> None:
        """One less."""
        self._neighbours.pop(peer, None)

    def heard(self, peer: KeyId, now: float) -> None:
        """A frame has come from it."""
        self._neighbours[peer].heard_at = now

    def answered(self, peer: KeyId, stamp: int, now: float) -> bool:
        """It has answered a ping; False: none that was sent."""
        neighbour = self._neighbours[peer]
        sent = neighbour.sent.pop(stamp, None)
        if sent is None:
            return False
        took, before = now - sent, neighbour.latency_s
        neighbour.latency_s = took if before is None else before + SMOOTHING * (took - before)
        return True

    def latency_s(self, peer: KeyId) -> float | None:
        """There and back; None: not measured yet."""
        return self._neighbours[peer].latency_s

    def tick(self, now: float) -> tuple[Collection[tuple[KeyId, int]], Collection[KeyId]]:
        """Whom to ping, with the stamp, and who is gone."""
        self._allow_for_a_pause(now)
        pings: list[tuple[KeyId, int]] = []
        gone: list[KeyId] = []
        for peer, neighbour in self._neighbours.items():
            if now - neighbour.heard_at >= self._pace.dead_s:
                gone.append(peer)
            elif now - neighbour.pinged_at >= self._pace.ping_s:
                self._stamp += 1
                neighbour.pinged_at = now
                neighbour.sent[self._stamp] = now
                while len(neighbour.sent) > OPEN_PINGS:
                    del neighbour.sent[next(iter(neighbour.sent))]
                pings.append((peer, self._stamp))
        return pings, gone

    def _allow_for_a_pause(self, now: float) -> None:
        """While this process was stopped, or kept from its clock, it heard nobody: that says nothing of
        them."""
        paused = 0.0 if self._ticked_at is None else now - self._ticked_at - self._pace.ping_s
        self._ticked_at = now
        if paused > 0:
            for neighbour in self._neighbours.values():
                neighbour.heard_at = min(now, neighbour.heard_at + paused)
