"""The only place that touches Flower names which are not public API.

`tests/unit/test_flower.py` fails in words when an upgrade of Flower moves one of them. Everything else in
FedLoom uses `flwr.app`, `flwr.clientapp`, `flwr.serverapp` and `flwr.serverapp.strategy`, which are public.
"""

from __future__ import annotations

import hashlib

from flwr.app import ArrayRecord, Error, Message, MetricRecord, RecordDict
from flwr.common.constant import ErrorCode
from flwr.common.serde import config_record_to_proto, message_from_proto, metric_record_to_proto
from flwr.common.serde_utils import error_to_proto, metadata_to_proto
from flwr.proto.message_pb2 import Message as MessageProto
from flwr.supercore.run import Run as FlowerRun
from flwr.supercore.task_identity import TaskIdentity
from google.protobuf.message import DecodeError

from shared.errors import WireError

__all__ = [
    "SERVER_NODE_ID",
    "FlowerRun",
    "client_failed",
    "client_unavailable",
    "decode",
    "empty_run",
    "encode",
    "encode_content",
    "encode_envelope",
    "identify_server_task",
    "is_unavailable",
    "node_id_of",
    "set_message_id",
]

SERVER_NODE_ID = 1
"""Flower's convention for the ServerApp's own address on the grid."""


def node_id_of(client_id: str) -> int:
    """A client's address on Flower's grid: 63 bits of the SHA-256 of its id, never the server's own."""
    digest = hashlib.sha256(client_id.encode()).digest()
    return max(int.from_bytes(digest[:8], "big") >> 1, SERVER_NODE_ID + 1)


def encode(message: Message) -> tuple[bytes, ...]:
    """A message as bytes of Flower's own protobuf, in parts that follow each other."""
    envelope = encode_envelope(message)
    return (envelope, encode_content(message.content)) if message.has_content() else (envelope,)


def encode_envelope(message: Message) -> bytes:
    """A message's metadata and error, all but its content.

    Protobuf merges concatenated messages, so that envelope and content, serialised apart, are one valid
    message, and messages with the same content can share its bytes.
    """
    proto = MessageProto(metadata=metadata_to_proto(message.metadata))
    if message.has_error():
        proto.error.CopyFrom(error_to_proto(message.error))
    return bytes(proto.SerializeToString())


def encode_content(content: RecordDict) -> bytes:
    """A message's content as bytes that follow its envelope.

    The same bytes as Flower's `recorddict_to_proto` gives, which copies every array six times on the way,
    once for each level of nesting; filled in place, they are copied twice.
    """
    proto = MessageProto()
    proto.content.SetInParent()
    for key, record in content.items():
        item = proto.content.items.add(key=key)
        if isinstance(record, ArrayRecord):
            item.array_record.SetInParent()
            for name, array in record.items():
                value = item.array_record.items.add(key=name).value
                value.dtype, value.stype, value.data = array.dtype, array.stype, array.data
                value.shape.extend(array.shape)
        elif isinstance(record, MetricRecord):
            item.metric_record.CopyFrom(metric_record_to_proto(record))
        else:
            item.config_record.CopyFrom(config_record_to_proto(record))
    return bytes(proto.SerializeToString())


def decode(payload: bytes) -> Message:
    """A message from bytes made by `encode`; raises `WireError` when they are not one."""
    try:
        return message_from_proto(MessageProto.FromString(payload))
    except (DecodeError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WireError(f"The payload is not a Flower message: {error}") from error


def set_message_id(message: Message, message_id: str) -> None:
    """Give a message the id by which its reply will name it. Flower leaves this to the transport."""
    message.metadata.__dict__["_message_id"] = message_id


def identify_server_task(run_id: int) -> None:
    """Let `Message(...)` in a ServerApp know its run. Process-wide in Flower, hence one run at a time."""
    TaskIdentity.run_id = run_id
    TaskIdentity.node_id = SERVER_NODE_ID
    TaskIdentity.task_id = run_id


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
