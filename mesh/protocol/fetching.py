"""Fetching: content from those who have it. This node asks, a window of chunks of each holder, nearest
first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from google.protobuf.message import DecodeError

from mesh.node import CHUNK_BYTES, Content
from mesh.protocol import mesh_pb2
from mesh.protocol.counts import Counts, Reason
from mesh.protocol.effects import FetchEnded, StoreChunk
from mesh.protocol.envelope import Envelope, Kinds
from mesh.protocol.holder import Holder
from mesh.protocol.limits import Pace
from mesh.protocol.outgoing import Outgoing
from mesh.protocol.topology import Topology
from shared.security.key_id import KeyId
from shared.security.merkle import EMPTY_ROOT, HASH_BYTES, Hash, is_included, leaf_hash

MAX_CHUNKS = 1 << 24
"""Four terabytes."""


@dataclass
class _Fetch:
    number: int
    content: Content
    holders: dict[KeyId, Holder]
    fresh: Iterator[int]
    """Chunks that were not asked for yet."""
    left: int
    """Chunks that have not come."""
    progress_at: float
    again: list[int] = field(default_factory=list)
    """Those that were asked for in vain."""

    def is_open(self, index: int) -> bool:
        """Whether a chunk was asked for and has not come."""
        return index in self.again or any(index in holder.asked for holder in self.holders.values())

    def close(self, index: int) -> None:
        """It has come."""
        for holder in self.holders.values():
            holder.asked.pop(index, None)
        if index in self.again:
            self.again.remove(index)
        self.left -= 1

    def drop(self, holder: KeyId) -> None:
        """It is asked no more; the others are asked for what it owes."""
        self.again.extend(self.holders.pop(holder).asked)


class Fetching:
    """All content that a node is getting."""

    def __init__(
        self,
        pace: Pace,
        topology: Topology,
        outgoing: Outgoing,
        counts: Counts,
        epoch_of: Callable[[KeyId], int],
    ) -> None:
        self._pace, self._topology, self._outgoing, self._counts = pace, topology, outgoing, counts
        self._epoch_of = epoch_of
        self._fetches: dict[int, _Fetch] = {}
        self._numbers = count(1)

    def start(self, content: Content, holders: Sequence[KeyId], have: Collection[int], now: float) -> int:
        """Get content; returns the number that its effects bear. Raises ValueError for what is no content."""
        if len(content.root) != HASH_BYTES or not 0 <= content.chunks <= MAX_CHUNKS or content.size < 0:
            raise ValueError(f"there is no content of {content.size:,} bytes with such a root")
        if content.size == 0 and content.root != EMPTY_ROOT:
            raise ValueError("content of no bytes has another root")
        number, having = next(self._numbers), frozenset(have)
        fresh = (index for index in range(content.chunks) if index not in having)
        left = content.chunks - sum(0 <= index < content.chunks for index in having)
        known = {holder: Holder(self._pace) for holder in holders}
        fetch = self._fetches[number] = _Fetch(number, content, known, fresh, left, now)
        self._go_on(fetch, now)
        return number

    def cancel(self, number: int) -> None:
        """It is not wanted any more."""
        self._fetches.pop(number, None)

    def take(self, envelope: Envelope, now: float) -> None:
        """A chunk has come, or the word that it is not there."""
        chunk, sender = mesh_pb2.Chunk(), envelope.sender
        try:
            chunk.ParseFromString(envelope.body)
        except DecodeError:
            self._counts.drop(Reason.MALFORMED, sender)
            return
        asking = [
            fetch
            for fetch in self._fetches.values()
            if fetch.content.root == chunk.root and sender in fetch.holders and fetch.is_open(chunk.index)
        ]
        if not asking:
            self._counts.drop(Reason.NOT_ASKED, sender)
        for fetch in asking:
            if chunk.absent:
                fetch.drop(sender)
            elif not _is_part(chunk, fetch.content):
                self._counts.drop(Reason.WRONG_CHUNK, sender)
                fetch.drop(sender)
            else:
                fetch.holders[sender].answered(chunk.index, now)
                fetch.close(chunk.index)
                fetch.progress_at = now
                self._outgoing.effects.append(StoreChunk(fetch.number, chunk.index, chunk.data))
            self._go_on(fetch, now)

    def tick(self, now: float) -> None:
        """Ask anew for what does not come."""
        for fetch in tuple(self._fetches.values()):
            for peer, holder in tuple(fetch.holders.items()):
                fetch.again.extend(holder.overdue(now))
                if holder.is_silent:
                    fetch.drop(peer)
            self._go_on(fetch, now)

    def _go_on(self, fetch: _Fetch, now: float) -> None:
        if fetch.left == 0:
            self._end(fetch)
        elif not fetch.holders:
            self._end(fetch, "none of those who were said to have it has given all of it.")
        elif now - fetch.progress_at > self._pace.no_progress_s:
            self._end(fetch, f"none of those who have it was there for {self._pace.no_progress_s:g} s.")
        else:
            self._ask(fetch, now)

    def _ask(self, fetch: _Fetch, now: float) -> None:
        routes = self._topology.routes()
        near = [
            (holder.in_vain, routes[peer].hops, routes[peer].latency_s or 0.0, number, peer, holder)
            for number, (peer, holder) in enumerate(fetch.holders.items())
            if peer in routes and self._epoch_of(peer)
        ]
        for *_, peer, holder in sorted(near, key=lambda one: one[:4]):
            while holder.has_room:
                index = fetch.again.pop(0) if fetch.again else next(fetch.fresh, None)
                if index is None:
                    return
                request = mesh_pb2.ChunkRequest(root=fetch.content.root, index=index).SerializeToString()
                self._outgoing.direct(Kinds.CHUNK_REQUEST, peer, self._epoch_of(peer), request)
                holder.ask(index, now)

    def _end(self, fetch: _Fetch, why: str = "") -> None:
        del self._fetches[fetch.number]
        self._outgoing.effects.append(FetchEnded(fetch.number, why))


def _is_part(chunk: mesh_pb2.Chunk, content: Content) -> bool:
    """Whether this is the content's chunk at this place, by its proof."""
    length = min(CHUNK_BYTES, content.size - chunk.index * CHUNK_BYTES)
    root: Hash = content.root
    return len(chunk.data) == length and is_included(
        leaf_hash(chunk.data), chunk.index, content.chunks, list(chunk.proof), root
    )
