"""How many parts a serialised message has, counted before it is read.

Read, a part takes up to some hundred bytes of memory, however few it is written in. So a message of a few
megabytes could take gigabytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flwr.proto.message_pb2 import Message as MessageProto
from google.protobuf.descriptor import Descriptor, FieldDescriptor

MAX_PARTS = 1_500_000
"""Of one message: its fields, and the elements of its lists of numbers. An array is described by some ten."""

UNCOUNTED_BYTES = 1 << 20
"""A smaller message cannot become large."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Protobuf's kinds of fields: https://protobuf.dev/programming-guides/encoding"""

_WIDTH = {
    FieldDescriptor.TYPE_DOUBLE: 8,
    FieldDescriptor.TYPE_FIXED64: 8,
    FieldDescriptor.TYPE_SFIXED64: 8,
    FieldDescriptor.TYPE_FLOAT: 4,
    FieldDescriptor.TYPE_FIXED32: 4,
    FieldDescriptor.TYPE_SFIXED32: 4,
}
_OPAQUE = {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}
_CONTINUED = bytes(range(0x80, 0x100))
"""Bytes of a varint that are not its last."""


class TooManyParts(ValueError):
    """A message has more parts than are taken."""


@dataclass(frozen=True)
class _Kind:
    """What is in a message of some kind: by the numbers of its fields, those that hold more than one part."""

    messages: dict[int, _Kind] = field(default_factory=dict)
    packed: dict[int, int] = field(default_factory=dict)
    """Lists of numbers: the bytes of an element; 0: that differs."""


def _kind_of(descriptor: Descriptor) -> _Kind:
    kind = _Kind()
    for known in descriptor.fields:
        if known.message_type is not None:
            kind.messages[known.number] = _kind_of(known.message_type)
        elif known.is_repeated and known.type not in _OPAQUE:
            kind.packed[known.number] = _WIDTH.get(known.type, 0)
    return kind


_MESSAGE = _kind_of(MessageProto.DESCRIPTOR)


def require_few_parts(message: bytes, most: int = MAX_PARTS) -> None:
    """Raise TooManyParts for a serialised message with more parts, and ValueError for what is none."""
    if len(message) <= UNCOUNTED_BYTES:
        return
    count, place = 0, 0
    above: list[tuple[int, _Kind]] = []
    end, kind = len(message), _MESSAGE
    while place < end or above:
        if place == end:
            end, kind = above.pop()
            continue
        count += 1
        tag, place = _varint(message, place)
        match tag & 7:
            case 0:
                _, place = _varint(message, place)
            case 1:
                place += 8
            case 5:
                place += 4
            case 2:
                length, place = _varint(message, place)
                number = tag >> 3
                if number in kind.messages and place + length <= end:
                    above.append((end, kind))
                    end, kind = place + length, kind.messages[number]
                else:
                    count += _elements(message[place : place + length], kind.packed.get(number))
                    place += length
            case _:
                raise ValueError("it has a group, which Flower's messages do not have")
        if place > end:
            raise ValueError("a field of it ends after what it is in")
        if count > most:
            raise TooManyParts(f"The payload has more than the {most:,} parts that are taken.")


def _elements(packed: bytes, width: int | None) -> int:
    """Of a list of numbers; None: it is none."""
    if width is None:
        return 0
    return len(packed) // width if width else len(packed.translate(None, _CONTINUED))


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("it ends in the middle of a number")
