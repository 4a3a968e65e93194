"""LinkStates: the word of every node on its links, told to all when it changes and every few seconds."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from mesh.protocol.counts import Counts
from mesh.protocol.effects import Found
from mesh.protocol.envelope import Kinds, Sealed
from mesh.protocol.framing import FrameInvalid
from mesh.protocol.keep_alive import KeepAlive
from mesh.protocol.limits import Limits, Pace
from mesh.protocol.outgoing import Outgoing
from mesh.protocol.topology import LinkState, Topology
from shared.address import Address
from shared.security.key_id import KeyId

JITTER = 0.2
"""Share by which the times between link states differ, so that nodes that were started together do not all
speak together."""


class LinkStates:
    """Keeps the topology by what others say, and says what this node sees."""

    def __init__(
        self,
        limits: Limits,
        pace: Pace,
        rng: Random,
        topology: Topology,
        outgoing: Outgoing,
        keep_alive: KeepAlive,
        counts: Counts,
    ) -> None:
        self._limits, self._pace, self._rng = limits, pace, rng
        self._topology, self._outgoing, self._counts = topology, outgoing, counts
        self._keep_alive = keep_alive
        self.listening: Sequence[Address] = ()
        """Where this node is found."""
        self._sealed: dict[KeyId, Sealed] = {}
        """The newest of each node, as it has signed it."""
        self._have_changed = False
        self._told_at = self._due_at = float("-inf")

    def connected(self, peer: KeyId, epoch: int) -> None:
        """A neighbour more, at this start of it. It gets all link states, of which it may have missed
        some."""
        sealed = self._sealed.get(peer)
        if sealed is not None and sealed.envelope.epoch < epoch:
            self.forget(peer)
        for sealed in self._sealed.values():
            self._outgoing.pass_on(sealed, peer)

    def changed(self, now: float, members: int) -> None:
        """This node's links are others than before."""
        self._topology.set_mine(self._mine())
        self._have_changed = True
        self._tell_if_due(now, members)

    def measured(self) -> None:
        """A link's latency is known now, which others are told with the next word."""
        self._have_changed = True

    def take(self, sealed: Sealed, now: float) -> bool:
        """Another node's word; whether it is news."""
        envelope = sealed.envelope
        try:
            state = LinkState.parse(envelope.body, self._limits.links)
        except FrameInvalid as error:
            self._counts.drop(error.reason, envelope.sender)
            return False
        was = self._topology.listening(envelope.sender)
        if not self._topology.take(envelope.sender, envelope.epoch, envelope.sequence, state, now):
            return False
        self._sealed[envelope.sender] = sealed
        for address in state.listening:
            if address not in was:
                self._outgoing.effects.append(Found(envelope.sender, address))
        return True

    def forget(self, peer: KeyId) -> None:
        """What it has said does not hold any more."""
        self._topology.forget(peer)
        self._sealed.pop(peer, None)

    def tick(self, now: float, members: int) -> None:
        """Some time has passed."""
        for peer in self._topology.forget_older(now - self._pace.with_members(members).forget_s):
            self._sealed.pop(peer, None)
        self._tell_if_due(now, members)

    def _tell_if_due(self, now: float, members: int) -> None:
        has_news = self._have_changed and now >= self._told_at + self._pace.links_pause_s
        if not has_news and now < self._due_at:
            return
        links = self._mine()
        self._topology.set_mine(links)
        self._outgoing.flood(Kinds.LINKS, LinkState(links, tuple(self.listening)).encode())
        self._have_changed, self._told_at = False, now
        every = self._pace.with_members(members).links_s
        self._due_at = now + every * self._rng.uniform(1 - JITTER, 1 + JITTER)

    def _mine(self) -> dict[KeyId, float | None]:
        return {peer: self._keep_alive.latency_s(peer) for peer in self._outgoing.neighbours}
