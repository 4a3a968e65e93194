"""What both ends of the link agree on: its version, limits, gRPC options, and how config values travel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.errors import WireError
from shared.proto.link_pb2 import Value
from shared.text import printable

PROTOCOL_VERSION = 5
LINK_METHOD = "/fedloom.link.v1.Link/Connect"
LINK_SERVICE, LINK_PROCEDURE = LINK_METHOD.lstrip("/").split("/")

CHUNK_BYTES = 1 << 20
"""Bytes of payload in one chunk. What a chunk costs beside its bytes is about as much as 256 KiB of them."""

MAX_MESSAGE_BYTES = 2 << 30
"""A larger message is refused."""

MAX_FRAME_BYTES = 2 * CHUNK_BYTES
"""Of one frame: a first chunk also tells how many bytes each array has."""

MAX_LOG_TEXT = 16_384
"""Characters of a log message, a traceback or an error's reason that travel; the rest is cut off."""

ConfigScalar = bool | int | float | str

CHANNEL_OPTIONS: Sequence[tuple[str, int]] = (
    # A dead network is noticed by HTTP/2 pings, which also flow while nothing is sent and while Python is
    # busy.
    ("grpc.keepalive_time_ms", 4_000),
    ("grpc.keepalive_timeout_ms", 4_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Also of a process that is stopped, whose system still acknowledges what comes.
    ("grpc.http2.ping_timeout_ms", 4_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 2_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 2_000),
    # By which proxy a client goes, FedLoom says (`client/channel.py`), and not what gRPC reads of variables.
    ("grpc.enable_http_proxy", 0),
    # Each connection is a channel of its own, whose tries FedLoom times itself.
    ("grpc.use_local_subchannel_pool", 1),
    # gRPC would widen each connection's window to what it carries, and hold tens of MB for each client whose
    # chunks Python has not read yet. 1 MiB is 20 MB/s over a line of 50 ms.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 1 << 20),
    ("grpc.max_receive_message_length", MAX_FRAME_BYTES),
    ("grpc.max_send_message_length", MAX_FRAME_BYTES),
)


def to_values(config: Mapping[str, ConfigScalar]) -> dict[str, Value]:
    """A Flower user config (str to bool, int, float or str) as protobuf values."""
    return {printable(key): _to_value(value) for key, value in config.items()}


def from_values(values: Mapping[str, Value]) -> dict[str, ConfigScalar]:
    """The inverse of `to_values`; raises `WireError` for a value of no kind."""
    return {key: _from_value(key, value) for key, value in values.items()}


def _to_value(value: ConfigScalar) -> Value:
    if isinstance(value, bool):  # first: a bool is an int as well
        return Value(flag=value)
    if isinstance(value, int):
        return Value(integer=value)
    if isinstance(value, float):
        return Value(number=value)
    return Value(text=printable(value))


def _from_value(key: str, value: Value) -> ConfigScalar:
    kind = value.WhichOneof("kind")
    if kind is None:
        raise WireError(f"The config value {key!r} has no content.")
    content: ConfigScalar = getattr(value, kind)
    return content
