"""A world of nodes without sockets: what they send each other may be lost, late, doubled or out of order."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations, count
from random import Random

from mesh.members import Member, Origin
from mesh.node import CHUNK_BYTES, Content, PeerState, Received
from mesh.protocol.effects import (
    Confirmed,
    Deliver,
    Disconnect,
    Effect,
    Expired,
    FetchEnded,
    ReadChunk,
    Remember,
    StoreChunk,
    Transmit,
)
from mesh.protocol.envelope import Envelope, Kinds
from mesh.protocol.limits import Limits, Pace
from mesh.protocol.node import Node
from mesh.protocol.replay import Seen
from mesh.protocol.serving import Offer
from shared.address import Address
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair
from shared.security.merkle import LogTree, leaf_hash

TICK_S = 0.2


@cache
def mesh_key(number: int) -> KeyPair:
    """The key of a node by its number; each is made once in a process, since that takes up to 300 ms."""
    return KeyPair.make()


class FixedMembers:
    """Members that a test sets."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._members = {member.key.id: member for member in members}
        self._watchers: list[Callable[[], None]] = []
        self.heard: list[tuple[KeyId, Address]] = []

    def all(self) -> Mapping[KeyId, Member]:
        return self._members

    def watch(self, changed: Callable[[], None]) -> None:
        self._watchers.append(changed)

    def found(self, key: KeyId, address: Address) -> None:
        self.heard.append((key, address))

    def remove(self, key: KeyId) -> None:
        """It is no member any more."""
        self._set({other: member for other, member in self._members.items() if other != key})

    def move(self, key: KeyId, address: Address) -> None:
        """It is found there."""
        self._set({**self._members, key: replace(self._members[key], addresses=(address,))})

    def _set(self, members: Mapping[KeyId, Member]) -> None:
        self._members = dict(members)
        for changed in self._watchers:
            changed()


def members_of(
    number: int, others: Iterable[int], addresses: Mapping[int, Address] | None = None
) -> FixedMembers:
    """Whom the node with this number trusts."""
    known = addresses or {}
    return FixedMembers(
        Member(
            mesh_key(other).public,
            f"node-{other}",
            Origin.PAIRED,
            (known[other],) if other in known else (),
        )
        for other in others
        if other != number
    )


@dataclass
class Weather:
    """What happens to frames on their way. Times in seconds, shares from 0 to 1."""

    delay: tuple[float, float] = (0.001, 0.01)
    loss: float = 0.0
    doubled: float = 0.0
    reorder: bool = False
    """Else frames between two nodes keep their order, as over TCP."""


@dataclass
class Inhabitant:
    """A node with what it has done."""

    node: Node
    members: FixedMembers
    received: list[Received] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    expired: dict[int, str] = field(default_factory=dict)
    seen: dict[KeyId, Seen] = field(default_factory=dict)
    frames: int = 0
    """That it has sent."""
    effects: list[Effect] = field(default_factory=list)
    """All others."""
    offered: dict[bytes, bytes] = field(default_factory=dict)
    """Content by its root; a test may change it behind the node's back."""
    read: int = 0
    """Chunks of it that were asked for."""
    stored: dict[int, dict[int, bytes]] = field(default_factory=dict)
    """Chunks by fetch and place."""
    fetched: dict[int, str] = field(default_factory=dict)
    """How each fetch has ended."""


class World:
    """Nodes 0 to n-1, each a member of all others, and the links that a test makes between them."""

    def __init__(
        self,
        size: int,
        links: Iterable[tuple[int, int]] = (),
        *,
        seed: int = 0,
        weather: Weather | None = None,
        limits: Limits | None = None,
        pace: Pace | None = None,
        trust: Callable[[int, int], bool] = lambda _one, _other: True,
    ) -> None:
        self.now = 1_000.0
        self.rng = Random(seed)
        self.weather = weather or Weather()
        self._limits, self._pace = limits, pace
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._last: dict[tuple[int, int], float] = {}
        self._generation = 0
        self.links: dict[frozenset[int], int] = {}
        self.size = size
        self.ids = {mesh_key(number).public.id: number for number in range(size)}
        self._trust = trust
        self.epochs = [0] * size
        self.dead: set[int] = set()
        self.nodes: list[Inhabitant] = []
        for number in range(size):
            others = [other for other in range(size) if other != number and trust(number, other)]
            members = members_of(number, others)
            self.nodes.append(Inhabitant(self._new_node(number, members, {}), members))
        for one, other in links:
            self.link(one, other)

    # What a test does

    def id(self, number: int) -> KeyId:
        """Of a node's key."""
        return mesh_key(number).public.id

    def link(self, one: int, other: int) -> None:
        """Connect two nodes."""
        self._generation += 1
        self.links[frozenset((one, other))] = self._generation
        for here, there in ((one, other), (other, one)):
            self.nodes[here].node.connected(self.id(there), self.epochs[there], self.now)
        self.settle(one, other)

    def cut(self, one: int, other: int, *, noticed: bool = True) -> None:
        """Disconnect two nodes, which may have to find out by themselves."""
        self.links.pop(frozenset((one, other)), None)
        if noticed:
            for here, there in ((one, other), (other, one)):
                self.nodes[here].node.disconnected(self.id(there), self.now)
            self.settle(one, other)

    def kill(self, number: int) -> None:
        """End a node without a word; its neighbours notice."""
        for link in [link for link in self.links if number in link]:
            (other,) = link - {number}
            self.links.pop(link)
            self.nodes[other].node.disconnected(self.id(number), self.now)
            self.settle(other)
        self.dead.add(number)

    def start_again(self, number: int) -> None:
        """A new start of a node, which remembers what it was told to."""
        was = self.nodes[number]
        self.nodes[number] = Inhabitant(self._new_node(number, was.members, was.seen), was.members)
        self.nodes[number].seen = was.seen
        self.dead.discard(number)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        next_tick = self.now
        while True:
            event_at = self._events[0][0] if self._events else float("inf")
            if min(event_at, next_tick) > end:
                break
            if event_at <= next_tick:
                self.now, _, event = heapq.heappop(self._events)
                event()
            else:
                self.now = next_tick
                next_tick += TICK_S
                for number, inhabitant in enumerate(self.nodes):
                    if number not in self.dead:
                        inhabitant.node.tick(self.now)
                        self.settle(number)
        self.now = end

    def run_until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Let time pass until that is so; AssertionError when it is not after so many seconds."""
        end = self.now + seconds
        while not condition():
            assert self.now < end, f"it is not so after {seconds:g} s"
            self.run(1)

    def drain(self, most: int = 200_000) -> int:
        """Deliver all that is under way, without that anybody's clock ticks; AssertionError if it never ends.
        Returns how many frames that were."""
        for done in range(most):
            if not self._events:
                return done
            self.now, _, event = heapq.heappop(self._events)
            event()
        raise AssertionError(f"after {most:,} frames there are still {len(self._events)} under way")

    def settle(self, *numbers: int) -> None:
        """Do what nodes want done."""
        for number in numbers:
            for effect in self.nodes[number].node.take():
                self._do(number, effect)

    def flood(self, number: int, topic: str, body: bytes = b"") -> None:
        self.nodes[number].node.flood(topic, body)
        self.settle(number)

    def send(self, one: int, other: int, body: bytes = b"", timeout_s: float = 10.0) -> int:
        message = self.nodes[one].node.send(self.id(other), "test", body, self.now, timeout_s)
        self.settle(one)
        return message

    def offer(self, data: bytes, *holders: int) -> Content:
        tree = LogTree()
        for start in range(0, len(data), CHUNK_BYTES):
            tree.add(leaf_hash(data[start : start + CHUNK_BYTES]))
        content = Content(tree.root(tree.size), len(data))
        for holder in holders:
            self.nodes[holder].offered[content.root] = data
            self.nodes[holder].node.serving.offer(Offer(content, tree))
        return content

    def fetch(self, number: int, content: Content, holders: Iterable[int], have: Iterable[int] = ()) -> int:
        keys = [self.id(holder) for holder in holders]
        fetch = self.nodes[number].node.fetching.start(content, keys, set(have), self.now)
        self.settle(number)
        return fetch

    def content(self, number: int, fetch: int) -> bytes:
        """What has come of it, in order."""
        return b"".join(data for _, data in sorted(self.nodes[number].stored.get(fetch, {}).items()))

    def envelope(self, sender: int, receiver: int, request: bytes) -> Envelope:
        """A request for a chunk, as it is once its signature was verified."""
        return Envelope(
            Kinds.CHUNK_REQUEST,
            self.id(sender),
            self.epochs[sender],
            1,
            request,
            receiver=self.id(receiver),
            receiver_epoch=self.epochs[receiver],
        )

    def put(self, to: int, source: int, frame: bytes) -> None:
        """Have a frame come from a neighbour at once, whoever has made it."""
        self.nodes[to].node.receive(self.id(source), frame, self.now)
        self.settle(to)

    # What a test sees

    def received(self, number: int, topic: str = "test") -> list[bytes]:
        return [message.body for message in self.nodes[number].received if message.topic == topic]

    def states(self, number: int) -> dict[int, PeerState]:
        return {self.ids[view.key]: view.state for view in self.nodes[number].node.peers(self.now)}

    def hops(self, number: int) -> dict[int, int | None]:
        return {self.ids[view.key]: view.hops for view in self.nodes[number].node.peers(self.now)}

    def distances(self, number: int) -> dict[int, int]:
        """Links to every node that can be reached, as the test's own breadth-first search finds them."""
        found, edge = {number: 0}, {number}
        while edge:
            beyond = {other for link in self.links if link & edge for other in link} - found.keys()
            distance = 1 + max(found.values())
            found.update(dict.fromkeys(beyond, distance))
            edge = beyond
        return found

    # How it works

    def _new_node(self, number: int, members: FixedMembers, seen: Mapping[KeyId, Seen]) -> Node:
        self.epochs[number] += 1
        return Node(
            mesh_key(number),
            self.epochs[number],
            members,
            Random(self.rng.random()),
            limits=self._limits,
            pace=self._pace,
            seen=dict(seen),
        )

    def _do(self, number: int, effect: Effect) -> None:
        inhabitant = self.nodes[number]
        match effect:
            case Transmit():
                inhabitant.frames += 1
                self._transmit(number, self.ids[effect.peer], effect.frame)
            case Deliver():
                inhabitant.received.append(effect.received)
            case Confirmed():
                inhabitant.confirmed.append(effect.message)
            case Expired():
                inhabitant.expired[effect.message] = effect.why
            case Remember():
                inhabitant.seen[effect.sender] = Seen(effect.epoch, effect.sequence)
            case Disconnect():
                other = self.ids[effect.peer]
                if self.links.pop(frozenset((number, other)), None) is not None:
                    self.nodes[other].node.disconnected(self.id(number), self.now)
                    self.settle(other)
                inhabitant.effects.append(effect)
            case ReadChunk():
                inhabitant.read += 1
                content = inhabitant.offered[effect.root]
                data = content[effect.start : effect.start + effect.length]
                inhabitant.node.serving.read(effect, data)
                self.settle(number)
            case StoreChunk():
                chunks = inhabitant.stored.setdefault(effect.fetch, {})
                assert effect.index not in chunks, "a chunk is stored twice"
                chunks[effect.index] = effect.data
            case FetchEnded():
                inhabitant.fetched[effect.fetch] = effect.why
            case _:
                inhabitant.effects.append(effect)

    def _transmit(self, source: int, to: int, frame: bytes) -> None:
        generation = self.links.get(frozenset((source, to)))
        if generation is None or self.rng.random() < self.weather.loss:
            return
        for _ in range(2 if self.rng.random() < self.weather.doubled else 1):
            at = self.now + self.rng.uniform(*self.weather.delay)
            if not self.weather.reorder:
                at = max(at, self._last.get((source, to), 0.0))
                self._last[source, to] = at
            heapq.heappush(
                self._events, (at, next(self._order), lambda: self._arrive(source, to, frame, generation))
            )

    def _arrive(self, source: int, to: int, frame: bytes, generation: int) -> None:
        if self.links.get(frozenset((source, to))) == generation and to not in self.dead:
            self.nodes[to].node.receive(self.id(source), frame, self.now)
            self.settle(to)


def ring(size: int) -> Sequence[tuple[int, int]]:
    return [(number, (number + 1) % size) for number in range(size if size > 2 else size - 1)]


def line(size: int) -> Sequence[tuple[int, int]]:
    return [(number, number + 1) for number in range(size - 1)]


def star(size: int) -> Sequence[tuple[int, int]]:
    return [(0, number) for number in range(1, size)]


def full(size: int) -> Sequence[tuple[int, int]]:
    return list(combinations(range(size), 2))


def islands(size: int) -> Sequence[tuple[int, int]]:
    """Two rings, between which there is nothing."""
    half = size // 2
    return [*ring(half), *((one + half, other + half) for one, other in ring(size - half))]
