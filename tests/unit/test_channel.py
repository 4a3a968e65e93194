"""Frames arrive as they were sent, and whatever else comes is refused without being believed."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.app_host.channel import (
    MAX_HEADER_BYTES,
    Channel,
    ChannelBroken,
    ChannelClosed,
    Frame,
    Pieces,
)

LARGE = 32 << 10

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
names = st.text(min_size=1).filter(lambda name: name not in {"kind", "parts", "self"})
frames = st.builds(
    Frame,
    kind=st.text(),
    fields=st.dictionaries(names, values, max_size=4),
    parts=st.lists(st.binary(max_size=50) | st.sampled_from([b"x" * LARGE, b"y" * 3 * LARGE])).map(tuple),
)


class Ends:
    """A channel, and the socket at its other end."""

    def __init__(self, max_bytes: int | None = None) -> None:
        self.raw, theirs = socket.socketpair()
        self.channel = Channel(theirs, max_bytes)

    def close(self) -> None:
        self.raw.close()
        self.channel.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends(max_bytes=1000)
    yield ends
    ends.close()


@given(st.lists(frames, max_size=4))
def test_frames_arrive_as_they_were_sent(sent: list[Frame]) -> None:
    ends = Ends()
    other = Channel(ends.raw)

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
        b'{"kind": "a"}',
        b'{"kind": "a", "parts": 7}',
        b'{"kind": "a", "parts": ["x"]}',
        b'{"kind": "a", "parts": [-1]}',
        b'{"kind": "a", "parts": [600, 600]}',
        b'{"kind": "a", "parts": [1e400]}',
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
