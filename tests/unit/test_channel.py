"""Frames arrive as they were sent, and whatever else comes is refused without being believed."""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.app_host import channel
from shared.app_host.channel import (
    MAX_HEADER_BYTES,
    Channel,
    ChannelBroken,
    ChannelClosed,
    Frame,
    Pieces,
)
from shared.app_host.ring import Ring

LARGE = channel.LARGE

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
names = st.text(min_size=1).filter(lambda name: name not in {"kind", "parts", "recurring", "where", "self"})
frames = st.builds(
    Frame,
    kind=st.text(),
    fields=st.dictionaries(names, values, max_size=4),
    parts=st.lists(st.binary(max_size=50) | st.sampled_from([b"x" * LARGE, b"y" * 3 * LARGE])).map(tuple),
)


class Ends:
    """A channel, and the socket at its other end."""

    def __init__(self, max_bytes: int | None = None, ring_bytes: int = 0) -> None:
        self.raw, theirs = socket.socketpair()
        self._memory = memoryview(bytearray(64 + ring_bytes))
        self.channel = Channel(theirs, max_bytes, to_other=self._ring())

    def _ring(self) -> Ring | None:
        return Ring(self._memory) if len(self._memory) > 64 else None

    def other(self, max_bytes: int | None = None) -> Channel:
        """The channel at the other end."""
        return Channel(self.raw, max_bytes, from_other=self._ring())

    def close(self) -> None:
        self.raw.close()
        self.channel.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends(max_bytes=1000)
    yield ends
    ends.close()


ring_sizes = st.sampled_from([0, 1_000, 2 * LARGE, 200_000])


@given(st.lists(frames, max_size=4), ring_sizes)
def test_frames_arrive_as_they_were_sent(sent: list[Frame], ring_bytes: int) -> None:
    ends = Ends(ring_bytes=ring_bytes)
    other = ends.other()

    def send() -> None:
        for frame in sent:
            ends.channel.send(frame.kind, frame.parts, **frame.fields)
        ends.channel.close()

    sender = threading.Thread(target=send)
    sender.start()
    got = [other.receive() for _ in sent]
    with pytest.raises(ChannelClosed):
        other.receive()
    sender.join()
    ends.close()

    assert got == sent


POOL = [bytes([number]) * size for number, size in enumerate([10, LARGE, 80_000, 80_000, 300_000])]


@given(
    st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(POOL), max_size=6)), max_size=6), ring_sizes
)
def test_parts_that_come_again_arrive_each_time(
    sent: list[tuple[bool, list[bytes]]], ring_bytes: int
) -> None:
    ends = Ends(ring_bytes=ring_bytes)

    def send() -> None:
        for recurring, parts in sent:
            ends.channel.send("a", parts, recurring=recurring)

    sender = threading.Thread(target=send)
    sender.start()
    other = ends.other()
    got = [other.receive().parts for _ in sent]
    sender.join()
    ends.close()

    assert got == [tuple(parts) for _, parts in sent]


def bytes_of(ends: Ends, parts: list[bytes], *, recurring: bool = True) -> int:
    """How many a frame with these parts is sent as."""
    ends.raw.setblocking(False)
    received = 0
    sender = threading.Thread(target=lambda: ends.channel.send("a", parts, recurring=recurring))
    sender.start()
    while sender.is_alive() or select.select([ends.raw], [], [], 0)[0]:
        with suppress(BlockingIOError):
            received += len(ends.raw.recv(1 << 20))
    return received


def test_a_large_part_that_comes_again_is_not_sent_again(ends: Ends) -> None:
    model, other = b"x" * 100_000, b"y" * 100_000

    assert bytes_of(ends, [model]) > 100_000
    assert bytes_of(ends, [b"small", model]) < 200
    assert bytes_of(ends, [], recurring=False) < 200
    assert bytes_of(ends, [model, model]) < 200
    assert bytes_of(ends, [other]) > 100_000
    assert bytes_of(ends, [model]) > 100_000, "only the frame before is remembered"
    assert bytes_of(ends, [bytes(bytearray(model))]) > 100_000, "an equal one is another"


def test_no_more_is_kept_than_there_is_room_for(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "KEPT_BYTES", 250_000)
    parts = [bytes([number]) * 100_000 for number in range(4)]

    bytes_of(ends, parts)

    assert 200_000 < bytes_of(ends, parts) < 201_000


def test_large_parts_go_through_memory_as_far_as_there_is_room() -> None:
    ends = Ends(ring_bytes=250_000)

    assert bytes_of(ends, [b"x" * 100_000, b"y" * 100_000], recurring=False) < 200
    assert bytes_of(ends, [b"z" * 100_000], recurring=False) > 100_000
    ends.close()


@pytest.mark.parametrize("error", [TimeoutError, MemoryError, KeyboardInterrupt])
def test_whatever_interrupts_a_frame_closes_the_channel(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """Or the next one would arrive with the bytes of this one: the app's handler of a signal may raise."""
    ends = Ends(ring_bytes=4 * LARGE)
    with monkeypatch.context() as patched:
        patched.setattr(Channel, "_send_all", lambda *_: _raise(error()))
        with pytest.raises((error, ChannelClosed)):
            ends.channel.send("a", [b"x" * LARGE], recurring=True)

    with pytest.raises(ChannelClosed):
        ends.channel.send("a", [b"y" * LARGE], recurring=True)
    with pytest.raises(ChannelClosed):
        ends.other().receive()
    ends.close()


def _raise(error: BaseException) -> None:
    raise error


def test_a_channel_that_is_closed_lets_go_of_what_it_has_kept() -> None:
    ends = Ends(ring_bytes=4 * LARGE)
    part = b"x" * LARGE
    before = sys.getrefcount(part)
    ends.channel.send("a", [part], recurring=True)
    assert sys.getrefcount(part) > before

    ends.channel.close()

    assert sys.getrefcount(part) == before
    ends.close()


def test_many_small_parts_are_received_in_pieces_of_their_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    take = Channel._take

    def counted(other: Channel, length: int) -> bytes:
        taken.append(length)
        return take(other, length)

    monkeypatch.setattr(Channel, "_take", counted)
    ends = Ends()
    sender = threading.Thread(target=ends.channel.send, args=("a", [bytes(10_000)] * 100))
    sender.start()
    assert ends.other().receive().parts == (bytes(10_000),) * 100
    sender.join()
    ends.close()

    assert max(taken) < 2 * LARGE
    assert len(taken) < 30


def test_a_frame_that_is_not_sent_leaves_nothing_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Ends(ring_bytes=2 * LARGE)
    monkeypatch.setattr(channel, "MAX_HEADER_BYTES", 200)
    with pytest.raises(ValueError, match="too many parts"):
        ends.channel.send("a", [b"x" * LARGE] * 100)
    ends.channel.send("a", [b"y" * LARGE])

    assert ends.other().receive().parts == (b"y" * LARGE,)
    ends.close()


@pytest.mark.parametrize(
    ("where", "number", "complaint"),
    [
        ("k", 0, "none of those before"),
        ("k", 2**70, "none of those before"),
        ("m", 10, "it has not so many"),
        ("x", 10, "no place"),
        ("s", -1, "less than no bytes"),
        ("k", -1, "less than no bytes"),
        ("", 1, "cannot be read"),
    ],
)
def test_a_part_that_cannot_be_where_it_is_said_to_be_breaks_the_channel(
    ends: Ends, where: str, number: int, complaint: str
) -> None:
    header = b'{"kind": "a", "recurring": true, "parts": [%d], "where": "%s"}' % (number, where.encode())
    ends.raw.sendall(struct.pack("!I", len(header)) + header)

    with pytest.raises(ChannelBroken, match=complaint):
        Channel(ends.channel._connection).receive()


@pytest.mark.parametrize(("parts", "where"), [("1001", "m"), ("1000, 1", "mm")])
def test_more_than_the_memory_holds_breaks_the_channel(parts: str, where: str) -> None:
    """Else a few bytes of a header would have the receiver copy the same memory without end."""
    ends = Ends(ring_bytes=1_000)
    header = f'{{"kind": "a", "recurring": false, "parts": [{parts}], "where": "{where}"}}'.encode()
    ends.channel._connection.sendall(struct.pack("!I", len(header)) + header)

    with pytest.raises(ChannelBroken, match="1,001 bytes were announced in shared memory"):
        ends.other().receive()
    ends.close()


def test_parts_that_come_again_count_each_time(ends: Ends) -> None:
    ends = Ends(max_bytes=250_000)
    sender = Channel(ends.raw)
    model = b"x" * 100_000
    threading.Thread(target=sender.send, args=("a", [model]), kwargs={"recurring": True}).start()
    ends.channel.receive()
    sender.send("a", [model, model], recurring=True)
    ends.channel.receive()
    sender.send("a", [model, model, model], recurring=True)

    with pytest.raises(ChannelBroken, match="300,000 bytes"):
        ends.channel.receive()
    ends.close()


@given(st.lists(st.lists(st.binary(max_size=9) | st.just(b"z" * 2 * LARGE), max_size=3), max_size=3))
def test_a_part_in_pieces_arrives_as_one(parts: list[list[bytes]]) -> None:
    ends = Ends()
    pieces = [Pieces([memoryview(piece) for piece in part]) for part in parts]

    sender = threading.Thread(target=ends.channel.send, args=("a", pieces))
    sender.start()
    got = Channel(ends.raw).receive()
    sender.join()
    ends.close()

    assert got.parts == tuple(b"".join(part) for part in parts)


def test_more_pieces_than_the_system_takes_at_once_arrive_in_their_order() -> None:
    ends = Ends()
    part = Pieces([memoryview(bytes([number % 251]) * (number % 700)) for number in range(5_000)])

    sender = threading.Thread(target=ends.channel.send, args=("a", [b"", part, b"end"]))
    sender.start()
    got = Channel(ends.raw).receive()
    sender.join()
    ends.close()

    assert got.parts == (b"", b"".join(part.views), b"end")


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_frame_or_the_end(data: bytes) -> None:
    ends = Ends(max_bytes=1000)
    ends.raw.sendall(data)
    ends.raw.close()

    with suppress(ChannelClosed):
        while True:
            assert isinstance(ends.channel.receive(), Frame)
    ends.channel.close()


@pytest.mark.parametrize(
    "header",
    [
        b"no JSON",
        b"[]",
        b"{}",
        b'{"kind": "a", "recurring": false, "where": ""}',
        b'{"kind": "a", "recurring": false, "parts": []}',
        b'{"kind": "a", "parts": [], "where": ""}',
        b'{"kind": "a", "recurring": false, "parts": 7, "where": "s"}',
        b'{"kind": "a", "recurring": false, "parts": ["x"], "where": "s"}',
        b'{"kind": "a", "recurring": false, "parts": [600, 600], "where": "ss"}',
        b'{"kind": "a", "recurring": false, "parts": [1e400], "where": "s"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_header_breaks_the_channel(ends: Ends, header: bytes) -> None:
    ends.raw.sendall(struct.pack("!I", len(header)) + header)

    with pytest.raises(ChannelBroken):
        ends.channel.receive()


def test_a_header_that_is_too_large_is_not_read(ends: Ends) -> None:
    ends.raw.sendall(struct.pack("!I", MAX_HEADER_BYTES + 1))

    with pytest.raises(ChannelBroken, match="a header of"):
        ends.channel.receive()


def test_closing_one_end_wakes_whoever_receives_at_it(ends: Ends) -> None:
    raised = threading.Event()

    def receive() -> None:
        with pytest.raises(ChannelClosed):
            ends.channel.receive()
        raised.set()

    threading.Thread(target=receive, daemon=True).start()
    ends.channel.close()

    assert raised.wait(5)


def test_a_child_that_forgets_the_channel_does_not_close_it(ends: Ends) -> None:
    twin = Channel(socket.socket(fileno=os.dup(ends.channel._connection.fileno())))

    twin.forget()

    ends.channel.send("still here")
    assert Channel(ends.raw).receive() == Frame("still here")
