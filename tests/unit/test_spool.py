"""Where replies are collected: in memory as far as there is room, in files beyond that."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.federation.link.spool import Spool
from shared.buffers import Buffer, FileBuffer, MemoryBuffer


def filled(buffer: Buffer, data: bytes) -> Buffer:
    buffer.add(data[:3])
    buffer.add(data[3:])
    return buffer


def test_what_does_not_fit_into_memory_goes_into_a_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", in_memory_bytes=10)

    with filled(spool.buffer(6), b"abcdef") as first, filled(spool.buffer(6), b"ghijkl") as second:
        assert isinstance(first, MemoryBuffer)
        assert isinstance(second, FileBuffer)
        assert (first.read(0, 99), second.read(0, 99)) == (b"abcdef", b"ghijkl")
        assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize("complete", [True, False])
def test_memory_is_free_again_once_a_reply_is_released(tmp_path: Path, complete: bool) -> None:
    spool = Spool(tmp_path / "spool", in_memory_bytes=6)
    buffer = spool.buffer(6)
    buffer.add(b"abcdef" if complete else b"abc")
    with spool.buffer(6) as meanwhile:
        assert isinstance(meanwhile, FileBuffer)

    buffer.release()
    buffer.release()

    assert isinstance(spool.buffer(6), MemoryBuffer)
    with spool.buffer(1) as another:
        assert isinstance(another, FileBuffer), "what is released twice is free once"
