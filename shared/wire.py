"""How a serialised Flower message travels over the link: cut into chunks, and checked on arrival.

The schema is `shared/proto/link.proto`. A message is one byte string, sent as chunks that carry their offset
and the total, so that a receiver can refuse a message that is too large before it holds it, and notices a gap
at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shared.errors import WireError
from shared.proto.link_pb2 import Chunk, Value

PROTOCOL_VERSION = 1
LINK_METHOD = "/fedloom.link.v1.Link/Connect"
LINK_SERVICE, LINK_PROCEDURE = LINK_METHOD.lstrip("/").split("/")

CHUNK_BYTES = 1 << 20
"""Bytes of payload in one chunk; below gRPC's default limit of 4 MiB for a frame."""

MAX_MESSAGE_BYTES = 2 << 30
"""A larger message is refused; protobuf itself cannot hold more than 2 GiB."""

MAX_LOG_TEXT = 16_384
"""Characters of a log message, a traceback or an error's reason that travel; the rest is cut off."""

ConfigScalar = bool | int | float | str

CHANNEL_OPTIONS: Sequence[tuple[str, int]] = (
    # A dead network is noticed by HTTP/2 pings, which also flow while nothing is sent and while Python is
    # busy.
    ("grpc.keepalive_time_ms", 4_000),
    ("grpc.keepalive_timeout_ms", 4_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 2_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 2_000),
    # A proxy for web traffic is not meant for the link, least of all on loopback.
    ("grpc.enable_http_proxy", 0),
    # Each connection is a channel of its own, whose tries FedLoom times itself.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 2 * CHUNK_BYTES),
    ("grpc.max_send_message_length", 2 * CHUNK_BYTES),
)


def split(message_id: str, payload: Sequence[bytes]) -> Iterator[Chunk]:
    """Cut the concatenation of the byte strings in `payload` into chunks of at most `CHUNK_BYTES`.

    The parts stay apart so that many messages can share one large part without a copy for each.
    """
    total = sum(len(part) for part in payload)
    if total > MAX_MESSAGE_BYTES:
        raise WireError(
            f"A message of {total:,} bytes was not sent: the link carries at most {MAX_MESSAGE_BYTES:,}. "
            "Use a smaller model, or send fewer arrays in one message."
        )
    if total == 0:
        yield Chunk(message_id=message_id)
        return
    offset = 0
    for part in payload:
        view = memoryview(part)
        for start in range(0, len(part), CHUNK_BYTES):
            data = bytes(view[start : start + CHUNK_BYTES])
            yield Chunk(message_id=message_id, total_bytes=total, offset=offset, data=data)
            offset += len(data)


class Assembler:
    """Puts the chunks of one direction of a link together. Raises `WireError` if one does not fit."""

    def __init__(self, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._max = max_message_bytes
        self._message_id: str | None = None
        self._total = 0
        self._received = 0
        self._parts: list[bytes] = []

    def add(self, chunk: Chunk) -> tuple[str, bytes] | None:
        """Take one chunk; returns (message id, whole message) when it was the last of its message."""
        if self._message_id is None:
            self._begin(chunk)
        if chunk.message_id != self._message_id or chunk.total_bytes != self._total:
            raise WireError(
                f"A chunk of message {chunk.message_id!r} came inside message {self._message_id!r}."
            )
        if chunk.offset != self._received:
            raise WireError(
                f"Message {chunk.message_id!r} has a gap: "
                f"a chunk at {chunk.offset} where {self._received} was due."
            )
        if self._received + len(chunk.data) > self._total or (self._total and not chunk.data):
            raise WireError(
                f"Message {chunk.message_id!r} does not have the {self._total} bytes that it announced."
            )
        self._parts.append(chunk.data)
        self._received += len(chunk.data)
        if self._received < self._total:
            return None
        whole = self._message_id, b"".join(self._parts)
        self._message_id, self._parts = None, []
        return whole

    def drop(self, message_id: str) -> None:
        """Forget what has come of a message whose rest will not be added."""
        if self._message_id == message_id:
            self._message_id, self._parts = None, []

    def _begin(self, chunk: Chunk) -> None:
        if not chunk.message_id:
            raise WireError("A chunk came without the id of its message.")
        if chunk.total_bytes > self._max:
            raise WireError(
                f"Message {chunk.message_id!r} announces {chunk.total_bytes:,} bytes, "
                f"more than the {self._max:,} that are taken."
            )
        self._message_id, self._total, self._received = chunk.message_id, chunk.total_bytes, 0


def to_values(config: Mapping[str, ConfigScalar]) -> dict[str, Value]:
    """A Flower user config (str to bool, int, float or str) as protobuf values."""
    return {key: _to_value(value) for key, value in config.items()}


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
    return Value(text=value)


def _from_value(key: str, value: Value) -> ConfigScalar:
    kind = value.WhichOneof("kind")
    if kind is None:
        raise WireError(f"The config value {key!r} has no content.")
    content: ConfigScalar = getattr(value, kind)
    return content
