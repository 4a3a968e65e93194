"""A client as the link thread sees it: what it is told, and what becomes of what it says."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.federation.link.session import Mailbox, Session, Task, Withdrawn
from app.federation.link.spool import Receiving
from shared.proto.link_pb2 import Chunk, ClientFrame, Failure, ServerFrame, Welcome
from shared.wire import opening
from tests.support.records import a_hello


def a_task(told: list[str], message_id: str = "m", client_id: str = "client-1") -> Task:
    """A message whose fate is written down in `told`."""
    return Task(
        message_id,
        client_id,
        "train",
        1,
        opening(message_id, 1, b"x"),
        lambda: [],
        1 << 30,
        on_reply=lambda payload: told.append("replied"),
        on_failure=told.append,
        on_away=lambda reason: told.append("away"),
        on_back=lambda: told.append("back"),
    )


@contextmanager
def without_garbage_collector() -> Iterator[None]:
    """What is freed meanwhile nobody refers to any more."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def half_a_reply(message_id: str = "m") -> ClientFrame:
    return ClientFrame(reply=Chunk(message_id=message_id, total_bytes=10, data=b"12345"))


def the_other_half() -> ClientFrame:
    return ClientFrame(reply=Chunk(index=1, data=b"67890"))


def a_reply(message_id: str) -> ClientFrame:
    return ClientFrame(reply=Chunk(message_id=message_id, total_bytes=5, data=b"12345"))


def confirmed(session: Session) -> list[str]:
    """The messages of which the client was told that the server has what it needs; ends the session."""
    session.close(None)

    async def outgoing() -> list[Any]:
        return [frame async for frame in session.outgoing()]

    frames = [frame for frame in asyncio.run(outgoing()) if isinstance(frame, ServerFrame)]
    return [frame.received.message_id for frame in frames if frame.WhichOneof("kind") == "received"]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def session(mailbox: Mailbox, tmp_path: Path) -> Session:
    return Session(a_hello(), mailbox, Welcome(), Receiving(tmp_path / "spool").room)


def test_a_session_and_half_a_reply_are_freed_at_its_end(tmp_path: Path) -> None:
    receiving = Receiving(tmp_path / "spool")
    with without_garbage_collector():
        session = Session(a_hello(), Mailbox(), Welcome(), receiving.room)
        session.send_task(a_task([]))
        session.receive_reply(half_a_reply())
        freed = weakref.ref(session)

        session.close("it is lost")
        del session

        assert freed() is None


def test_a_failure_is_confirmed_and_told(session: Session, told: list[str]) -> None:
    task = a_task(told)
    session.send_task(task)

    assert session.receive_failure(Failure(message_id="m", reason="no data")) is task

    assert told == ["no data"]
    assert confirmed(session) == ["m"]


def test_a_failure_of_a_message_that_nobody_awaits_is_confirmed_as_well(
    session: Session, mailbox: Mailbox
) -> None:
    withdrawn = mailbox.withdrawn["m"] = Withdrawn(round=1, since=0.0, late=True)

    assert session.receive_failure(Failure(message_id="m", reason="no data")) is withdrawn
    assert session.receive_failure(Failure(message_id="unheard of", reason="no data")) is None

    assert not session.is_late
    assert confirmed(session) == ["m", "unheard of"]


def test_a_reply_for_which_there_is_no_room_fails_and_the_next_is_taken(
    mailbox: Mailbox, told: list[str], tmp_path: Path
) -> None:
    in_the_way = tmp_path / "spool"
    in_the_way.write_text("a file where the folder for replies should be", encoding="utf-8")
    session = Session(a_hello(), mailbox, Welcome(), Receiving(in_the_way, in_memory_bytes=0).room)
    session.send_task(a_task(told, "m"))
    session.send_task(a_task(told, "n"))

    ended = session.receive_reply(half_a_reply("m"))
    assert ended is not None
    assert session.receive_reply(the_other_half()) is None
    (reason,) = told
    assert "could not be kept where it arrived" in reason
    assert not session.is_pending("m")

    in_the_way.unlink()
    session.receive_reply(a_reply("n"))

    assert told == [reason, "replied"]
    assert set(confirmed(session)) == {"m", "n"}


@pytest.mark.parametrize("late", [True, False])
def test_a_client_is_late_over_a_reconnect_as_long_as_it_holds_what_it_is_late_with(
    mailbox: Mailbox, tmp_path: Path, late: bool
) -> None:
    receiving = Receiving(tmp_path / "spool")
    mailbox.withdrawn["m"] = Withdrawn(round=1, since=0.0, late=late)

    session = Session(a_hello(holding=["m"]), mailbox, Welcome(), receiving.room)

    assert session.is_late is late
    assert session.receive_release("m")
    assert not session.is_late
    assert not session.receive_release("m")


def test_a_client_that_holds_nothing_when_it_comes_back_is_not_late(mailbox: Mailbox, tmp_path: Path) -> None:
    mailbox.withdrawn["m"] = Withdrawn(round=1, since=0.0, late=True)

    session = Session(a_hello(), mailbox, Welcome(), Receiving(tmp_path / "spool").room)

    assert not session.is_late
    assert mailbox.withdrawn == {}


def test_the_next_session_of_a_client_takes_over_without_a_word(
    session: Session, mailbox: Mailbox, told: list[str], tmp_path: Path
) -> None:
    session.send_task(a_task(told))

    session.close(None)
    assert told == []

    session.close("it is lost")
    assert told == ["away"]
