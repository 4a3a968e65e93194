"""A connection of a client, as the link thread sees it: what becomes of the chunks that come in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.federation.link.session import Session
from app.federation.link.spool import Spool
from app.federation.link.traffic import Traffic
from app.records import Verdict
from shared.app_host.serialised import Serialised
from shared.buffers import FileBuffer, MemoryBuffer
from shared.errors import WireError
from shared.hashing import SMALL_ARRIVING
from shared.proto.link_pb2 import Chunk, Seal, ServerFrame, Welcome
from shared.security.digest import Digests, digest_of
from shared.security.keys import BadSignature
from shared.security.seals import Instructed
from tests.support.records import a_hello
from tests.support.sealing import SERVER, THREADS, a_guest, a_key, seal_of, signed_update
from tests.support.working import RUN_ID, Working, a_task


def half_a_reply(message_id: str = "m") -> Chunk:
    return Chunk(message_id=message_id, total_bytes=10, data=b"12345")


def the_other_half() -> Chunk:
    return Chunk(index=1, data=b"67890")


def a_reply(message_id: str) -> Chunk:
    return Chunk(message_id=message_id, total_bytes=5, data=b"12345")


class Connected:
    """A session of client-1, to which frames come one after the other."""

    def __init__(self, working: Working, spool: Spool) -> None:
        self.working = working
        guest, traffic = a_guest(a_hello()), Traffic()
        self.session = Session(guest, working.reports, spool, a_key(SERVER), THREADS, traffic)
        self._sequence = 0

    def receive(self, *chunks: Chunk) -> None:
        async def receive() -> None:
            for chunk in chunks:
                await self.session.receive(chunk)

        asyncio.run(receive())

    def receive_seal(self, seal: Seal | None) -> None:
        asyncio.run(self.session.receive_seal(seal))

    def seal(self, message_id: str, data: bytes) -> Seal:
        """That of a skeleton without arrays."""
        task = self.working.reports.open_task("client-1", message_id)
        assert task is not None
        self._sequence += 1
        update = signed_update(task, Serialised(data), self._sequence)
        return seal_of(update, a_key("client-1"))


@pytest.fixture
def working() -> Working:
    return Working()


@pytest.fixture
def connected(working: Working, tmp_path: Path) -> Connected:
    return Connected(working, Spool(tmp_path / "spool"))


@pytest.mark.parametrize(
    "end",
    [
        "the connection ends",
        "it is withdrawn",
        "it breaks the protocol",
        "the connection ends before the seal",
        "it is withdrawn before the seal",
        "the seal does not come",
    ],
)
def test_what_has_come_of_a_reply_is_given_back(working: Working, tmp_path: Path, end: str) -> None:
    spool = Spool(tmp_path / "spool", in_memory_bytes=10)
    connected = Connected(working, spool)
    key = str(a_key("client-1").public.id)
    working.client_work.connected(a_hello(), key, Welcome(), connected.session)
    working.dispatch("m")
    connected.receive(half_a_reply())
    if "seal" in end:
        connected.receive(the_other_half())
    with spool.buffer(10) as meanwhile:
        assert isinstance(meanwhile, FileBuffer)

    match end:
        case "it is withdrawn" | "it is withdrawn before the seal":
            working.withdraw("m")
        case "it breaks the protocol":
            with pytest.raises(WireError):
                connected.receive(Chunk(index=7, data=b"1"))
            connected.session.release()
        case "the seal does not come":
            connected.receive_seal(None)
        case _:
            connected.session.release()

    with spool.buffer(10) as afterwards:
        assert isinstance(afterwards, MemoryBuffer)


def test_a_reply_in_chunks_is_told_once_its_seal_has_come(working: Working, connected: Connected) -> None:
    line = working.connect()
    working.dispatch("m")

    connected.receive(half_a_reply(), the_other_half())
    assert connected.session.awaits_seal
    assert working.told == []
    connected.receive_seal(connected.seal("m", b"1234567890"))

    assert working.told == ["replied"]
    assert line.confirmed == ["m"]
    assert not connected.session.awaits_seal


def test_a_large_reply_is_hashed_meanwhile(working: Working, connected: Connected) -> None:
    working.connect()
    working.dispatch("m")
    piece, size = bytes(SMALL_ARRIVING // 8), 8 * SMALL_ARRIVING
    chunks = [Chunk(index=index, data=piece) for index in range(1, 64)]

    connected.receive(Chunk(message_id="m", total_bytes=size, data=piece), *chunks)
    connected.receive_seal(connected.seal("m", bytes(size)))

    assert working.verdicts == [Verdict.ACCEPTED]


@pytest.mark.parametrize("bit", [0, 7, 39])
def test_one_bit_that_was_changed_is_noticed(working: Working, connected: Connected, bit: int) -> None:
    working.connect()
    working.dispatch("m")
    data = bytearray(b"12345")
    data[bit // 8] ^= 1 << bit % 8

    connected.receive(Chunk(message_id="m", total_bytes=5, data=bytes(data)))
    connected.receive_seal(connected.seal("m", b"12345"))

    assert working.verdicts == [Verdict.BAD_SIGNATURE]


def test_a_reply_without_a_seal_is_refused(working: Working, connected: Connected) -> None:
    working.connect()
    working.dispatch("m")

    connected.receive(a_reply("m"))
    connected.receive_seal(None)

    assert working.verdicts == [Verdict.BAD_SIGNATURE]
    assert "without a signature" in working.told[0]


def test_a_seal_of_nothing_breaks_the_protocol(working: Working, connected: Connected) -> None:
    working.connect()

    with pytest.raises(WireError, match="a seal without a message"):
        connected.receive_seal(Seal())


def test_a_connection_that_was_replaced_brings_nothing_any_more(
    working: Working, connected: Connected
) -> None:
    working.connect()
    working.dispatch("m")
    connected.receive(a_reply("m"))

    connected.session.close()
    connected.receive_seal(connected.seal("m", b"12345"))

    assert working.judgements == []
    assert working.reports.is_awaited("client-1", "m")


@pytest.mark.parametrize(
    "chunks",
    [[half_a_reply(), the_other_half()], [Chunk(message_id="m", total_bytes=10, data=b"1234567890")]],
    ids=["in two chunks", "in one"],
)
def test_a_reply_for_which_there_is_no_room_fails_and_the_next_is_taken(
    working: Working, tmp_path: Path, chunks: list[Chunk]
) -> None:
    in_the_way = tmp_path / "spool"
    in_the_way.write_text("a file where the folder for replies should be", encoding="utf-8")
    connected = Connected(working, Spool(in_the_way, in_memory_bytes=0))
    line = working.connect()
    working.dispatch("m", "n")
    seal = connected.seal("m", b"1234567890")

    connected.receive(*chunks)
    connected.receive_seal(seal)
    (reason,) = working.told
    assert "could not be kept where it arrived" in reason
    assert not working.reports.is_awaited("client-1", "m")
    assert working.judgements == [], "it is not the client's fault"

    in_the_way.unlink()
    connected.receive(a_reply("n"))
    connected.receive_seal(connected.seal("n", b"12345"))

    assert working.told == [reason, "replied"]
    assert set(line.confirmed) == {"m", "n"}


def test_a_message_goes_out_with_a_seal_for_its_client_alone(working: Working, connected: Connected) -> None:
    task = a_task([], "m")
    connected.session.transmit(task)
    connected.session.close()

    async def written() -> list[ServerFrame]:
        return [frame async for frame in connected.session.outgoing() if isinstance(frame, ServerFrame)]

    message, trailer = asyncio.run(written())

    assert message.task.message_id == "m"
    digests = Digests(digest_of([b"x"]), digest_of([]))
    seal = trailer.seal
    said = Instructed(RUN_ID, 1, "m", a_key("client-1").public.id, digests)
    a_key(SERVER).public.verify(seal.signature, said.statement())
    another = Instructed(RUN_ID, 1, "m", a_key("client-2").public.id, digests)
    with pytest.raises(BadSignature):
        a_key(SERVER).public.verify(seal.signature, another.statement())
