"""The chunks of which a message mostly consists, read where they lie in their frames.

Protobuf copies what it reads, twice, and a model is hundreds of such chunks. What is not written exactly as
`shared.chunks.following` does it, protobuf reads, and so says what is wrong with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.proto.link_pb2 import Chunk, ClientFrame, ServerFrame

BYTES = 2
"""Protobuf's kind of a field of bytes, text or a message."""

_INDEX = Chunk.INDEX_FIELD_NUMBER << 3
_DATA = Chunk.DATA_FIELD_NUMBER << 3 | BYTES
_REPLY = ClientFrame.REPLY_FIELD_NUMBER << 3 | BYTES
_TASK = ServerFrame.TASK_FIELD_NUMBER << 3 | BYTES
_MAX_INDEX = 2**32 - 1
_MAX_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk that is not the first of its message."""

    index: int
    data: memoryview


def read_client_frame(frame: bytes) -> ClientFrame | Piece:
    """A frame as it came from a client. Raises DecodeError for what is none."""
    return _piece(frame, _REPLY) or ClientFrame.FromString(frame)


def read_server_frame(frame: bytes) -> ServerFrame | Piece:
    """A frame as it came from a server. Raises DecodeError for what is none."""
    return _piece(frame, _TASK) or ServerFrame.FromString(frame)


def _piece(frame: bytes, field: int) -> Piece | None:
    """The chunk in a frame that has nothing else: its index, and then its data. None: it is another frame."""
    try:
        if frame[0] != field:
            return None
        length, begins = _number(frame, 1)
        if frame[begins] != _INDEX or length != len(frame) - begins:
            return None
        index, ends = _number(frame, begins + 1)
        if frame[ends] != _DATA or index > _MAX_INDEX:
            return None
        length, begins = _number(frame, ends + 1)
    except IndexError:
        return None
    return Piece(index, memoryview(frame)[begins:]) if length == len(frame) - begins else None


def _number(frame: bytes, start: int) -> tuple[int, int]:
    """A number in protobuf's way, of at most five digits, and where it ends. Raises IndexError for others."""
    number = 0
    for place in range(_MAX_DIGITS):
        digit = frame[start + place]
        number |= (digit & 0x7F) << 7 * place
        if digit < 0x80:
            return number, start + place + 1
    raise IndexError(start)
