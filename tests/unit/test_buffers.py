"""Bytes are read as they were added, from memory and from files, until they are released."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.buffers import LARGE, Buffer, FileBuffer, MemoryBuffer
from shared.payload import places


@pytest.fixture(params=["memory", "file"])
def buffer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Buffer]:
    with MemoryBuffer() if request.param == "memory" else FileBuffer(tmp_path / "spool") as buffer:
        yield buffer


def test_a_buffer_gives_what_there_is(buffer: Buffer) -> None:
    buffer.add(b"abc")
    buffer.add(b"")
    buffer.add(b"def")

    assert len(buffer) == 6
    assert (buffer.read(0, 6), buffer.read(2, 3), buffer.read(4, 99)) == (b"abcdef", b"cde", b"ef")
    assert (buffer.read(6, 1), buffer.read(0, 0), buffer.read(3, 0)) == (b"", b"", b"")
    assert b"".join(buffer.pieces(1, 4)) == b"bcde"


@given(st.lists(st.binary(max_size=6), max_size=6), st.integers(0, 40), st.integers(0, 40), st.integers(0, 8))
def test_memory_is_read_as_if_it_were_in_one_piece(
    parts: list[bytes], start: int, length: int, small: int
) -> None:
    buffer = MemoryBuffer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.buffers.SMALL", small)
        for part in parts:
            buffer.add(part)

    assert buffer.read(start, length) == b"".join(parts)[start : start + length]


@given(
    st.lists(st.integers(0, 12), max_size=6),
    st.lists(st.integers(0, 40), max_size=8),
    st.integers(0, 8),
    st.integers(1, 8),
)
def test_what_is_expected_is_read_as_it_came_however_it_was_cut(
    lengths: list[int], cuts: list[int], small: int, large: int
) -> None:
    data = bytes(range(4 + sum(lengths)))
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    buffer = MemoryBuffer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.buffers.SMALL", small)
        patch.setattr("shared.buffers.LARGE", large)
        buffer.expect(places(len(data), lengths))
        for start, end in pairwise(bounds):
            buffer.add(memoryview(data)[start:end])

    assert len(buffer) == len(data)
    assert buffer.read(0, len(data)) == data
    for start, length in places(len(data), lengths):
        assert buffer.read(start, length) == data[start : start + length]


def test_what_is_large_and_expected_lies_in_memory_once_when_it_was_read() -> None:
    size = 8 * LARGE
    buffer = MemoryBuffer()
    buffer.expect([(0, size)])
    tracemalloc.start()
    for number in range(8):
        buffer.add(bytes([number]) * LARGE)
    read = buffer.read(0, size)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (read[0], read[-1]) == (0, 7)
    assert taken < 1.1 * size


def test_a_message_in_tiny_pieces_takes_little_more_memory_than_it_has_bytes() -> None:
    """A client may cut its reply as it likes, and only its bytes count against the memory for replies."""
    pieces = 100_000
    buffer = MemoryBuffer()
    tracemalloc.start()
    for number in range(pieces):
        buffer.add(number.to_bytes(4, "big"))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken < 2 * 4 * pieces
    assert buffer.read(0, 4 * pieces) == b"".join(number.to_bytes(4, "big") for number in range(pieces))


def test_a_file_is_read_whole_also_when_the_system_gives_it_in_pieces(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Linux gives 2 GiB at most, whatever is asked for."""
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, length, start: pread(file, min(length, 2), start))
    with FileBuffer(tmp_path) as buffer:
        buffer.add(b"abcdef")

        assert (buffer.read(0, 6), buffer.read(1, 3), buffer.read(5, 9)) == (b"abcdef", b"bcd", b"f")


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux' /proc")
def test_a_file_is_closed_when_it_is_released_and_not_before(tmp_path: Path) -> None:
    before = open_files()
    buffer = FileBuffer(tmp_path)
    assert open_files() == before + 1

    buffer.release()
    buffer.release()

    assert open_files() == before


@pytest.mark.parametrize("leave", [lambda: None, lambda: 1 / 0], ids=["at its end", "by an error"])
def test_with_releases(leave: Callable[[], object]) -> None:
    released: list[str] = []
    try:
        with MemoryBuffer(lambda: released.append("released")) as buffer:
            buffer.add(b"abc")
            leave()
    except ZeroDivisionError:
        pass

    assert released == ["released"]
