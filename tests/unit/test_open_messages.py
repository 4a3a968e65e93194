"""What a client holds, from the message to the server's word that it has the reply, over its connections."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from client.open_messages import OpenMessages, Outgoing, Reply
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.proto.link_pb2 import ClientFrame, Welcome
from tests.support.payloads import payload_of


class FakeRuntime:
    """Keeps what it is given to do, in place of the thread that does it."""

    def __init__(self) -> None:
        self.works: dict[str, Work] = {}
        self.paused = False

    def execute(self, work: Work) -> None:
        self.works[work.message_id] = work

    def cancel(self, work: Work) -> None:
        work.cancelled.set()

    def pause(self, paused: bool) -> None:
        self.paused = paused

    def stay_in(self, run_id: int) -> None:
        self.run_id = run_id
        self.cancelled_before = {name for name, work in self.works.items() if work.cancelled.is_set()}


class Held:
    """A open_messages, its runtime and what it sends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.runtime = FakeRuntime()
        self.open_messages = OpenMessages(self.runtime, loop)
        self.sent: list[Outgoing] = []

    def connect(self, *awaited: str) -> None:
        self.sent = []
        self.open_messages.connected(Welcome(awaited=awaited), self.sent.append)

    def take(self, message_id: str) -> Work:
        self.open_messages.take(message_id, payload_of(b"a message"))
        return self.runtime.works[message_id]

    def settle(self) -> None:
        """Have the loop do what the runtime's thread asked it to."""
        self._loop.run_until_complete(asyncio.sleep(0))

    @property
    def released(self) -> list[str]:
        frames = [item for item in self.sent if isinstance(item, ClientFrame)]
        return [frame.released.message_id for frame in frames if frame.WhichOneof("kind") == "released"]


@pytest.fixture
def held() -> Iterator[Held]:
    loop = asyncio.new_event_loop()
    held = Held(loop)
    held.connect()
    yield held
    loop.close()


def test_a_reply_is_held_until_the_server_has_it(held: Held) -> None:
    work = held.take("m")
    assert held.open_messages.holding() == ["m"]
    work.reply("m", Serialised(b"a reply"))
    held.settle()
    assert held.sent == [Reply("m", Serialised(b"a reply"))]
    assert held.open_messages.holding() == ["m"]

    held.open_messages.confirm("m")

    assert held.open_messages.holding() == []


def test_a_client_that_comes_back_learns_that_its_run_is_over_after_it_gave_up_what_belongs_to_it(
    held: Held,
) -> None:
    held.take("m")
    held.open_messages.disconnected()

    held.open_messages.connected(Welcome(run_id=0), held.sent.append)

    assert held.runtime.run_id == 0
    assert held.runtime.cancelled_before == {"m"}


def test_failures_are_held_until_they_are_confirmed_and_no_longer(held: Held) -> None:
    names = [f"m{n}" for n in range(100)]
    for name in names:
        held.take(name).fail(name, "it cannot be read")
    held.settle()
    assert held.open_messages.holding() == names

    for name in names:
        held.open_messages.confirm(name)

    assert held.open_messages.holding() == []


def test_a_refusal_names_its_rule_and_is_held_until_it_is_confirmed(held: Held) -> None:
    held.take("m").decline("m", "confirm", "confirm = true, and nobody is here")
    held.settle()

    (frame,) = held.sent
    assert isinstance(frame, ClientFrame)
    assert (frame.failure.rule, frame.failure.reason) == ("confirm", "confirm = true, and nobody is here")
    assert held.open_messages.holding() == ["m"]


def test_that_a_message_is_held_back_is_said_again_after_a_reconnect(held: Held) -> None:
    held.take("m").held("m", "it waits to be confirmed")
    held.settle()
    held.open_messages.disconnected()

    held.connect("m")

    (frame,) = held.sent
    assert isinstance(frame, ClientFrame)
    assert frame.held.reason == "it waits to be confirmed"


def test_a_message_knows_how_many_are_asked_the_same(held: Held) -> None:
    held.open_messages.take("m", payload_of(b"a message"), cohort=7)

    assert held.runtime.works["m"].cohort == 7


def test_work_that_was_given_up_is_held_until_it_has_ended(held: Held) -> None:
    work = held.take("m")

    held.open_messages.cancel("m")

    assert work.cancelled.is_set()
    assert held.open_messages.holding() == ["m"]
    assert held.released == []
    work.released("m")
    held.settle()
    assert held.open_messages.holding() == []
    assert held.released == ["m"]


def test_work_that_nobody_awaits_after_a_reconnect_is_held_over_the_next_until_it_has_ended(
    held: Held,
) -> None:
    work = held.take("m")
    held.open_messages.disconnected()
    held.connect()  # the server no longer awaits it
    assert work.cancelled.is_set()
    assert held.open_messages.holding() == ["m"]

    held.open_messages.disconnected()
    held.connect()
    assert held.open_messages.holding() == ["m"]
    work.released("m")
    held.settle()

    assert held.open_messages.holding() == []
    assert held.released == ["m"]


def test_work_that_ends_just_when_it_is_given_up_is_released(held: Held) -> None:
    work = held.take("m")
    work.reply("m", Serialised(b"a reply"))
    held.open_messages.cancel("m")

    held.settle()

    assert held.open_messages.holding() == []
    assert held.released == ["m"]


def test_what_is_ready_and_still_awaited_is_sent_again_after_a_reconnect(held: Held) -> None:
    held.take("m").reply("m", Serialised(b"a reply"))
    held.settle()
    held.open_messages.disconnected()

    held.connect("m")

    assert held.sent == [Reply("m", Serialised(b"a reply"))]
    assert held.released == []


def test_what_is_ready_and_no_longer_awaited_is_released_after_a_reconnect(held: Held) -> None:
    """The server shows a client as late until it hears that, if it heard of the message in the hello."""
    held.take("m").reply("m", Serialised(b"a reply"))
    held.settle()
    held.open_messages.disconnected()
    assert held.open_messages.holding() == ["m"]  # so says the hello

    held.connect()

    assert held.open_messages.holding() == []
    assert held.released == ["m"]


def test_a_reason_that_is_no_utf_8_is_sent_as_far_as_it_can_be(held: Held) -> None:
    held.take("m").fail("m", "B\udce4r is missing")
    held.settle()

    (failure,) = [item.failure for item in held.sent if isinstance(item, ClientFrame)]
    assert failure.reason == "B\ufffdr is missing"
