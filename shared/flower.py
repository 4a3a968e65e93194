"""The only place that touches Flower names which are not public API.

`tests/unit/test_flower.py` fails in words when an upgrade of Flower moves one of them. Everything else in
FedLoom uses `flwr.app`, `flwr.clientapp`, `flwr.serverapp` and `flwr.serverapp.strategy`, which are public.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections import OrderedDict
from io import BytesIO
from pathlib import Path

from flwr.app import Array, ArrayRecord, Error, Message, RecordDict
from flwr.common.config import flatten_dict
from flwr.common.constant import ErrorCode
from flwr.common.serde import message_from_proto, recorddict_to_proto
from flwr.common.serde_utils import error_to_proto, metadata_to_proto
from flwr.proto.message_pb2 import Message as MessageProto
from flwr.supercore.run import Run as FlowerRun
from flwr.supercore.run import RunNotRunningException
from flwr.supercore.task_identity import TaskIdentity
from google.protobuf.message import DecodeError

from shared.errors import RunStopped, WireError
from shared.payload import Payload, Serialised, as_number
from shared.results import records_of
from shared.text import printable

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


MAX_ENTRIES = 500_000
"""Records of a message, and arrays, metrics and settings in them: a million of these take some fifteen
seconds to read, however few bytes they are."""


def node_id_of(client_id: str) -> int:
    """A client's address on Flower's grid: 63 bits of the SHA-256 of its id, never the server's own."""
    digest = hashlib.sha256(client_id.encode()).digest()
    return max(int.from_bytes(digest[:8], "big") >> 1, SERVER_NODE_ID + 1)


def encode(message: Message) -> Serialised:
    """A message as it travels over the link."""
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
    """A message's content, to follow its envelope. Its arrays' data are not copied."""
    arrays: list[bytes] = []
    skeleton = RecordDict(
        {
            key: _numbered(record, arrays) if isinstance(record, ArrayRecord) else record
            for key, record in content.items()
        }
    )
    proto = MessageProto(content=recorddict_to_proto(skeleton))
    return Serialised(proto.SerializeToString(), tuple(arrays))


def _numbered(record: ArrayRecord, arrays: list[bytes]) -> ArrayRecord:
    """The record with numbers in place of its arrays' data, which are appended to `arrays`."""
    numbered = OrderedDict[str, Array]()
    for name, array in record.items():
        numbered[name] = _with_data(array, as_number(len(arrays)))
        arrays.append(array.data)
    return ArrayRecord(numbered)


def decode(payload: Payload) -> Message:
    """A message from what `encode` made; raises `WireError` when it is none.

    The arrays' data are copied once, from the payload into the message.
    """
    try:
        proto = MessageProto.FromString(payload.skeleton())
        _require_few_entries(proto)
        message = message_from_proto(proto)
    except (DecodeError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WireError(f"The payload is not a Flower message: {error}") from error
    records = records_of(message.content, ArrayRecord).values() if message.has_content() else ()
    places = [(record, name, array) for record in records for name, array in record.items()]
    if len(places) != len(payload.array_bytes):
        raise WireError(
            f"The payload has the data of {len(payload.array_bytes)} arrays for a message with {len(places)}."
        )
    for number, ((record, name, array), data) in enumerate(zip(places, payload.arrays(), strict=True)):
        if array.data != as_number(number):
            raise WireError(f"Array {number} of the message has something else in place of that number.")
        record[name] = _with_data(array, data)
    return message


def _require_few_entries(proto: MessageProto) -> None:
    """Raise WireError for more entries than MAX_ENTRIES; counting them costs next to nothing."""
    records = proto.content.items
    entries = len(records)
    if entries <= MAX_ENTRIES:
        for record in records:
            kind = record.WhichOneof("value")
            entries += len(getattr(record, kind).items) if kind is not None else 0
    if entries > MAX_ENTRIES:
        raise WireError(
            f"The payload has {entries:,} records, arrays, metrics and settings, "
            f"more than the {MAX_ENTRIES:,} that are taken."
        )


def _with_data(array: Array, data: bytes) -> Array:
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
    return Message(
        Error(code=ErrorCode.CLIENT_APP_RAISED_EXCEPTION, reason=printable(reason)), reply_to=message
    )


def client_unavailable(message: Message, reason: str) -> Message:
    """The reply that stands for a client that went away before it answered."""
    error = Error(code=ErrorCode.NODE_UNAVAILABLE, reason=printable(reason))
    return Message(error, reply_to=message)


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
