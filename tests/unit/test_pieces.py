"""Chunks are read where they lie in their frames, and say there what protobuf reads in them."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st

import shared.chunks
from shared.chunks import following
from shared.pieces import Piece, read_client_frame, read_server_frame
from shared.proto.link_pb2 import Chunk, ClientFrame, LogLine, ServerFrame

numbers = st.integers(0, 2**32 - 1)
chunks = st.builds(
    Chunk,
    message_id=st.sampled_from(["", "m"]),
    total_bytes=st.sampled_from([0, 300]),
    index=numbers,
    data=st.binary(max_size=300),
    array_bytes=st.sampled_from([[], [5]]),
    cohort=st.sampled_from([0, 3]),
)


@given(st.binary(min_size=1, max_size=2_000), st.integers(1, 300))
def test_what_follows_the_first_chunk_is_read_without_protobuf(data: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared.chunks, "CHUNK_BYTES", size)
        frames = list(following([data], ServerFrame.TASK_FIELD_NUMBER))

    pieces = [read_server_frame(frame) for frame in frames]

    assert all(isinstance(piece, Piece) for piece in pieces)
    assert [piece.index for piece in pieces if isinstance(piece, Piece)] == list(range(1, len(frames) + 1))
    assert b"".join(piece.data for piece in pieces if isinstance(piece, Piece)) == data


@given(chunks)
@example(Chunk(index=1, data=b""))
@example(Chunk(index=0, data=b"1"))
def test_a_chunk_is_the_same_whoever_reads_it(chunk: Chunk) -> None:
    frame = ClientFrame(reply=chunk)
    read = read_client_frame(frame.SerializeToString())

    if isinstance(read, Piece):
        assert Chunk(index=read.index, data=bytes(read.data)) == chunk
    else:
        assert read == frame


@given(st.data())
def test_bytes_that_were_changed_are_what_protobuf_reads_in_them_or_nothing(data: st.DataObject) -> None:
    """A frame is foreign: nothing may be read in it that protobuf does not."""
    frame = bytearray(ServerFrame(task=data.draw(chunks)).SerializeToString())
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, min(len(frame) - 1, 12)))
        frame[place] = data.draw(st.integers(0, 255))
    cut = bytes(frame[: data.draw(st.integers(0, len(frame)))])

    try:
        read = read_server_frame(cut)
    except DecodeError:
        with pytest.raises(DecodeError):
            ServerFrame.FromString(cut)
        return

    known = ServerFrame.FromString(cut)
    if isinstance(read, Piece):
        assert known == ServerFrame(task=Chunk(index=read.index, data=bytes(read.data)))
    else:
        assert read == known


@pytest.mark.parametrize(
    "frame", [ClientFrame(log=LogLine(message="m")), ClientFrame(reply=Chunk(message_id="m", data=b"1"))]
)
def test_other_frames_are_read_by_protobuf(frame: ClientFrame) -> None:
    assert read_client_frame(frame.SerializeToString()) == frame


def test_what_a_server_sends_is_no_reply() -> None:
    (frame,) = following([b"data"], ServerFrame.TASK_FIELD_NUMBER)

    assert isinstance(read_server_frame(frame), Piece)
    assert not isinstance(read_client_frame(frame), Piece)
