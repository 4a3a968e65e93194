"""Peers: the members as this node sees them, and when that has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesh.node import PeerState, PeerView
from mesh.protocol.limits import Pace
from mesh.protocol.topology import Route, Topology
from shared.security.key_id import KeyId


@dataclass
class _Known:
    heard_at: float | None = None
    epoch: int = 0
    was_there: bool = False
    """At any time before."""
    is_there: bool = False
    back_at: float | None = None
    """Since when it is there again; None: it was never away, or is away."""


class Peers:
    """States of all members. They follow from the topology, and from when each was last heard of."""

    def __init__(self, pace: Pace, topology: Topology) -> None:
        self._pace = pace
        self._topology = topology
        self._known: dict[KeyId, _Known] = {}
        self._shown: Mapping[KeyId, tuple[PeerState, int | None]] = {}

    def heard(self, peer: KeyId, now: float, epoch: int = 0) -> None:
        """A verified word of it has come, of this start of it if that is known."""
        known = self._of(peer)
        known.heard_at = now
        if epoch > known.epoch:
            if known.was_there:
                known.back_at = now  # a new process, whether or not it was seen to be away
            known.epoch = epoch

    def heard_at(self, peer: KeyId) -> float | None:
        """When that was; None: never."""
        return self._of(peer).heard_at

    def views(self, names: Mapping[KeyId, str], now: float) -> list[PeerView]:
        """All of these members."""
        routes = self._topology.routes()
        silent_before = now - self._pace.with_members(len(names)).stale_s
        return [self._view(peer, name, routes.get(peer), now, silent_before) for peer, name in names.items()]

    def update(self, names: Mapping[KeyId, str], now: float) -> bool:
        """Look again, and say whether a state or a way has changed since the last time."""
        routes = self._topology.routes()
        for peer in names:
            known, is_there = self._of(peer), peer in routes
            if is_there and not known.is_there and known.was_there:
                known.back_at = now
            known.is_there = is_there
            known.was_there |= is_there
        shown = {view.key: (view.state, view.hops) for view in self.views(names, now)}
        has_changed, self._shown = shown != self._shown, shown
        return has_changed

    def forget(self, peer: KeyId) -> None:
        """It is no member any more."""
        self._known.pop(peer, None)

    def _view(
        self, peer: KeyId, name: str, route: Route | None, now: float, silent_before: float
    ) -> PeerView:
        if route is None:
            return PeerView(peer, name, PeerState.OFFLINE, None, None)
        state = self._state(self._of(peer), now, silent_before)
        return PeerView(peer, name, state, route.hops, route.latency_s)

    def _state(self, known: _Known, now: float, silent_before: float) -> PeerState:
        if known.heard_at is None or known.heard_at < silent_before:
            return PeerState.STALE
        if known.back_at is not None and now - known.back_at < self._pace.rejoined_s:
            return PeerState.REJOINED
        return PeerState.ONLINE

    def _of(self, peer: KeyId) -> _Known:
        return self._known.setdefault(peer, _Known())
