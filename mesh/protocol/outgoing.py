"""Outgoing: seals what this node says, and chooses the neighbours that get it, and what others have said."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

from mesh.protocol.counts import Counts, Reason
from mesh.protocol.effects import Effect, Transmit
from mesh.protocol.envelope import Envelope, Kind, Kinds, Sealed, seal
from mesh.protocol.limits import MAX_HOPS
from mesh.protocol.mesh_pb2 import Frame
from mesh.protocol.topology import Topology
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair


class Outgoing:
    """Puts frames for neighbours among the node's effects."""

    def __init__(self, key: KeyPair, epoch: int, topology: Topology, counts: Counts) -> None:
        self.neighbours: set[KeyId] = set()
        self.effects: list[Effect] = []
        self._key, self._epoch = key, epoch
        self._topology, self._counts = topology, counts
        self._sequences = count(1)

    def frame(self, peer: KeyId, frame: Frame) -> None:
        """Something between two neighbours."""
        self.effects.append(Transmit(peer, frame.SerializeToString()))

    def flood(self, kind: Kind, body: bytes, topic: str = "") -> Sealed:
        """To all neighbours, who pass it on."""
        sealed = seal(self._envelope(kind, body, topic), self._key)
        self.spread(sealed)
        return sealed

    def spread(self, sealed: Sealed, but: KeyId | None = None) -> None:
        """A flood to all neighbours but to its sender and to the one that it came from."""
        frame = sealed.frame(0)
        for peer in self.neighbours - {but, sealed.envelope.sender}:
            self.effects.append(Transmit(peer, frame))

    def pass_on(self, sealed: Sealed, peer: KeyId) -> None:
        """A flood that came before, to one neighbour that may have missed it."""
        if peer != sealed.envelope.sender:
            self.effects.append(Transmit(peer, sealed.frame(0)))

    def direct(
        self,
        kind: Kind,
        receiver: KeyId,
        receiver_epoch: int,
        body: bytes = b"",
        *,
        topic: str = "",
        number: int = 0,
        avoid: Collection[KeyId] = (),
    ) -> KeyId | None:
        """To one node, over the best way that does not begin with `avoid`. Returns the neighbour that it
        begins with; None: there is no way."""
        route = self._topology.route(receiver, avoid)
        if route is None:
            return None
        envelope = self._envelope(kind, body, topic, receiver, receiver_epoch, number)
        self._transmit(route.next_hop, seal(envelope, self._key), MAX_HOPS)
        return route.next_hop

    def confirm(self, envelope: Envelope, over: KeyId) -> None:
        """A message has come over this neighbour, over which its sender is told so: that way works."""
        confirmation = self._envelope(
            Kinds.CONFIRMATION, b"", "", envelope.sender, envelope.epoch, envelope.number
        )
        self._transmit(over, seal(confirmation, self._key), MAX_HOPS)

    def relay(self, sealed: Sealed, source: KeyId) -> None:
        """What a neighbour has sent for somebody else goes on, never back."""
        receiver = sealed.envelope.receiver
        if receiver is None:
            raise ValueError("a flood is spread, not relayed")
        if sealed.hops_left == 0:
            return self._counts.drop(Reason.HOPS, source)
        route = self._topology.route(receiver)
        if route is not None and route.next_hop == source:
            route = self._topology.route(receiver, {source})
        if route is None:
            return self._counts.drop(Reason.NO_ROUTE, source)
        return self._transmit(route.next_hop, sealed, sealed.hops_left - 1)

    def _transmit(self, peer: KeyId, sealed: Sealed, hops_left: int) -> None:
        is_bulk = sealed.envelope.kind == Kinds.CHUNK
        self.effects.append(Transmit(peer, sealed.frame(hops_left), is_bulk))

    def _envelope(
        self,
        kind: Kind,
        body: bytes,
        topic: str,
        receiver: KeyId | None = None,
        receiver_epoch: int = 0,
        number: int = 0,
    ) -> Envelope:
        return Envelope(
            kind=kind,
            sender=self._key.public.id,
            epoch=self._epoch,
            sequence=next(self._sequences),
            body=body,
            topic=topic,
            receiver=receiver,
            receiver_epoch=receiver_epoch,
            number=number,
        )
