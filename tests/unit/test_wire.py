"""Messages survive being cut into chunks, and nothing else passes for one."""

from __future__ import annotations

from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared.wire
from shared.errors import NoRoom, WireError
from shared.proto.link_pb2 import Chunk, ClientFrame, Value
from shared.protowire import Source
from shared.wire import (
    CHANNEL_OPTIONS,
    CHUNK_BYTES,
    Assembler,
    ConfigScalar,
    from_values,
    reply_frames,
    to_values,
)

SMALL_CHUNK = 7

T = TypeVar("T")

payloads = st.lists(st.binary(max_size=40), max_size=5)
configs = st.dictionaries(
    st.text(max_size=20),
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=40),
)


@pytest.fixture(autouse=True, scope="module")
def _small_chunks() -> object:
    """Cut small, so that examples of a few bytes have many chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared.wire, "CHUNK_BYTES", SMALL_CHUNK)
        yield


def chunks_of(*parts: bytes, message_id: str = "m") -> list[Chunk]:
    return [ClientFrame.FromString(frame).reply for frame in reply_frames(message_id, parts)]


def feed(assembler: Assembler, chunks: list[Chunk]) -> list[tuple[str, bytes | Source | None]]:
    """The whole messages that come out."""
    return [whole for chunk in chunks if (whole := assembler.add(chunk)) is not None]


@given(payloads)
def test_every_payload_arrives_as_it_was(parts: list[bytes]) -> None:
    assert feed(Assembler(), chunks_of(*parts)) == [("m", b"".join(parts))]


@given(st.lists(payloads, min_size=1, max_size=4))
def test_messages_arrive_one_after_the_other(messages: list[list[bytes]]) -> None:
    chunks = [chunk for n, parts in enumerate(messages) for chunk in chunks_of(*parts, message_id=str(n))]

    assert feed(Assembler(), chunks) == [(str(n), b"".join(parts)) for n, parts in enumerate(messages)]


@given(payloads)
def test_no_chunk_is_larger_than_agreed(parts: list[bytes]) -> None:
    assert all(len(chunk.data) <= SMALL_CHUNK for chunk in chunks_of(*parts))


def test_a_chunk_fits_into_a_frame_of_grpc() -> None:
    assert dict(CHANNEL_OPTIONS)["grpc.max_receive_message_length"] > CHUNK_BYTES + 1024


@given(st.binary(min_size=2 * SMALL_CHUNK), st.data())
def test_chunks_in_another_order_are_refused(payload: bytes, data: st.DataObject) -> None:
    chunks = chunks_of(payload)
    order = data.draw(st.permutations(range(len(chunks))).filter(lambda p: p != sorted(p)))

    with pytest.raises(WireError):
        feed(Assembler(), [chunks[i] for i in order])


@given(st.binary(min_size=2 * SMALL_CHUNK + 1), st.data())
def test_a_gap_is_refused(payload: bytes, data: st.DataObject) -> None:
    chunks = chunks_of(payload)
    del chunks[data.draw(st.integers(0, len(chunks) - 2))]

    with pytest.raises(WireError, match="gap"):
        feed(Assembler(), chunks)


@given(st.binary(min_size=2 * SMALL_CHUNK), st.data())
def test_a_chunk_twice_is_refused(payload: bytes, data: st.DataObject) -> None:
    chunks = chunks_of(payload)
    twice = data.draw(st.integers(0, len(chunks) - 2))
    chunks.insert(twice, chunks[twice])

    with pytest.raises(WireError):
        feed(Assembler(), chunks)


@given(st.binary(min_size=2 * SMALL_CHUNK), st.binary(min_size=2 * SMALL_CHUNK))
def test_a_message_that_begins_inside_another_is_refused(one: bytes, other: bytes) -> None:
    mixed = [chunks_of(one)[0], chunks_of(other, message_id="other")[0]]

    with pytest.raises(WireError, match="'other' began inside message 'm'"):
        feed(Assembler(), mixed)


@given(st.integers(1, 50), st.binary(max_size=60))
def test_more_bytes_than_announced_are_refused(announced: int, data: bytes) -> None:
    chunk = Chunk(message_id="m", total_bytes=announced, data=data)
    if len(data) == announced:
        assert Assembler().add(chunk) == ("m", data)
    elif 0 < len(data) < announced:
        assert Assembler().add(chunk) is None
    else:
        with pytest.raises(WireError, match=f"the {announced} bytes it announced"):
            Assembler().add(chunk)


def test_a_chunk_without_bytes_inside_a_message_is_refused() -> None:
    assembler = Assembler()
    assembler.add(Chunk(message_id="m", total_bytes=10, data=b"12345"))

    with pytest.raises(WireError):
        assembler.add(Chunk(index=1))


@given(payloads, payloads)
def test_a_message_that_nobody_awaits_is_passed_over(unwanted: list[bytes], wanted: list[bytes]) -> None:
    assembler = Assembler(awaited=lambda message_id: message_id == "wanted")
    chunks = [*chunks_of(*unwanted, message_id="unwanted"), *chunks_of(*wanted, message_id="wanted")]

    assert feed(assembler, chunks) == [("unwanted", None), ("wanted", b"".join(wanted))]


def test_a_message_that_is_no_longer_awaited_is_dropped_in_the_middle() -> None:
    awaited = {"m"}
    assembler = Assembler(awaited.__contains__)
    first, *others = chunks_of(bytes(5 * SMALL_CHUNK))
    assembler.add(first)
    awaited.clear()

    assert feed(assembler, others) == [("m", None)]


class FullDisk:
    """Rooms of which the first fails at some step."""

    def __init__(self, fails_at: str) -> None:
        self._fails_at = fails_at

    def __call__(self, total_bytes: int) -> FullDisk:
        return self._step("make", self)

    def add(self, data: bytes) -> None:
        self._step("add", None)
        self._data = getattr(self, "_data", b"") + data

    def whole(self) -> bytes:
        whole = self._step("whole", self._data)
        self._data = b""
        return whole

    def _step(self, name: str, result: T) -> T:
        if self._fails_at == name:
            self._fails_at = ""
            self._data = b""
            raise OSError(28, "No space left on device")
        return result


@pytest.mark.parametrize("fails_at", ["make", "add", "whole"])
@given(payload=st.binary(max_size=4 * SMALL_CHUNK), other=payloads)
def test_a_message_that_cannot_be_kept_is_passed_over_and_the_next_arrives(
    fails_at: str, payload: bytes, other: list[bytes]
) -> None:
    assembler = Assembler(room=FullDisk(fails_at))
    chunks = chunks_of(payload, message_id="lost")
    fails_with = chunks[-1] if fails_at == "whole" else chunks[0]
    for chunk in chunks[: chunks.index(fails_with)]:
        assert assembler.add(chunk) is None

    with pytest.raises(NoRoom, match=r"could not be kept where it arrived: .*No space left") as refused:
        assembler.add(fails_with)
    assert refused.value.message_id == "lost"
    rest = chunks[chunks.index(fails_with) + 1 :]

    assert feed(assembler, rest) == ([("lost", None)] if rest else [])
    assert feed(assembler, chunks_of(*other, message_id="next")) == [("next", b"".join(other))]


def test_a_message_that_is_too_large_is_refused_at_its_first_chunk() -> None:
    assembler = Assembler(max_message_bytes=99)

    with pytest.raises(WireError, match="announces 100 bytes, more than the 99"):
        assembler.add(Chunk(message_id="m", total_bytes=100, data=b"1"))


def test_a_message_that_is_too_large_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.wire, "MAX_MESSAGE_BYTES", 9)

    with pytest.raises(WireError, match=r"10 bytes was not sent.*smaller model"):
        chunks_of(b"12345", b"67890")


def test_a_chunk_without_a_message_is_refused() -> None:
    with pytest.raises(WireError, match="without the first of its message"):
        Assembler().add(Chunk(total_bytes=1, data=b"1"))


def test_an_empty_message_is_a_message() -> None:
    assert feed(Assembler(), chunks_of()) == [("m", b"")]


@given(configs)
def test_config_values_keep_value_and_type(config: dict[str, ConfigScalar]) -> None:
    restored = from_values(to_values(config))

    assert restored == config
    assert {key: type(value) for key, value in restored.items()} == {
        key: type(value) for key, value in config.items()
    }


def test_a_config_value_without_content_is_refused() -> None:
    with pytest.raises(WireError, match="'lr' has no content"):
        from_values({"lr": Value()})
