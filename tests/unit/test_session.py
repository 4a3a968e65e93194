"""A connection of a client, as the link thread sees it: what becomes of the chunks that come in."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.federation.link.session import Session
from app.federation.link.spool import Receiving
from shared.proto.link_pb2 import Chunk
from tests.support.records import a_hello
from tests.unit.test_duties import Working


@contextmanager
def without_garbage_collector() -> Iterator[None]:
    """What is freed meanwhile nobody refers to any more."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def half_a_reply(message_id: str = "m") -> Chunk:
    return Chunk(message_id=message_id, total_bytes=10, data=b"12345")


def the_other_half() -> Chunk:
    return Chunk(index=1, data=b"67890")


def a_reply(message_id: str) -> Chunk:
    return Chunk(message_id=message_id, total_bytes=5, data=b"12345")


@pytest.fixture
def working() -> Working:
    return Working()


def test_a_session_and_half_a_reply_are_freed_at_its_end(tmp_path: Path) -> None:
    working = Working()
    with without_garbage_collector():
        session = Session(a_hello(), working.duties, Receiving(tmp_path / "spool"))
        working.connect()
        working.dispatch("m")
        session.receive(half_a_reply())
        freed = weakref.ref(session)

        session.close()
        del session

        assert freed() is None


def test_a_reply_in_chunks_is_told_once_it_is_whole(working: Working, tmp_path: Path) -> None:
    session = Session(a_hello(), working.duties, Receiving(tmp_path / "spool"))
    line = working.connect()
    working.dispatch("m")

    session.receive(half_a_reply())
    assert working.told == []
    session.receive(the_other_half())

    assert working.told == ["replied"]
    assert line.confirmed == ["m"]


def test_a_reply_for_which_there_is_no_room_fails_and_the_next_is_taken(
    working: Working, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "spool"
    in_the_way.write_text("a file where the folder for replies should be", encoding="utf-8")
    session = Session(a_hello(), working.duties, Receiving(in_the_way, in_memory_bytes=0))
    line = working.connect()
    working.dispatch("m", "n")

    session.receive(half_a_reply("m"))
    session.receive(the_other_half())
    (reason,) = working.told
    assert "could not be kept where it arrived" in reason
    assert not working.duties.is_awaited("client-1", "m")

    in_the_way.unlink()
    session.receive(a_reply("n"))

    assert working.told == [reason, "replied"]
    assert set(line.confirmed) == {"m", "n"}
