"""Serving: chunks of content for those who ask. Each asks for a few at a time, so nothing piles up here."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from mesh.node import CHUNK_BYTES, Content
from mesh.protocol import mesh_pb2
from mesh.protocol.counts import Counts, Reason
from mesh.protocol.effects import ReadChunk
from mesh.protocol.envelope import Envelope, Kinds
from mesh.protocol.limits import Limits
from mesh.protocol.outgoing import Outgoing
from shared.security.key_id import KeyId
from shared.security.merkle import Hash, LogTree


@dataclass(frozen=True)
class Offer:
    """Content, and the tree that its proofs come from."""

    content: Content
    tree: LogTree


class Serving:
    """What a node offers. For each member it reads a few chunks at a time: who takes them slowly waits
    alone."""

    def __init__(self, limits: Limits, outgoing: Outgoing, counts: Counts) -> None:
        self._limits, self._outgoing, self._counts = limits, outgoing, counts
        self._offers: dict[Hash, Offer] = {}
        self._waiting: dict[KeyId, deque[ReadChunk]] = {}
        self._reading: Counter[KeyId] = Counter()

    def offer(self, offer: Offer) -> None:
        """From now on."""
        self._offers[offer.content.root] = offer

    def withdraw(self, content: Content) -> None:
        """No more."""
        self._offers.pop(content.root, None)

    def take(self, envelope: Envelope) -> None:
        """A member asks for a chunk."""
        request = mesh_pb2.ChunkRequest()
        try:
            request.ParseFromString(envelope.body)
        except DecodeError:
            self._counts.drop(Reason.MALFORMED, envelope.sender)
            return
        offer = self._offers.get(request.root)
        if offer is None or request.index >= offer.content.chunks:
            self._answer_absent(envelope.sender, envelope.epoch, request.root, request.index)
            return
        start = request.index * CHUNK_BYTES
        length = min(CHUNK_BYTES, offer.content.size - start)
        read = ReadChunk(envelope.sender, envelope.epoch, request.root, request.index, start, length)
        waiting = self._waiting.setdefault(envelope.sender, deque())
        if read in waiting:
            return
        if len(waiting) >= self._limits.requests:
            self._counts.drop(Reason.RATE, envelope.sender)
            return
        waiting.append(read)
        self._read_more()

    def read(self, request: ReadChunk, data: bytes | None) -> None:
        """What was asked for by ReadChunk, or None: it cannot be read, or is not what it was."""
        self._reading[request.receiver] -= 1
        offer = self._offers.get(request.root)
        if offer is None or data is None:
            self._answer_absent(request.receiver, request.receiver_epoch, request.root, request.index)
        else:
            proof = offer.tree.inclusion_proof(request.index)
            chunk = mesh_pb2.Chunk(root=request.root, index=request.index, proof=proof, data=data)
            self._answer(request.receiver, request.receiver_epoch, chunk)
        self._read_more()

    def gave_up(self, request: ReadChunk) -> None:
        """There was no room on the way to whom it is for; it asks again if it still wants it."""
        self._reading[request.receiver] -= 1
        self._read_more()

    def forget(self, peer: KeyId) -> None:
        """It is no member any more."""
        self._waiting.pop(peer, None)

    def _read_more(self) -> None:
        """As far as there is room, one for each member in turn."""
        room = self._limits.all_reads - self._reading.total()
        while room > 0 and (peer := self._next()) is not None:
            waiting = self._waiting.pop(peer)
            self._outgoing.effects.append(waiting.popleft())
            self._reading[peer] += 1
            room -= 1
            if waiting:
                self._waiting[peer] = waiting  # behind the others
        self._reading += Counter()  # without those that have none

    def _next(self) -> KeyId | None:
        return next((peer for peer in self._waiting if self._reading[peer] < self._limits.reads), None)

    def _answer_absent(self, peer: KeyId, epoch: int, root: Hash, index: int) -> None:
        self._answer(peer, epoch, mesh_pb2.Chunk(root=root, index=index, absent=True))

    def _answer(self, peer: KeyId, epoch: int, chunk: mesh_pb2.Chunk) -> None:
        self._outgoing.direct(Kinds.CHUNK, peer, epoch, chunk.SerializeToString())
