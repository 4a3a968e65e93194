"""Node: the mesh's protocol of one node as a state machine. Frames and the time go in, effects come out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from types import MappingProxyType

from mesh.members import Members
from mesh.node import PeerView, Received
from mesh.protocol.counts import Counts, Reason
from mesh.protocol.direct import Direct
from mesh.protocol.effects import Deliver, Disconnect, Effect, PeersChanged, Remember
from mesh.protocol.envelope import FOR_ALL, Sealed, require_message
from mesh.protocol.fetching import Fetching
from mesh.protocol.framing import FrameInvalid, parse_frame
from mesh.protocol.incoming import Incoming
from mesh.protocol.keep_alive import KeepAlive
from mesh.protocol.limits import Limits, Pace
from mesh.protocol.link_states import LinkStates
from mesh.protocol.mesh_pb2 import Envelope as Kinds
from mesh.protocol.mesh_pb2 import Frame, Ping, Pong
from mesh.protocol.outgoing import Outgoing
from mesh.protocol.peers import Peers
from mesh.protocol.replay import Seen
from mesh.protocol.serving import Serving
from mesh.protocol.topology import Topology
from shared.address import Address
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair


class Node:
    """What a node knows and does. Whoever drives it tells it what happens, in order and with a monotonic
    clock, and does what `take` returns, in order."""

    def __init__(
        self,
        key: KeyPair,
        epoch: int,
        members: Members,
        rng: Random,
        *,
        limits: Limits | None = None,
        pace: Pace | None = None,
        seen: Mapping[KeyId, Seen] = MappingProxyType({}),
    ) -> None:
        """`epoch`: higher than in any start before, from 1. `seen`: what those have taken (`Remember`)."""
        limits, self._pace = limits or Limits(), pace or Pace()
        self.me, self.epoch = key.public.id, epoch
        self.counts = Counts()
        self.topology = Topology(self.me)
        self._members, self._known = members, frozenset(members.all())
        self._outgoing = outgoing = Outgoing(key, epoch, self.topology, self.counts)
        self._incoming = Incoming(self.me, epoch, members, limits, self.counts, seen)
        self._keep_alive = KeepAlive(self._pace)
        self._links = LinkStates(
            limits, self._pace, rng, self.topology, outgoing, self._keep_alive, self.counts
        )
        self._peers = Peers(self._pace, self.topology)
        self._direct = Direct(limits, self._pace, outgoing, self.counts, self.epoch_of)
        self.serving = Serving(limits, outgoing, self.counts)
        self.fetching = Fetching(self._pace, self.topology, outgoing, self.counts, self.epoch_of)

    # What happens

    def connected(self, peer: KeyId, epoch: int, now: float) -> None:
        """There is a connection to a member, which has proven its key and said its epoch; it takes the place
        of one that may be there."""
        self._incoming.replay.begin(peer, epoch)
        self._peers.heard(peer, now, epoch)
        self._links.connected(peer, epoch)
        self._outgoing.neighbours.add(peer)
        self._keep_alive.connected(peer, now)
        self._links.changed(now, len(self._known))
        self._look_at_peers(now)

    def disconnected(self, peer: KeyId, now: float) -> None:
        """The connection is gone."""
        if peer not in self._outgoing.neighbours:
            return
        self._outgoing.neighbours.discard(peer)
        self._keep_alive.disconnected(peer)
        self._direct.lost(peer, now)
        self._links.changed(now, len(self._known))
        self._look_at_peers(now)

    def receive(self, peer: KeyId, data: bytes, now: float) -> None:
        """A frame has come from a neighbour."""
        if peer not in self._outgoing.neighbours:
            return
        self._keep_alive.heard(peer, now)
        self._peers.heard(peer, now)
        if not self._incoming.may_come(peer, now):
            return
        try:
            frame = parse_frame(data)
        except FrameInvalid as error:
            self.counts.drop(error.reason, peer)
            self._break_off(peer, str(error), now)
            return
        match frame.WhichOneof("content"):
            case "ping":
                self._outgoing.frame(peer, Frame(pong=Pong(stamp=frame.ping.stamp)))
            case "pong":
                self._take_pong(peer, frame.pong, now)
            case "envelope":
                sealed = self._incoming.take(frame.envelope, peer, now)
                if sealed is not None:
                    self._take_envelope(sealed, peer, now)
            case _:
                self.counts.drop(Reason.MALFORMED, peer)
                self._break_off(peer, "It has sent what belongs to the beginning of a connection.", now)

    def members_changed(self, now: float) -> None:
        """Somebody has become a member, or is none any more."""
        members = frozenset(self._members.all())
        for peer in self._known - members:
            if peer in self._outgoing.neighbours:
                self._break_off(peer, "It is not trusted any more.", now)
            self._links.forget(peer)
            self._incoming.forget(peer)
            self._peers.forget(peer)
            self._direct.forget(peer)
            self.serving.forget(peer)
            self.counts.forget(peer)
        self._known = members
        self._look_at_peers(now)

    def tick(self, now: float) -> None:
        """Some time has passed; to be called several times a second."""
        pings, gone = self._keep_alive.tick(now)
        for peer, stamp in pings:
            self._outgoing.frame(peer, Frame(ping=Ping(stamp=stamp)))
        for peer in gone:
            self._break_off(peer, f"Nothing was heard of it for {self._pace.dead_s:g} s.", now)
        self._links.tick(now, len(self._known))
        self._direct.tick(now)
        self.fetching.tick(now)
        self._look_at_peers(now)

    # What is asked for

    def listens(self, addresses: Sequence[Address]) -> None:
        """Where others find this node, which they are told."""
        self._links.listening = tuple(addresses)
        self._links.measured()

    def flood(self, topic: str, body: bytes) -> None:
        """To all members that can be reached. Raises ValueError for a topic, or a body, that is not
        allowed."""
        require_message(topic, body)
        self._outgoing.flood(Kinds.FLOOD, body, topic)

    def send(self, to: KeyId, topic: str, body: bytes, now: float, timeout_s: float) -> int:
        """To one member. Returns the message's number, which comes back in Confirmed or Expired. Raises
        ValueError as `flood`, and for a receiver that is no member."""
        require_message(topic, body)
        if to not in self._members.all():
            raise ValueError(f"{to.short} is no member")
        return self._direct.send(to, topic, body, now, timeout_s)

    def take(self) -> list[Effect]:
        """What is to be done since the last time."""
        effects, self._outgoing.effects = self._outgoing.effects, []
        return effects

    # What is to be seen

    def peers(self, now: float) -> Sequence[PeerView]:
        """All members as they are now."""
        return self._peers.views(self._names(), now)

    def heard_at(self, peer: KeyId) -> float | None:
        """When something of it came last; None: never."""
        return self._peers.heard_at(peer)

    def epoch_of(self, peer: KeyId) -> int:
        """Its newest start that is known; 0: none."""
        return self._incoming.replay.epoch(peer)

    def next_hop(self, peer: KeyId) -> KeyId | None:
        """The neighbour over which a member is reached; None: there is no way."""
        route = self.topology.route(peer)
        return None if route is None else route.next_hop

    # How it works

    def _take_pong(self, peer: KeyId, pong: Pong, now: float) -> None:
        is_first = self._keep_alive.latency_s(peer) is None
        if not self._keep_alive.answered(peer, pong.stamp, now):
            self.counts.drop(Reason.NOT_ASKED, peer)
        elif is_first:
            self._links.measured()

    def _take_envelope(self, sealed: Sealed, source: KeyId, now: float) -> None:
        """One that is genuine and new."""
        envelope = sealed.envelope
        self._peers.heard(envelope.sender, now, envelope.epoch)
        if envelope.kind in FOR_ALL:
            self._outgoing.effects.append(Remember(envelope.sender, envelope.epoch, envelope.sequence))
            self._outgoing.spread(sealed, but=source)
        elif envelope.receiver != self.me:
            self._outgoing.relay(sealed, source)
            return
        match envelope.kind:
            case Kinds.FLOOD:
                received = Received(envelope.sender, envelope.topic, envelope.body)
                self._outgoing.effects.append(Deliver(received))
            case Kinds.LINKS:
                if self._links.take(sealed, now):
                    self._look_at_peers(now)
            case Kinds.DIRECT:
                self._direct.take(envelope, source)
            case Kinds.CONFIRMATION:
                self._direct.confirmed(envelope)
            case Kinds.CHUNK_REQUEST:
                self.serving.take(envelope)
            case Kinds.CHUNK:
                self.fetching.take(envelope, now)

    def _break_off(self, peer: KeyId, why: str, now: float) -> None:
        self._outgoing.effects.append(Disconnect(peer, why))
        self.disconnected(peer, now)

    def _look_at_peers(self, now: float) -> None:
        if self._peers.update(self._names(), now):
            self._outgoing.effects.append(PeersChanged())

    def _names(self) -> Mapping[KeyId, str]:
        return {peer: member.name for peer, member in self._members.all().items()}
