"""A connection of a client, as the link thread sees it: what becomes of the chunks that come in."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.federation.link.session import Session
from app.federation.link.spool import Spool
from shared.buffers import FileBuffer, MemoryBuffer
from shared.errors import WireError
from shared.proto.link_pb2 import Chunk, Welcome
from shared.security.key_id import KeyId
from tests.support.records import A_KEY, a_hello
from tests.unit.test_client_work import Working

KEY = KeyId.parse(A_KEY)


def half_a_reply(message_id: str = "m") -> Chunk:
    return Chunk(message_id=message_id, total_bytes=10, data=b"12345")


def the_other_half() -> Chunk:
    return Chunk(index=1, data=b"67890")


def a_reply(message_id: str) -> Chunk:
    return Chunk(message_id=message_id, total_bytes=5, data=b"12345")


@pytest.fixture
def working() -> Working:
    return Working()


@pytest.mark.parametrize("end", ["the connection ends", "it is withdrawn", "it breaks the protocol"])
def test_what_has_come_of_a_reply_is_given_back(working: Working, tmp_path: Path, end: str) -> None:
    spool = Spool(tmp_path / "spool", in_memory_bytes=10)
    session = Session(a_hello(), working.client_work, spool, KEY)
    working.client_work.connected(a_hello(), A_KEY, Welcome(), session)
    working.dispatch("m")
    session.receive(half_a_reply())
    with spool.buffer(10) as meanwhile:
        assert isinstance(meanwhile, FileBuffer)

    match end:
        case "it is withdrawn":
            working.withdraw("m")
        case "it breaks the protocol":
            with pytest.raises(WireError):
                session.receive(Chunk(index=7, data=b"1"))
            session.release()
        case _:
            session.release()

    with spool.buffer(10) as afterwards:
        assert isinstance(afterwards, MemoryBuffer)


def test_a_reply_in_chunks_is_told_once_it_is_whole(working: Working, tmp_path: Path) -> None:
    session = Session(a_hello(), working.client_work, Spool(tmp_path / "spool"), KEY)
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
    session = Session(a_hello(), working.client_work, Spool(in_the_way, in_memory_bytes=0), KEY)
    line = working.connect()
    working.dispatch("m", "n")

    session.receive(half_a_reply("m"))
    session.receive(the_other_half())
    (reason,) = working.told
    assert "could not be kept where it arrived" in reason
    assert not working.client_work.is_awaited("client-1", "m")

    in_the_way.unlink()
    session.receive(a_reply("n"))

    assert working.told == [reason, "replied"]
    assert set(line.confirmed) == {"m", "n"}
