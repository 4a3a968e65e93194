"""Messages survive being cut into chunks, and nothing else passes for one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared.chunks
import shared.payload
from shared.app_host.serialised import Serialised
from shared.buffers import Buffer, MemoryBuffer
from shared.chunks import Assembler, Whole, reply_frames
from shared.errors import NoRoom, WireError
from shared.proto.link_pb2 import Chunk, ClientFrame

SMALL_CHUNK = 7

messages = st.builds(
    Serialised, st.binary(min_size=1, max_size=40), st.lists(st.binary(max_size=40), max_size=5).map(tuple)
)


@pytest.fixture(autouse=True, scope="module")
def _small_chunks() -> object:
    """Cut small, so that examples of a few bytes have many chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared.chunks, "CHUNK_BYTES", SMALL_CHUNK)
        yield


def chunks_of(message: Serialised | bytes, message_id: str = "m") -> list[Chunk]:
    """Bytes: a skeleton without arrays."""
    reply = Serialised(message) if isinstance(message, bytes) else message
    return [ClientFrame.FromString(frame).reply for frame in reply_frames(message_id, reply)]


def feed(assembler: Assembler, chunks: list[Chunk]) -> list[tuple[str, Serialised | None]]:
    """The whole messages that come out, and are released."""
    return [taken(whole) for chunk in chunks if (whole := assembler.add(chunk)) is not None]


def taken(whole: Whole) -> tuple[str, Serialised | None]:
    message_id, payload, _ = whole
    if payload is None:
        return message_id, None
    with payload:
        return message_id, Serialised(payload.skeleton(), tuple(payload.arrays()))


@given(messages)
def test_every_message_arrives_as_it_was(message: Serialised) -> None:
    assert feed(Assembler(), chunks_of(message)) == [("m", message)]


@given(st.lists(messages, min_size=1, max_size=4))
def test_messages_arrive_one_after_the_other(several: list[Serialised]) -> None:
    chunks = [chunk for n, message in enumerate(several) for chunk in chunks_of(message, str(n))]

    assert feed(Assembler(), chunks) == [(str(n), message) for n, message in enumerate(several)]


@given(messages)
def test_no_chunk_is_larger_than_agreed(message: Serialised) -> None:
    assert all(len(chunk.data) <= SMALL_CHUNK for chunk in chunks_of(message))


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
    mixed = [chunks_of(one)[0], chunks_of(other, "other")[0]]

    with pytest.raises(WireError, match="'other' began inside message 'm'"):
        feed(Assembler(), mixed)


@pytest.mark.parametrize("before", [[], [Chunk(message_id="m", total_bytes=10, data=b"12345")]])
def test_an_id_that_no_message_has_is_refused_without_repeating_all_of_it(before: list[Chunk]) -> None:
    """What is wrong with a chunk is logged, shown and kept."""
    with pytest.raises(WireError) as caught:
        feed(Assembler(), [*before, Chunk(message_id="x" * 100_000, total_bytes=1, data=b"1")])

    assert len(str(caught.value)) < 1_000


@given(st.integers(1, 50), st.binary(max_size=60))
def test_more_bytes_than_announced_are_refused(announced: int, data: bytes) -> None:
    chunk = Chunk(message_id="m", total_bytes=announced, data=data)
    if len(data) == announced:
        assert feed(Assembler(), [chunk]) == [("m", Serialised(data))]
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


@given(messages, messages)
def test_a_message_that_nobody_awaits_is_passed_over(unwanted: Serialised, wanted: Serialised) -> None:
    assembler = Assembler(awaited=lambda message_id: message_id == "wanted")
    chunks = [*chunks_of(unwanted, "unwanted"), *chunks_of(wanted, "wanted")]

    assert feed(assembler, chunks) == [("unwanted", None), ("wanted", wanted)]


def test_a_message_that_is_no_longer_awaited_is_dropped_in_the_middle() -> None:
    awaited = {"m"}
    assembler = Assembler(awaited.__contains__)
    first, *others = chunks_of(bytes(5 * SMALL_CHUNK))
    assembler.add(first)
    awaited.clear()

    assert feed(assembler, others) == [("m", None)]


class FullDisk:
    """Buffers of which the first cannot be made, or not be added to."""

    def __init__(self, fails_at: str) -> None:
        self._fails_at = fails_at
        self.held = 0

    def __call__(self, total_bytes: int) -> Buffer:
        self._fail_if_at("make")
        self.held += 1
        return OnDisk(self)

    def fail_if_adding(self) -> None:
        self._fail_if_at("add")

    def released(self) -> None:
        self.held -= 1

    def _fail_if_at(self, step: str) -> None:
        if self._fails_at == step:
            self._fails_at = ""
            raise OSError(28, "No space left on device")


class OnDisk(MemoryBuffer):
    def __init__(self, disk: FullDisk) -> None:
        super().__init__(disk.released)
        self._disk = disk

    def add(self, data: bytes | memoryview) -> None:
        self._disk.fail_if_adding()
        super().add(data)


@pytest.mark.parametrize("fails_at", ["make", "add"])
@given(lost=messages, other=messages)
def test_a_message_that_cannot_be_kept_is_passed_over_and_the_next_arrives(
    fails_at: str, lost: Serialised, other: Serialised
) -> None:
    disk = FullDisk(fails_at)
    assembler = Assembler(buffer=disk)
    first, *rest = chunks_of(lost, "lost")

    with pytest.raises(NoRoom, match=r"could not be kept where it arrived: .*No space left") as refused:
        assembler.add(first)
    assert refused.value.message_id == "lost"
    assert disk.held == 0

    assert feed(assembler, rest) == ([("lost", None)] if rest else [])
    assert feed(assembler, chunks_of(other, "next")) == [("next", other)]
    assert disk.held == 0


class TestHalfAMessage:
    """What has come of a message is released by whatever ends its coming."""

    CHUNKS = (Chunk(message_id="m", total_bytes=10, data=b"12345"), Chunk(index=1, data=b"67890"))

    @pytest.fixture
    def disk(self) -> FullDisk:
        return FullDisk("never")

    @pytest.fixture
    def awaited(self) -> set[str]:
        return {"m"}

    @pytest.fixture
    def assembler(self, disk: FullDisk, awaited: set[str]) -> Assembler:
        assembler = Assembler(awaited.__contains__, disk)
        assembler.add(self.CHUNKS[0])
        assert disk.held == 1
        return assembler

    def test_the_connection_ends(self, assembler: Assembler, disk: FullDisk) -> None:
        assembler.close()
        assembler.close()

        assert disk.held == 0

    def test_it_is_dropped(self, assembler: Assembler, disk: FullDisk, awaited: set[str]) -> None:
        awaited.clear()
        assembler.drop("another")
        assert disk.held == 1
        assembler.drop("m")

        assert disk.held == 0
        assert feed(assembler, [self.CHUNKS[1]]) == [("m", None)]

    def test_nobody_awaits_it_any_more(self, assembler: Assembler, disk: FullDisk, awaited: set[str]) -> None:
        awaited.clear()

        assert feed(assembler, [self.CHUNKS[1]]) == [("m", None)]
        assert disk.held == 0

    def test_the_rest_breaks_the_protocol_and_the_connection_ends(
        self, assembler: Assembler, disk: FullDisk
    ) -> None:
        with pytest.raises(WireError):
            assembler.add(Chunk(index=7, data=b"1"))
        assembler.close()

        assert disk.held == 0

    def test_it_is_whole_and_whoever_takes_it_releases_it(self, assembler: Assembler, disk: FullDisk) -> None:
        whole = assembler.add(self.CHUNKS[1])
        assembler.close()
        assert disk.held == 1
        assert whole is not None

        assert taken(whole) == ("m", Serialised(b"1234567890"))
        assert disk.held == 0


def test_a_message_that_is_too_large_is_refused_at_its_first_chunk() -> None:
    assembler = Assembler(max_message_bytes=99)

    with pytest.raises(WireError, match="announces 100 bytes, more than the 99"):
        assembler.add(Chunk(message_id="m", total_bytes=100, data=b"1"))


def test_a_message_that_is_too_large_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.payload, "MAX_MESSAGE_BYTES", 9)

    with pytest.raises(WireError, match=r"10 bytes was not sent.*smaller model"):
        chunks_of(Serialised(b"12345", (b"67890",)))


@pytest.mark.parametrize(
    ("limit", "message", "words"),
    [
        ("MAX_ARRAYS", Serialised(b"12", (b"", b"", b"")), "3 arrays was not sent.*at most 2"),
        ("MAX_SKELETON_BYTES", Serialised(b"123", (b"4567",)), "3 bytes that belong to no array.*at most 2"),
    ],
)
def test_what_has_too_much_of_something_is_not_sent_and_not_taken(
    monkeypatch: pytest.MonkeyPatch, limit: str, message: Serialised, words: str
) -> None:
    chunks = chunks_of(message)
    monkeypatch.setattr(shared.payload, limit, 2)

    with pytest.raises(WireError, match=words):
        chunks_of(message)
    with pytest.raises(WireError, match=r"announces 3 (arrays|bytes of no array), more than the 2"):
        Assembler().add(chunks[0])


@given(st.integers(0, 100), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5))
def test_arrays_that_do_not_fit_into_their_message_are_refused_before_anything_is_kept(
    total_bytes: int, array_bytes: list[int]
) -> None:
    disk = FullDisk("make")
    chunk = Chunk(message_id="m", total_bytes=total_bytes, array_bytes=array_bytes, data=b"1")

    if sum(array_bytes) <= total_bytes:
        return
    with pytest.raises(WireError, match="arrays of more bytes than"):
        Assembler(buffer=disk).add(chunk)


@pytest.mark.parametrize("field", [{"total_bytes": 10}, {"array_bytes": [1]}])
def test_a_chunk_inside_a_message_that_announces_bytes_is_refused(field: dict[str, Any]) -> None:
    assembler = Assembler()
    assembler.add(Chunk(message_id="m", total_bytes=10, data=b"12345"))

    with pytest.raises(WireError, match="announced its bytes twice"):
        assembler.add(Chunk(index=1, data=b"67890", **field))


def test_a_chunk_without_a_message_is_refused() -> None:
    with pytest.raises(WireError, match="without the first of its message"):
        Assembler().add(Chunk(total_bytes=1, data=b"1"))


def test_an_empty_message_is_a_message() -> None:
    assert feed(Assembler(), chunks_of(b"")) == [("m", Serialised(b""))]
