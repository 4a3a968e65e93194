"""With `shared.app_host`, the only place that touches Flower names which are not public API.

`tests/unit/test_flower.py` fails in words when an upgrade of Flower moves one of them. Everything else in
FedLoom uses `flwr.app`, `flwr.clientapp`, `flwr.serverapp` and `flwr.serverapp.strategy`, which are public.
"""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from flwr.app import Error, Message, Metadata
from flwr.app.message import make_message
from flwr.common.config import flatten_dict
from flwr.common.constant import ErrorCode
from flwr.supercore.constant import APP_PUBLISH_INCLUDE_PATTERNS
from flwr.supercore.run import Run as FlowerRun
from flwr.supercore.task_identity import TaskIdentity

from shared.app_host import codec
from shared.app_host.codec import ArrayPlace, CodecError, encode, encode_content, encode_envelope
from shared.errors import WireError
from shared.names import BUDGET_RULE
from shared.payload import Payload
from shared.secagg.refusal import Rule
from shared.text import printable

__all__ = [
    "BUNDLED_ENDINGS",
    "SERVER_NODE_ID",
    "FlowerRun",
    "bundle",
    "bundled",
    "client_declined",
    "client_failed",
    "client_unavailable",
    "copied_to",
    "decode",
    "decode_envelope",
    "decode_unopened",
    "empty_run",
    "encode",
    "encode_content",
    "encode_envelope",
    "flatten_dict",
    "identify_server_task",
    "is_budget_spent",
    "is_declined",
    "is_sum_opened",
    "is_unavailable",
    "message_expired",
    "node_id_of",
    "set_message_id",
]

SERVER_NODE_ID = 1
"""Flower's convention for the ServerApp's own address on the grid."""

_DECLINED = 1_000
_BUDGET_SPENT = 1_001
_SUM_OPENED = 1_002
"""FedLoom's own codes of an error, beyond those that Flower has."""

_CODES: Mapping[str, int] = MappingProxyType({BUDGET_RULE: _BUDGET_SPENT, Rule.TWICE: _SUM_OPENED})
"""Of what a client has declined by; by any other rule it is _DECLINED."""


BUNDLED_ENDINGS = tuple(pattern.rpartition("/")[2].lstrip("*") for pattern in APP_PUBLISH_INCLUDE_PATTERNS)
"""How the name of every file ends that Flower may put into a bundle."""


def node_id_of(client_id: str) -> int:
    """A client's address on Flower's grid: 63 bits of the SHA-256 of its id, never the server's own."""
    digest = hashlib.sha256(client_id.encode()).digest()
    return max(int.from_bytes(digest[:8], "big") >> 1, SERVER_NODE_ID + 1)


def decode(payload: Payload) -> Message:
    """A message from what `encode` made; raises `WireError` when it is none.

    The arrays' data are copied once, from the payload into the message.
    """
    try:
        return codec.decode(payload.skeleton(), list(payload.arrays()))
    except CodecError as error:
        raise WireError(str(error)) from error


def decode_unopened(payload: Payload) -> tuple[Message, list[ArrayPlace]]:
    """A message with its arrays left out of their records, and what they are; raises `WireError` when it is
    none. Whoever is given the payload's skeleton and arrays can `decode` them."""
    try:
        return codec.decode_unopened(payload.skeleton(), len(payload.array_bytes))
    except CodecError as error:
        raise WireError(str(error)) from error


def decode_envelope(payload: Payload) -> Message:
    """A message without its content; raises `WireError` when it is none."""
    try:
        return codec.decode_envelope(payload.skeleton())
    except CodecError as error:
        raise WireError(str(error)) from error


def set_message_id(message: Message, message_id: str) -> None:
    """Give a message the id by which its reply will name it. Flower leaves this to the transport."""
    message.metadata.__dict__["_message_id"] = message_id


def copied_to(message: Message, run_id: int, node_id: int) -> Message:
    """A message of one grid as a new one for a node of another grid, with the same content."""
    sent = message.metadata
    metadata = Metadata(
        run_id=run_id,
        message_id="",
        src_node_id=SERVER_NODE_ID,
        dst_node_id=node_id,
        reply_to_message_id="",
        group_id=sent.group_id,
        created_at=time.time(),
        ttl=sent.ttl,
        message_type=sent.message_type,
    )
    return make_message(metadata, content=message.content)


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
    return Message(
        Error(code=ErrorCode.CLIENT_APP_RAISED_EXCEPTION, reason=printable(reason)), reply_to=message
    )


def client_unavailable(message: Message, reason: str) -> Message:
    """The reply that stands for a client that went away before it answered."""
    error = Error(code=ErrorCode.NODE_UNAVAILABLE, reason=printable(reason))
    return Message(error, reply_to=message)


def client_declined(message: Message, reason: str, rule: str = "") -> Message:
    """The reply that stands for a client whose site takes no part, by a rule that the reason names."""
    code = _CODES.get(rule, _DECLINED)
    return Message(Error(code=code, reason=printable(reason)), reply_to=message)


def is_declined(reply: Message) -> bool:
    """Whether a reply was made by `client_declined`."""
    return reply.has_error() and reply.error.code in (_DECLINED, *_CODES.values())


def is_budget_spent(reply: Message) -> bool:
    """Whether a site has declined because its privacy budget is spent."""
    return reply.has_error() and reply.error.code == _BUDGET_SPENT


def is_sum_opened(reply: Message) -> bool:
    """Whether a client has declined because it has helped to open a sum with other clients before."""
    return reply.has_error() and reply.error.code == _SUM_OPENED


def message_expired(message: Message) -> Message:
    """The reply that stands for one that did not come in its message's time to live."""
    reason = f"No reply came in the message's time to live of {message.metadata.ttl:g} s."
    return Message(Error(code=ErrorCode.MESSAGE_UNAVAILABLE, reason=reason), reply_to=message)


def is_unavailable(reply: Message) -> bool:
    """Whether a reply was made by `client_unavailable`."""
    return reply.has_error() and reply.error.code == ErrorCode.NODE_UNAVAILABLE


def bundle(files: Mapping[str, Path]) -> bytes:
    """Flower's bundle (FAB, a zip file) of an app, from the files in its folder by path (with slashes).

    As `flwr build` has it: what .gitignore, fab-include and fab-exclude say counts; pyproject.toml is written
    anew, without the federations. Raises ValueError, in Flower's words, when it would build no bundle.
    """
    from flwr.cli.build import build_fab_from_files  # only now: it brings Flower's whole command line

    fab, _ = build_fab_from_files(dict(files))
    return fab


def bundled(fab: bytes) -> dict[str, bytes]:
    """The app's files in a bundle, by path."""
    with zipfile.ZipFile(BytesIO(fab)) as archive:
        return {path: archive.read(path) for path in archive.namelist() if path != ".info/CONTENT"}
