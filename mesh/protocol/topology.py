"""Topology: who is linked with whom, by each node's own signed word, and the ways that follow from that."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count

from google.protobuf.message import DecodeError

from mesh.protocol import mesh_pb2
from mesh.protocol.framing import FrameInvalid
from shared.address import Address, parse_address
from shared.security.key_id import ID_BYTES, KeyId

MAX_ADDRESSES = 8
KEPT_ROUTES = 64
MAX_LATENCY_US = 60_000_000
UNMEASURED_S = 1e6
"""What a link counts for in the choice between ways of as many hops: more than any that is measured."""


@dataclass(frozen=True)
class LinkState:
    """A node's word on its neighbours, with the latency there and back, and on where it listens."""

    links: Mapping[KeyId, float | None]
    listening: tuple[Address, ...] = ()

    def encode(self) -> bytes:
        """As the body of an envelope."""
        links = [
            mesh_pb2.Link(neighbour=peer.digest, latency_us=0 if latency is None else _micros(latency))
            for peer, latency in self.links.items()
        ]
        return mesh_pb2.LinkState(links=links, listening=map(str, self.listening)).SerializeToString()

    @classmethod
    def parse(cls, body: bytes, most: int) -> LinkState:
        """The inverse, with at most so many links. Raises FrameInvalid."""
        message = mesh_pb2.LinkState()
        try:
            message.ParseFromString(body)
        except DecodeError as error:
            raise FrameInvalid("A link state cannot be read.") from error
        if len(message.links) > most or len(message.listening) > MAX_ADDRESSES:
            raise FrameInvalid(f"A link state has more than {most} links or {MAX_ADDRESSES} addresses.")
        if any(len(link.neighbour) != ID_BYTES or link.latency_us > MAX_LATENCY_US for link in message.links):
            raise FrameInvalid("A link state has a neighbour without an id, or a latency of minutes.")
        try:
            listening = tuple(parse_address(text) for text in message.listening)
        except ValueError as error:
            raise FrameInvalid(f"A link state has an address that is none: {error}.") from error
        return cls(
            {
                KeyId(link.neighbour): link.latency_us / 1e6 if link.latency_us else None
                for link in message.links
            },
            listening,
        )


def _micros(latency_s: float) -> int:
    return max(1, min(MAX_LATENCY_US, round(latency_s * 1e6)))


@dataclass(frozen=True)
class Route:
    """The way to a node: over which neighbour, and how many links."""

    next_hop: KeyId
    hops: int
    latency_s: float | None
    """There and back; None: not measured for all of it."""


@dataclass(frozen=True)
class _Stated:
    state: LinkState
    epoch: int
    sequence: int
    at: float


class Topology:
    """All link states that hold. A link between others counts if both of its ends state it: nobody can claim
    a link to a node that does not agree. A link of this node's own counts as soon as it is there."""

    def __init__(self, me: KeyId) -> None:
        self._me = me
        self._mine: Mapping[KeyId, float | None] = {}
        self._stated: dict[KeyId, _Stated] = {}
        self._routes: dict[frozenset[KeyId], Mapping[KeyId, Route]] = {}
        """By the neighbours that they avoid; found when they are asked for, as long as nothing changes."""

    def set_mine(self, links: Mapping[KeyId, float | None]) -> None:
        """The neighbours that this node has now."""
        self._mine = dict(links)
        self._routes.clear()

    def take(self, sender: KeyId, epoch: int, sequence: int, state: LinkState, now: float) -> bool:
        """A link state has come; whether it is newer than what was known."""
        known = self._stated.get(sender)
        if known is not None and (known.epoch, known.sequence) >= (epoch, sequence):
            return False
        self._stated[sender] = _Stated(state, epoch, sequence, now)
        if known is None or known.state.links.keys() != state.links.keys():
            self._routes.clear()
        return True

    def listening(self, peer: KeyId) -> tuple[Address, ...]:
        """Where a node has said that it is found."""
        stated = self._stated.get(peer)
        return () if stated is None else stated.state.listening

    def forget(self, peer: KeyId) -> None:
        """What a node has said does not hold any more: it is no member, or was started anew."""
        if self._stated.pop(peer, None) is not None:
            self._routes.clear()

    def forget_older(self, than: float) -> Collection[KeyId]:
        """What was said before that time; returns by whom."""
        old = [peer for peer, stated in self._stated.items() if stated.at < than]
        for peer in old:
            self.forget(peer)
        return old

    def routes(self, avoid: Collection[KeyId] = ()) -> Mapping[KeyId, Route]:
        """The best way to every node that can be reached: with the fewest hops, of those the fastest. None
        begins with the neighbours to avoid."""
        avoided = frozenset(avoid)
        if avoided not in self._routes:
            if len(self._routes) >= KEPT_ROUTES:
                self._routes.clear()
            self._routes[avoided] = self._find(avoided)
        return self._routes[avoided]

    def route(self, to: KeyId, avoid: Collection[KeyId] = ()) -> Route | None:
        """The best way to one node; None: there is none."""
        return self.routes(avoid).get(to)

    def links(self) -> Mapping[tuple[KeyId, KeyId], float | None]:
        """All links that count, each once, with the latency that was stated last."""
        found: dict[tuple[KeyId, KeyId], float | None] = {}
        for node in (self._me, *self._stated):
            for peer, latency in self._links_of(node).items():
                if (peer, node) not in found:
                    found[node, peer] = latency
        return found

    def one_sided(self) -> Iterator[tuple[KeyId, KeyId, float | None]]:
        """Links that a node has stated, and of which the other end's own word, as far as that is known, says
        nothing: who states them, the other end, and the latency that was stated."""
        for node, stated in self._stated.items():
            counts = self._links_of(node)
            for peer, latency in stated.state.links.items():
                if peer not in counts and (peer in self._stated or peer == self._me):
                    yield node, peer, latency

    def _links_of(self, node: KeyId) -> Mapping[KeyId, float | None]:
        if node == self._me:
            return self._mine
        stated = self._stated.get(node)
        if stated is None:
            return {}
        return {
            peer: latency
            for peer, latency in stated.state.links.items()
            if (node in self._mine if peer == self._me else self._states(peer, node))
        }

    def _states(self, node: KeyId, peer: KeyId) -> bool:
        return node in self._stated and peer in self._stated[node].state.links

    def _find(self, avoid: frozenset[KeyId]) -> Mapping[KeyId, Route]:
        """Dijkstra's algorithm; a way is as long as its hops, then its latency."""
        found: dict[KeyId, Route] = {}
        order = count()
        open_ = [
            (1, _weight(latency), next(order), peer, peer)
            for peer, latency in self._mine.items()
            if peer not in avoid
        ]
        heapq.heapify(open_)
        while open_:
            hops, latency, _, node, first = heapq.heappop(open_)
            if node in found:
                continue
            found[node] = Route(first, hops, latency if latency < UNMEASURED_S else None)
            for peer, more in self._links_of(node).items():
                if peer not in found and peer != self._me:
                    heapq.heappush(open_, (hops + 1, latency + _weight(more), next(order), peer, first))
        return found


def _weight(latency_s: float | None) -> float:
    return UNMEASURED_S if latency_s is None else latency_s
