"""The only place that touches Flower names which are not public API.

`tests/unit/test_flower.py` fails in words when an upgrade of Flower moves one of them. Everything else in
FedLoom uses `flwr.app`, `flwr.clientapp`, `flwr.serverapp` and `flwr.serverapp.strategy`, which are public.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path

from flwr.app import Array, ArrayRecord, Error, Message, MetricRecord, RecordDict
from flwr.common.config import flatten_dict
from flwr.common.constant import ErrorCode
from flwr.common.serde import config_record_to_proto, message_from_proto, metric_record_to_proto
from flwr.common.serde_utils import error_to_proto, metadata_to_proto
from flwr.proto.message_pb2 import Message as MessageProto
from flwr.proto.recorddict_pb2 import Array as ArrayProto
from flwr.proto.recorddict_pb2 import ArrayRecord as ArrayRecordProto
from flwr.proto.recorddict_pb2 import RecordDict as RecordDictProto
from flwr.supercore.run import Run as FlowerRun
from flwr.supercore.run import RunNotRunningException
from flwr.supercore.task_identity import TaskIdentity
from google.protobuf.message import DecodeError

from shared.errors import RunStopped, WireError
from shared.protowire import InMemory, Source, head, take_out
from shared.results import records_of

__all__ = [
    "SERVER_NODE_ID",
    "FlowerRun",
    "bundle",
    "client_failed",
    "client_unavailable",
    "decode",
    "empty_run",
    "encode",
    "encode_content",
    "encode_envelope",
    "flatten_dict",
    "identify_server_task",
    "is_unavailable",
    "node_id_of",
    "run_stopped",
    "set_message_id",
]

SERVER_NODE_ID = 1
"""Flower's convention for the ServerApp's own address on the grid."""


SMALL = 4_096
"""Bytes: parts of a serialised message that are smaller are joined."""

_TO_ARRAY_DATA = (
    MessageProto.CONTENT_FIELD_NUMBER,
    RecordDictProto.ITEMS_FIELD_NUMBER,
    RecordDictProto.Item.ARRAY_RECORD_FIELD_NUMBER,
    ArrayRecordProto.ITEMS_FIELD_NUMBER,
    ArrayRecordProto.Item.VALUE_FIELD_NUMBER,
    ArrayProto.DATA_FIELD_NUMBER,
)
"""Where in a message the bytes of its arrays are."""


def node_id_of(client_id: str) -> int:
    """A client's address on Flower's grid: 63 bits of the SHA-256 of its id, never the server's own."""
    digest = hashlib.sha256(client_id.encode()).digest()
    return max(int.from_bytes(digest[:8], "big") >> 1, SERVER_NODE_ID + 1)


def encode(message: Message) -> tuple[bytes, ...]:
    """A message as bytes of Flower's own protobuf, in parts that follow each other."""
    envelope = encode_envelope(message)
    return (envelope, *encode_content(message.content)) if message.has_content() else (envelope,)


def encode_envelope(message: Message) -> bytes:
    """A message's metadata and error, all but its content.

    Protobuf merges concatenated messages, so that envelope and content, serialised apart, are one valid
    message, and messages with the same content can share its bytes.
    """
    proto = MessageProto(metadata=metadata_to_proto(message.metadata))
    if message.has_error():
        proto.error.CopyFrom(error_to_proto(message.error))
    return bytes(proto.SerializeToString())


def encode_content(content: RecordDict) -> tuple[bytes, ...]:
    """A message's content as bytes that follow its envelope, in parts that follow each other.

    The same bytes as Flower's `recorddict_to_proto` gives, which copies every array six times on the way,
    once for each level of nesting. Here an array's own bytes are a part, and are not copied at all.
    """
    parts: list[bytes] = []
    for key, record in content.items():
        if isinstance(record, ArrayRecord):
            inside = _encode_arrays(record)
            opening = RecordDictProto.Item(key=key).SerializeToString() + head(
                RecordDictProto.Item.ARRAY_RECORD_FIELD_NUMBER, _total(inside)
            )
            item = [opening, *inside]
        elif isinstance(record, MetricRecord):
            proto = RecordDictProto.Item(key=key, metric_record=metric_record_to_proto(record))
            item = [proto.SerializeToString()]
        else:
            proto = RecordDictProto.Item(key=key, config_record=config_record_to_proto(record))
            item = [proto.SerializeToString()]
        parts += [head(RecordDictProto.ITEMS_FIELD_NUMBER, _total(item)), *item]
    return tuple(_merged([head(MessageProto.CONTENT_FIELD_NUMBER, _total(parts)), *parts]))


def _encode_arrays(record: ArrayRecord) -> list[bytes]:
    """An ArrayRecord's protobuf, in parts."""
    parts: list[bytes] = []
    for name, array in record.items():
        opening = ArrayProto(dtype=array.dtype, shape=array.shape, stype=array.stype).SerializeToString()
        opening += head(ArrayProto.DATA_FIELD_NUMBER, len(array.data))
        value = head(ArrayRecordProto.Item.VALUE_FIELD_NUMBER, len(opening) + len(array.data))
        item = ArrayRecordProto.Item(key=name).SerializeToString() + value + opening
        parts += [head(ArrayRecordProto.ITEMS_FIELD_NUMBER, len(item) + len(array.data)) + item, array.data]
    return parts


def _total(parts: Iterable[bytes]) -> int:
    return sum(map(len, parts))


def _merged(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The parts, with neighbours that are small joined."""
    small = b""
    for part in parts:
        if len(part) < SMALL:
            small += part
            continue
        if small:
            yield small
            small = b""
        yield part
    if small:
        yield small


def decode(payload: bytes | Source) -> Message:
    """A message from bytes made by `encode`; raises `WireError` when they are not one.

    The arrays' own bytes are copied once, from the payload into the message.
    """
    source = InMemory(payload) if isinstance(payload, bytes) else payload
    try:
        rest, blobs = take_out(source, _TO_ARRAY_DATA)
        message = message_from_proto(MessageProto.FromString(rest))
        if message.has_content():
            for record in records_of(message.content, ArrayRecord).values():
                for name, array in list(record.items()):
                    record[name] = _with_data(array, blobs)
        return message
    except (DecodeError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WireError(f"The payload is not a Flower message: {error}") from error


def _with_data(array: Array, blobs: Sequence[bytes]) -> Array:
    """An array whose data is the number of its bytes, with these in place. Without any it has no number."""
    data = blobs[int(array.data)] if array.data else b""
    return Array(dtype=array.dtype, shape=array.shape, stype=array.stype, data=data)


def set_message_id(message: Message, message_id: str) -> None:
    """Give a message the id by which its reply will name it. Flower leaves this to the transport."""
    message.metadata.__dict__["_message_id"] = message_id


def identify_server_task(run_id: int) -> None:
    """Let `Message(...)` in a ServerApp know its run. Process-wide in Flower, hence one run at a time."""
    TaskIdentity.run_id = run_id
    TaskIdentity.node_id = SERVER_NODE_ID
    TaskIdentity.task_id = run_id


class _RunStopped(RunStopped, RunNotRunningException):
    """One of its bases is what Flower's own threads, in an app of the older style, end at quietly."""


def run_stopped(reason: str) -> RunStopped:
    """The RunStopped that a grid raises."""
    return _RunStopped(reason)


def empty_run(run_id: int) -> FlowerRun:
    """Flower's description of a run, as a Grid must offer it."""
    return FlowerRun.create_empty(run_id)


def client_failed(message: Message, reason: str) -> Message:
    """The reply that says: the ClientApp raised an exception."""
    return Message(Error(code=ErrorCode.CLIENT_APP_RAISED_EXCEPTION, reason=reason), reply_to=message)


def client_unavailable(message: Message, reason: str) -> Message:
    """The reply that stands for a client that went away before it answered."""
    return Message(Error(code=ErrorCode.NODE_UNAVAILABLE, reason=reason), reply_to=message)


def is_unavailable(reply: Message) -> bool:
    """Whether a reply was made by `client_unavailable`."""
    return reply.has_error() and reply.error.code == ErrorCode.NODE_UNAVAILABLE


def bundle(folder: Path) -> dict[str, bytes]:
    """The files that Flower would put into its bundle of the app in a folder, by path (with slashes).

    As `flwr build` has it: what .gitignore, fab-include and fab-exclude say counts; pyproject.toml is written
    anew, without the federations. Raises ValueError, in Flower's words, when it would build no bundle.
    """
    from flwr.cli.build import build_fab_from_disk  # only now: it brings Flower's whole command line

    with zipfile.ZipFile(BytesIO(build_fab_from_disk(folder))) as fab:
        return {path: fab.read(path) for path in fab.namelist() if path != ".info/CONTENT"}
