"""Flower messages and records as protobuf with their arrays' data beside it, and back; no data is copied.

Protobuf copies a bytes field on every level of nesting, so it never gets the arrays' data in its hands.
`tests/unit/test_flower.py` fails in words when an upgrade of Flower moves a name that is not public.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flwr.app import Array, ArrayRecord, Message, RecordDict
from flwr.common.serde import message_from_proto, recorddict_from_proto, recorddict_to_proto
from flwr.common.serde_utils import error_to_proto, metadata_to_proto
from flwr.proto.message_pb2 import Message as MessageProto
from flwr.proto.recorddict_pb2 import Array as ArrayProto
from flwr.proto.recorddict_pb2 import RecordDict as RecordDictProto
from google.protobuf.message import DecodeError

from .parts import require_few_parts
from .serialised import Serialised, as_number

MAX_ENTRIES = 500_000
"""Records of a message, and arrays, metrics and settings in them: a million of these take some fifteen
seconds to read, however few bytes they are."""


_NO_MESSAGE = (DecodeError, ValueError, TypeError, KeyError, AttributeError)
"""What protobuf and Flower raise for bytes that are none of their messages."""


class CodecError(ValueError):
    """What came is not what was said to come; says so in words."""


class ArrayPlace(NamedTuple):
    """What a message says of an array, but for its data."""

    record: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    stype: str


def encode(message: Message) -> Serialised:
    """A whole message."""
    envelope = encode_envelope(message)
    if not message.has_content():
        return Serialised(envelope)
    content = encode_content(message.content)
    return Serialised(envelope + content.skeleton, content.arrays)


def encode_envelope(message: Message) -> bytes:
    """A message's metadata and error, all but its content.

    Protobuf merges concatenated messages, so that envelope and content, serialised apart, are one valid
    message, and messages with the same content can share its bytes.
    """
    proto = MessageProto(metadata=metadata_to_proto(message.metadata))
    if message.has_error():
        proto.error.CopyFrom(error_to_proto(message.error))
    return bytes(proto.SerializeToString())


def encode_content(content: RecordDict) -> Serialised:
    """A message's content, to follow its envelope."""
    skeleton, arrays = _without_data(content)
    return Serialised(MessageProto(content=skeleton).SerializeToString(), arrays)


def encode_records(records: RecordDict) -> Serialised:
    """Records by themselves, such as the state of a context."""
    skeleton, arrays = _without_data(records)
    return Serialised(skeleton.SerializeToString(), arrays)


def decode(skeleton: bytes, arrays: Sequence[bytes]) -> Message:
    """A message from what `encode` made. Raises CodecError when it is none."""
    message, places = decode_unopened(skeleton, len(arrays))
    if places:
        _put_in(message.content, places, arrays)
    return message


def decode_unopened(skeleton: bytes, num_arrays: int) -> tuple[Message, list[ArrayPlace]]:
    """A message from what `encode` made, with its arrays left out of their records, and what they were.

    Raises CodecError where `decode` does: whoever is given the same bytes with so many arrays can read them.
    """
    try:
        proto = _parsed(skeleton)
        places = _take_arrays_out(proto.content, num_arrays)
        return message_from_proto(proto), places
    except CodecError:
        raise
    except _NO_MESSAGE as error:
        raise CodecError(f"The payload is not a Flower message: {error}") from error


def decode_envelope(skeleton: bytes) -> Message:
    """A message from what `encode` made, without its content. Raises CodecError when it is none."""
    try:
        proto = _parsed(skeleton)
        proto.content.Clear()
        return message_from_proto(proto)
    except _NO_MESSAGE as error:
        raise CodecError(f"The payload is not a Flower message: {error}") from error


def decode_content_unopened(skeleton: bytes, num_arrays: int) -> RecordDict:
    """What `encode_content` made, with its arrays left out of their records. Raises CodecError for other
    bytes."""
    return _content(skeleton, num_arrays)[0]


def decode_content(skeleton: bytes, arrays: Sequence[bytes]) -> RecordDict:
    """What `encode_content` made. Raises CodecError for other bytes."""
    records, places = _content(skeleton, len(arrays))
    _put_in(records, places, arrays)
    return records


def _content(skeleton: bytes, num_arrays: int) -> tuple[RecordDict, list[ArrayPlace]]:
    try:
        proto = _parsed(skeleton)
    except (DecodeError, ValueError) as error:
        raise CodecError(f"The payload is not the content of a Flower message: {error}") from error
    if [field.name for field, _ in proto.ListFields()] != ["content"]:  # it would go before the envelope's
        raise CodecError("The payload is not the content of a Flower message alone.")
    return _unopened(proto.content, num_arrays)


def decode_records(skeleton: bytes, arrays: Sequence[bytes]) -> RecordDict:
    """Records from what `encode_records` made. Raises CodecError when they are none."""
    try:
        proto = RecordDictProto.FromString(skeleton)
    except DecodeError as error:
        raise CodecError(f"The payload holds no Flower records: {error}") from error
    records, places = _unopened(proto, len(arrays))
    _put_in(records, places, arrays)
    return records


def _parsed(skeleton: bytes) -> MessageProto:
    """Raises DecodeError, and ValueError for a message of too many parts, before it is read."""
    require_few_parts(skeleton)
    return MessageProto.FromString(skeleton)


def _unopened(proto: RecordDictProto, num_arrays: int) -> tuple[RecordDict, list[ArrayPlace]]:
    places = _take_arrays_out(proto, num_arrays)
    try:
        return recorddict_from_proto(proto), places
    except _NO_MESSAGE as error:
        raise CodecError(f"The payload holds no Flower records: {error}") from error


def _without_data(records: RecordDict) -> tuple[RecordDictProto, tuple[bytes, ...]]:
    """The records with numbers in place of their arrays' data, and the data."""
    proto = recorddict_to_proto(
        RecordDict(
            {
                key: ArrayRecord() if isinstance(record, ArrayRecord) else record
                for key, record in records.items()
            }
        )
    )
    arrays: list[bytes] = []
    for item, record in zip(proto.items, records.values(), strict=True):
        if isinstance(record, ArrayRecord):
            for name, array in record.items():
                number = as_number(len(arrays))
                value = ArrayProto(dtype=array.dtype, shape=array.shape, stype=array.stype, data=number)
                item.array_record.items.add(key=name, value=value)
                arrays.append(array.data)
    return proto, tuple(arrays)


def _take_arrays_out(records: RecordDictProto, num_arrays: int) -> list[ArrayPlace]:
    """Remove all arrays from their records. Raises CodecError unless they are so many, and have their numbers
    in place of their data."""
    _require_few_entries(records)
    number = sum(len(item.array_record.items) for item in records.items)
    if number != num_arrays:
        raise CodecError(f"The payload has the data of {num_arrays} arrays for a message with {number}.")
    _require_different("records", (item.key for item in records.items))
    places: list[ArrayPlace] = []
    for item in records.items:
        if item.WhichOneof("value") != "array_record":
            continue
        arrays = item.array_record.items
        _require_different("arrays", (array.key for array in arrays))
        for array in arrays:
            value = array.value
            if value.data != as_number(len(places)):
                raise CodecError(
                    f"Array {len(places)} of the message has something else in place of that number."
                )
            places.append(ArrayPlace(item.key, array.key, value.dtype, tuple(value.shape), value.stype))
        del arrays[:]
    return places


def _put_in(records: RecordDict, places: Iterable[ArrayPlace], arrays: Iterable[bytes]) -> None:
    for place, data in zip(places, arrays, strict=True):
        record = records[place.record]
        assert isinstance(record, ArrayRecord)
        record[place.name] = Array(place.dtype, place.shape, place.stype, data)


def _require_different(what: str, names: Iterable[str]) -> None:
    names = list(names)
    if len(set(names)) < len(names):
        raise CodecError(f"The payload has two {what} of one name.")


def _require_few_entries(records: RecordDictProto) -> None:
    """Raise CodecError for more entries than MAX_ENTRIES; counting them costs next to nothing."""
    entries = len(records.items)
    if entries <= MAX_ENTRIES:
        for record in records.items:
            kind = record.WhichOneof("value")
            entries += len(getattr(record, kind).items) if kind is not None else 0
    if entries > MAX_ENTRIES:
        raise CodecError(
            f"The payload has {entries:,} records, arrays, metrics and settings, "
            f"more than the {MAX_ENTRIES:,} that are taken."
        )
