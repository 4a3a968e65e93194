"""A mesh without sockets, for tests of what is built on one: all its nodes live in one event loop.

Every node is a member of every other. `MemoryNetwork` loses, delays and cuts; what it does depends on nothing
but its seed and the order in which it is called. What is given up as lost is so at once: nobody waits for a
timeout here.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from mesh.node import (
    CHUNK_BYTES,
    MAX_BODY_BYTES,
    Content,
    ContentUnavailable,
    PeerState,
    PeerView,
    Received,
    Source,
    Unreachable,
)
from mesh.protocol.counts import Counts
from mesh.refused_models import RefusedModels
from shared.security.key_id import KeyId
from shared.security.merkle import leaf_hash, root_of

LATENCY_S = 0.001
"""Of every way, as nodes show it."""

MAX_TRIES = 20
"""How often one chunk is asked for where requests are lost."""


def key_of(name: str) -> KeyId:
    """The id of the node with this name."""
    return KeyId(hashlib.sha256(f"node {name}".encode()).digest())


@dataclass
class Faults:
    """What goes wrong on the way. `loss`: the share of messages that never come; `unsure`: the share of those
    that come, and whose confirmation is lost; `max_delay_s`: each takes up to so long, at random."""

    loss: float = 0.0
    unsure: float = 0.0
    max_delay_s: float = 0.0


class MemoryNetwork:
    """All nodes, and the ways between them. `faults` may be changed at any time."""

    def __init__(self, seed: int = 0, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.random = random.Random(seed)
        self._nodes: dict[KeyId, MemoryMesh] = {}
        self._away: set[KeyId] = set()
        self._sides: tuple[frozenset[KeyId], ...] = ()
        self._was_lost: set[tuple[KeyId, KeyId]] = set()

    def node(self, name: str) -> MemoryMesh:
        """A node of this name, new to all. With a name that there is already, its process has started anew:
        what the one before had offered and handled is gone."""
        node = MemoryMesh(self, name)
        self._nodes[node.me] = node
        self._away.discard(node.me)
        self._changed()
        return node

    def nodes(self) -> list[MemoryMesh]:
        """All that there have been, by the last that had the name."""
        return list(self._nodes.values())

    def leave(self, *nodes: MemoryMesh) -> None:
        """These can be reached no more, and reach nobody."""
        self._away |= {node.me for node in nodes}
        self._changed()

    def come_back(self, *nodes: MemoryMesh) -> None:
        """These can be reached again, with all that they have."""
        self._away -= {node.me for node in nodes}
        self._changed()

    def cut(self, *sides: Iterable[MemoryMesh]) -> None:
        """Let there be ways within each of these sides only; a node in none of them is alone."""
        self._sides = tuple(frozenset(node.me for node in side) for side in sides)
        self._changed()

    def heal(self) -> None:
        """Take the cut back."""
        self._sides = ()
        self._changed()

    def is_way(self, start: KeyId, end: KeyId) -> bool:
        """Whether messages come from the one to the other."""
        if self._away & {start, end}:
            return False
        return not self._sides or any({start, end} <= side for side in self._sides)

    def views_of(self, me: KeyId) -> list[PeerView]:
        """All others as one node sees them."""
        return [self._view(me, node) for node in self._nodes.values() if node.me != me]

    def get(self, key: KeyId) -> MemoryMesh | None:
        """The node with this key."""
        return self._nodes.get(key)

    async def travel(self) -> None:
        """What a message waits on its way. Those that set out later may arrive earlier."""
        if self.faults.max_delay_s:
            await asyncio.sleep(self.random.random() * self.faults.max_delay_s)
        else:
            await asyncio.sleep(0)

    def happens(self, share: float) -> bool:
        """Whether what befalls this share of messages befalls this one."""
        return self.random.random() < share

    def _view(self, me: KeyId, node: MemoryMesh) -> PeerView:
        if not self.is_way(me, node.me):
            return PeerView(node.me, node.name, PeerState.OFFLINE, None, None)
        state = PeerState.REJOINED if (me, node.me) in self._was_lost else PeerState.ONLINE
        return PeerView(node.me, node.name, state, 1, LATENCY_S)

    def _changed(self) -> None:
        """Who cannot be reached now has rejoined when it can be again."""
        pairs = [(start, end) for start in self._nodes for end in self._nodes]
        self._was_lost |= {pair for pair in pairs if not self.is_way(*pair)}
        for node in self._nodes.values():
            node.tell_watchers()


class MemoryMesh:
    """One node: a `mesh.node.Mesh`."""

    def __init__(self, network: MemoryNetwork, name: str) -> None:
        self.name = name
        self.counts = Counts()
        self.refused_models = RefusedModels()
        self._network = network
        self._me = key_of(name)
        self._handlers: dict[str, Callable[[Received], None]] = {}
        self._watchers: list[Callable[[], None]] = []
        self._offered: dict[Content, _Offer] = {}
        self._floods: set[asyncio.Task[None]] = set()

    @property
    def me(self) -> KeyId:
        """As Mesh has it."""
        return self._me

    def peers(self) -> Sequence[PeerView]:
        """As Mesh has it."""
        return self._network.views_of(self._me)

    def watch(self, changed: Callable[[], None]) -> None:
        """As Mesh has it."""
        self._watchers.append(changed)

    def on(self, topic: str, handler: Callable[[Received], None]) -> Callable[[], None]:
        """As Mesh has it."""
        if topic in self._handlers:
            raise ValueError(f"there is a handler for {topic} already")
        self._handlers[topic] = handler

        def end() -> None:
            if self._handlers.get(topic) is handler:
                del self._handlers[topic]

        return end

    def hears(self, topic: str) -> bool:
        """Whether there is a handler for a topic."""
        return topic in self._handlers

    def flood(self, topic: str, body: bytes) -> None:
        """As Mesh has it; loss befalls each receiver by itself."""
        _require_fits(body)
        for view in self.peers():
            task = asyncio.get_running_loop().create_task(self._flood_to(view.key, topic, body))
            self._floods.add(task)
            task.add_done_callback(self._floods.discard)

    async def send(self, to: KeyId, topic: str, body: bytes, timeout_s: float = 10.0) -> None:
        """As Mesh has it."""
        _require_fits(body)
        network = self._network
        await network.travel()
        if not self._deliver(to, topic, body) or network.happens(network.faults.unsure):
            raise Unreachable(f"{to.short} has not confirmed a message in {timeout_s:g} s.")
        await network.travel()
        if not network.is_way(to, self._me):
            raise Unreachable(f"{to.short} has not confirmed a message in {timeout_s:g} s.")

    async def offer(self, source: Source, size: int) -> Content:
        """As Mesh has it."""
        offer = await asyncio.to_thread(_Offer.of, source, size)
        self._offered[offer.content] = offer
        return offer.content

    def withdraw(self, content: Content) -> None:
        """As Mesh has it."""
        self._offered.pop(content, None)

    async def fetch(
        self,
        content: Content,
        holders: Sequence[KeyId],
        store: Callable[[int, bytes], None],
        have: Collection[int] = (),
    ) -> None:
        """As Mesh has it."""
        missing = [place for place in range(content.chunks) if place not in have]
        self._network.random.shuffle(missing)
        believed = [key for key in holders if key != self._me]
        while missing:
            if not believed:
                raise ContentUnavailable(f"{len(missing)} of {content.chunks} chunks could not be had.")
            turns = [(missing.pop(), believed[turn % len(believed)]) for turn in range(min(len(missing), 8))]
            chunks = await asyncio.gather(*(self._ask(holder, content, place) for place, holder in turns))
            for (place, holder), chunk in zip(turns, chunks, strict=True):
                if chunk is not None:
                    store(place, chunk)
                    continue
                missing.append(place)
                if holder in believed:
                    believed.remove(holder)

    def tell_watchers(self) -> None:
        """A peer's state may have changed."""
        for changed in self._watchers:
            changed()

    async def give(self, content: Content, place: int) -> bytes | None:
        """A chunk that others may have; None: it is not there, or no longer what it was."""
        offer = self._offered.get(content)
        return None if offer is None else await asyncio.to_thread(offer.chunk, place)

    async def _flood_to(self, key: KeyId, topic: str, body: bytes) -> None:
        await self._network.travel()
        self._deliver(key, topic, body)

    def _deliver(self, to: KeyId, topic: str, body: bytes) -> bool:
        """Whether it has come."""
        network = self._network
        receiver = network.get(to)
        if receiver is None or not network.is_way(self._me, to) or network.happens(network.faults.loss):
            return False
        if (handler := receiver._handlers.get(topic)) is not None:
            handler(Received(self._me, topic, body))
        return True

    async def _ask(self, holder: KeyId, content: Content, place: int) -> bytes | None:
        network = self._network
        for _ in range(MAX_TRIES):
            await network.travel()
            giver = network.get(holder)
            if giver is None or not network.is_way(holder, self._me):
                return None
            if not network.happens(network.faults.loss):
                return await giver.give(content, place)
        return None


@dataclass(frozen=True)
class _Offer:
    content: Content
    source: Source
    leaves: tuple[bytes, ...]

    @classmethod
    def of(cls, source: Source, size: int) -> _Offer:
        """Reads all of it, chunk by chunk."""
        starts = range(0, size, CHUNK_BYTES)
        leaves = tuple(leaf_hash(source.read(start, min(CHUNK_BYTES, size - start))) for start in starts)
        return cls(Content(root_of(leaves), size), source, leaves)

    def chunk(self, place: int) -> bytes | None:
        """As `give` has it: who asks would notice a wrong one by its proof."""
        start = place * CHUNK_BYTES
        try:
            chunk = self.source.read(start, min(CHUNK_BYTES, self.content.size - start))
        except (OSError, ValueError):
            return None
        return chunk if leaf_hash(chunk) == self.leaves[place] else None


def _require_fits(body: bytes) -> None:
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"a message of {len(body):,} bytes is larger than {MAX_BODY_BYTES:,}")
