"""How a serialised Flower message travels over the link: cut into chunks, and checked on arrival.

The schema is `shared/proto/link.proto`. A message is one byte string, sent as numbered chunks of which the
first tells the total, so that a receiver can refuse a message that is too large before it holds it, and
notices a gap at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from shared.errors import NoRoom, WireError
from shared.proto.link_pb2 import Chunk, ClientFrame, Value
from shared.protowire import Source, cut, head, varint

PROTOCOL_VERSION = 2
LINK_METHOD = "/fedloom.link.v1.Link/Connect"
LINK_SERVICE, LINK_PROCEDURE = LINK_METHOD.lstrip("/").split("/")

CHUNK_BYTES = 256 << 10
"""Bytes of payload in one chunk. Larger ones are slower: their memory is mapped and faulted in each time."""

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
    # Also of a process that is stopped, whose system still acknowledges what comes.
    ("grpc.http2.ping_timeout_ms", 4_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 2_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 2_000),
    # A proxy for web traffic is not meant for the link, least of all on loopback.
    ("grpc.enable_http_proxy", 0),
    # Each connection is a channel of its own, whose tries FedLoom times itself.
    ("grpc.use_local_subchannel_pool", 1),
    # gRPC would widen each connection's window to what it carries, and hold tens of MB for each client whose
    # chunks Python has not read yet. 1 MiB is 20 MB/s over a line of 50 ms.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 1 << 20),
    ("grpc.max_receive_message_length", 2 * CHUNK_BYTES),
    ("grpc.max_send_message_length", 2 * CHUNK_BYTES),
)


def reply_frames(message_id: str, parts: Sequence[bytes]) -> Iterator[bytes]:
    """A client's reply, the concatenation of `parts`, as serialised frames."""
    begun, *others = [part for part in parts if part] or [b""]
    first = opening(message_id, sum(map(len, parts)), begun[:CHUNK_BYTES])
    yield ClientFrame(reply=first).SerializeToString()
    yield from following([begun[CHUNK_BYTES:], *others], ClientFrame.REPLY_FIELD_NUMBER)


def opening(message_id: str, total_bytes: int, data: bytes) -> Chunk:
    """The first chunk of a message. Raises WireError if the message is too large for the link."""
    require_size(total_bytes)
    return Chunk(message_id=message_id, total_bytes=total_bytes, data=data)


def require_size(total_bytes: int) -> None:
    """Raise WireError if a message of so many bytes is too large for the link."""
    if total_bytes > MAX_MESSAGE_BYTES:
        raise WireError(
            f"A message of {total_bytes:,} bytes was not sent: "
            f"the link carries at most {MAX_MESSAGE_BYTES:,}. "
            "Use a smaller model, or send fewer arrays in one message."
        )


def following(parts: Sequence[bytes], frame_field: int) -> Iterator[bytes]:
    """The concatenation of `parts` as serialised frames with the chunks that follow the first of a message.

    `frame_field` is the number of the field in a frame that holds them. They do not name their message. Their
    bytes are copied once.
    """
    for index, piece in enumerate(cut(parts, CHUNK_BYTES), start=1):
        opening = varint(Chunk.INDEX_FIELD_NUMBER << 3) + varint(index)
        opening += head(Chunk.DATA_FIELD_NUMBER, sum(map(len, piece)))
        yield b"".join([head(frame_field, len(opening) + sum(map(len, piece))), opening, *piece])


class Room(Protocol):
    """Where the chunks of one message are collected."""

    def add(self, data: bytes) -> None:
        """The next ones."""

    def whole(self) -> bytes | Source:
        """All of them; the room is not used any more."""


class InMemoryRoom:
    """A room in memory."""

    def __init__(self, total_bytes: int) -> None:
        self._parts: list[bytes] = []

    def add(self, data: bytes) -> None:
        """As Room has it."""
        self._parts.append(data)

    def whole(self) -> bytes:
        """As Room has it."""
        return b"".join(self._parts)


class Assembler:
    """Puts the chunks of one direction of a link together. Raises `WireError` if one does not fit.

    `awaited` tells, by its id, whether a message is wanted (any more); the chunks of one that is not are
    counted but not kept. `room` makes, for so many bytes, a place for those of one that is.
    """

    def __init__(
        self,
        awaited: Callable[[str], bool] = lambda _: True,
        room: Callable[[int], Room] = InMemoryRoom,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        self._awaited = awaited
        self._make_room = room
        self._max = max_message_bytes
        self._message_id: str | None = None
        self._total = 0
        self._received = 0
        self._next = 0
        self._room: Room | None = None

    def add(self, chunk: Chunk) -> tuple[str, bytes | Source | None] | None:
        """Take one chunk; returns (message id, whole message) when it was the last of a message.

        In place of a message that is not awaited stands None. Raises NoRoom when a message cannot be kept;
        the rest of it is counted and dropped.
        """
        if self._message_id is None:
            self._begin(chunk)
        elif chunk.message_id:
            raise WireError(f"Message {chunk.message_id!r} began inside message {self._message_id!r}.")
        assert self._message_id is not None
        if chunk.index != self._next:
            raise WireError(
                f"Message {self._message_id!r} has a gap: "
                f"chunk {chunk.index} came where {self._next} was due."
            )
        self._next += 1
        self._received += len(chunk.data)
        if self._received > self._total or (self._total and not chunk.data):
            raise WireError(
                f"Message {self._message_id!r} does not have the {self._total} bytes it announced."
            )
        message_id, is_first, is_last = self._message_id, self._next == 1, self._received == self._total
        if is_last:
            self._message_id = None
        room, self._room = self._room, None
        if not self._awaited(message_id):
            return (message_id, None) if is_last else None
        try:
            room = self._make_room(self._total) if is_first else room
            if room is not None:
                room.add(chunk.data)
            if is_last:
                return message_id, room.whole() if room is not None else None
        except OSError as error:
            raise NoRoom(message_id, error) from error
        self._room = room
        return None

    def _begin(self, chunk: Chunk) -> None:
        if not chunk.message_id:
            raise WireError("A message has a gap: a chunk came without the first of its message.")
        if chunk.total_bytes > self._max:
            raise WireError(
                f"Message {chunk.message_id!r} announces {chunk.total_bytes:,} bytes, "
                f"more than the {self._max:,} that are taken."
            )
        self._message_id, self._total = chunk.message_id, chunk.total_bytes
        self._received = self._next = 0
        self._room = None


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
