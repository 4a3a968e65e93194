"""How a serialised message travels over the link: cut into chunks, and put together on arrival.

The schema is `shared/proto/link.proto`. A message is sent as numbered chunks of which the first tells the
total, and how much of it each array has, so that a receiver can refuse a message that is too large before it
holds it, and notices a gap at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import NamedTuple

from shared.app_host.serialised import Serialised
from shared.buffers import Buffer, MemoryBuffer
from shared.errors import NoRoom, WireError
from shared.hashing import ArrivingDigests
from shared.payload import Payload, objection, places, require_size
from shared.pieces import BYTES, Piece
from shared.proto.link_pb2 import Chunk, ClientFrame
from shared.security.digest import Digests
from shared.wire import CHUNK_BYTES, MAX_MESSAGE_BYTES

MAX_ID = 255
"""Characters of a message's id."""

_NO_FIRST = "A message has a gap: a chunk came without the first of its message."


def reply_frames(message_id: str, reply: Serialised) -> Iterator[bytes]:
    """A client's reply as serialised frames. Raises WireError if it is too large for the link."""
    data, rest = reply.skeleton[:CHUNK_BYTES], reply.skeleton[CHUNK_BYTES:]
    first = opening(message_id, data, len(reply.skeleton), reply.array_bytes)
    yield ClientFrame(reply=first).SerializeToString()
    yield from following([rest, *reply.arrays], ClientFrame.REPLY_FIELD_NUMBER)


def opening(
    message_id: str, data: bytes, skeleton_bytes: int, array_bytes: Sequence[int], cohort: int = 0
) -> Chunk:
    """The first chunk of a message, with the first bytes of its skeleton.

    `cohort`: of one to a client, how many are asked the same; 0: not known. Raises WireError if the message
    is too large for the link.
    """
    require_size(skeleton_bytes, array_bytes)
    total_bytes = skeleton_bytes + sum(array_bytes)
    return Chunk(
        message_id=message_id,
        total_bytes=total_bytes,
        array_bytes=array_bytes,
        data=data,
        cohort=cohort,
    )


def following(parts: Sequence[bytes], frame_field: int) -> Iterator[bytes]:
    """The concatenation of `parts` as serialised frames with the chunks that follow the first of a message.

    `frame_field` is the number of the field in a frame that holds them. They do not name their message. They
    are written here, as https://protobuf.dev/programming-guides/encoding has it, and not by protobuf, so that
    their bytes are copied once.
    """
    for index, piece in enumerate(cut(parts, CHUNK_BYTES), start=1):
        size = sum(map(len, piece))
        begun = _varint(Chunk.INDEX_FIELD_NUMBER << 3) + _varint(index) + _head(Chunk.DATA_FIELD_NUMBER, size)
        yield b"".join([_head(frame_field, len(begun) + size), begun, *piece])


def cut(parts: Sequence[bytes], size: int) -> Iterator[list[memoryview]]:
    """The concatenation of `parts` in pieces of `size` bytes, the last smaller, each as views that follow."""
    piece: list[memoryview] = []
    room = size
    for part in parts:
        view = memoryview(part)
        while view:
            piece.append(view[:room])
            room -= len(piece[-1])
            view = view[len(piece[-1]) :]
            if not room:
                yield piece
                piece, room = [], size
    if piece:
        yield piece


def _head(field: int, length: int) -> bytes:
    """What stands before the `length` bytes of a field."""
    return _varint(field << 3 | BYTES) + _varint(length)


def _varint(number: int) -> bytes:
    """A number from 0 up."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class Whole(NamedTuple):
    """A message whose last chunk has come."""

    message_id: str
    payload: Payload | None
    """None: it was not kept, since nobody awaits it."""
    digests: Future[Digests]
    """Of what was kept; known soon."""


class Assembler:
    """Puts the chunks of one direction of a link together. Raises `WireError` if one does not fit.

    `awaited` tells, by its id, whether a message is wanted (any more); the chunks of one that is not are
    counted but not kept. `buffer` makes, for so many bytes, a place for those of one that is; `threads` hash
    them meanwhile (None: this one does). Whoever takes a whole message out releases it; what is not taken
    out, `drop` and `close` release.
    """

    def __init__(
        self,
        awaited: Callable[[str], bool] = lambda _: True,
        buffer: Callable[[int], Buffer] = lambda _: MemoryBuffer(),
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        threads: Executor | None = None,
    ) -> None:
        self._awaited = awaited
        self._make_buffer = buffer
        self._max = max_message_bytes
        self._threads = threads
        self._message_id: str | None = None
        self._total = 0
        self._array_bytes: tuple[int, ...] = ()
        self._received = 0
        self._next = 0
        self._buffer: Buffer | None = None
        self._digests = ArrivingDigests(0, 0, None)

    def add(self, chunk: Chunk | Piece) -> Whole | None:
        """Take one chunk; returns the whole message when it was the last of one.

        Raises NoRoom when a message cannot be kept; the rest of it is counted and dropped.
        """
        if isinstance(chunk, Chunk):
            self._look_at(chunk)
        elif self._message_id is None:
            raise WireError(_NO_FIRST)
        assert self._message_id is not None
        if chunk.index != self._next:
            raise WireError(
                f"Message {self._message_id!r} has a gap: "
                f"chunk {chunk.index} came where {self._next} was due."
            )
        data = chunk.data  # once: protobuf makes another copy each time
        self._next += 1
        self._received += len(data)
        if self._received > self._total or (self._total and not data):
            raise WireError(
                f"Message {self._message_id!r} does not have the {self._total} bytes it announced."
            )
        message_id = self._message_id
        self._keep(message_id, data)
        if self._received < self._total:
            return None
        buffer, self._buffer, self._message_id = self._buffer, None, None
        payload = None if buffer is None else Payload(buffer, self._array_bytes)
        return Whole(message_id, payload, self._digests.finish())

    def behind(self) -> Future[None] | None:
        """When to take the next chunk, if so much has come that it is better to wait; else None."""
        return self._digests.behind()

    def drop(self, message_id: str) -> None:
        """Let go of what has come of a message; the rest of it is counted and dropped."""
        if message_id == self._message_id:
            self.close()

    def close(self) -> None:
        """Nothing more comes."""
        if self._buffer is not None:
            self._buffer.release()
            self._buffer = None
            self._digests.abandon()

    def _keep(self, message_id: str, data: bytes | memoryview) -> None:
        """Keep the bytes of a chunk that fits, if its message is (still) wanted."""
        if not self._awaited(message_id):
            self.close()
            return
        try:
            if self._next == 1:
                self._buffer = self._make_buffer(self._total)
                self._buffer.expect(places(self._total, self._array_bytes))
            if self._buffer is not None:
                self._buffer.add(data)
                self._digests.add(data)
        except OSError as error:
            self.close()
            is_whole = self._received == self._total
            if is_whole:
                self._message_id = None
            raise NoRoom(message_id, error, is_whole=is_whole) from error

    def _look_at(self, chunk: Chunk) -> None:
        """What a chunk says beside its index and data, which is all that one after the first may say."""
        if len(chunk.message_id) > MAX_ID:
            raise WireError(f"A message has an id of {len(chunk.message_id):,} characters.")
        if self._message_id is None:
            self._begin(chunk)
        elif chunk.message_id:
            raise WireError(f"Message {chunk.message_id!r} began inside message {self._message_id!r}.")
        elif chunk.total_bytes or chunk.array_bytes:
            raise WireError(f"Message {self._message_id!r} announced its bytes twice.")

    def _begin(self, chunk: Chunk) -> None:
        if not chunk.message_id:
            raise WireError(_NO_FIRST)
        if (reason := objection(chunk.total_bytes, chunk.array_bytes, self._max)) is not None:
            raise WireError(f"Message {chunk.message_id!r} {reason}.")
        self._message_id, self._total = chunk.message_id, chunk.total_bytes
        self._array_bytes = tuple(chunk.array_bytes)
        self._received = self._next = 0
        skeleton_bytes = self._total - sum(self._array_bytes)
        self._digests = ArrivingDigests(skeleton_bytes, self._total, self._threads)
