"""What a client holds, from the message to the server's word that it has the reply, over its connections."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from client.open_messages import OpenMessages, Outgoing
from client.receipts import Receipts
from client.sealing import Origin, Reply, Sealing
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.proto.link_pb2 import ClientFrame, Receipt, Received, Welcome
from shared.security.digest import Digests
from shared.security.receipts import Receipt as KeptReceipt
from shared.security.seals import Accepted, Instructed
from tests.support.payloads import payload_of
from tests.support.sealing import SERVER, a_key


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
    """The open messages of client-1, its runtime and what it sends."""

    def __init__(self, loop: asyncio.AbstractEventLoop, home: Path) -> None:
        self._loop = loop
        self._threads = ThreadPoolExecutor(1)
        self.runtime = FakeRuntime()
        self.sealing = Sealing("client-1", a_key("client-1"), self._threads)
        self._receipts = home / "receipts" / "client-1.jsonl"
        receipts = Receipts(home, "client-1", self._threads)
        self.open_messages = OpenMessages(self.runtime, loop, self.sealing, receipts)
        self.sent: list[Outgoing] = []

    def connect(self, *awaited: str, sequence: int = 0) -> None:
        self.sent = []
        self.open_messages.connected(Welcome(awaited=awaited, sequence=sequence), self.sent.append)

    def take(self, message_id: str, cohort: int = 0) -> Work:
        asked = Instructed(7, 3, message_id, a_key("client-1").public.id, Digests(bytes(32), b"m" * 32))
        self.open_messages.take(Origin(a_key(SERVER).public, asked, b""), payload_of(b"a message"), cohort)
        return self.runtime.works[message_id]

    def reply_to(self, message_id: str) -> Reply:
        """The message is done, and its reply is on its way."""
        self.take(message_id).reply(message_id, Serialised(b"a reply"))
        self.settle()
        reply = self.sent[-1]
        assert isinstance(reply, Reply)
        return reply

    def confirm(self, message_id: str, **received: Any) -> None:
        self.open_messages.confirm(Received(message_id=message_id, **received))

    def receipts(self) -> list[KeptReceipt]:
        """What is kept when all has been written."""
        self._threads.submit(lambda: None).result()
        lines = self._receipts.read_text().splitlines() if self._receipts.exists() else []
        return [KeptReceipt.parse(line) for line in lines]

    def close(self) -> None:
        self._threads.shutdown()

    def settle(self) -> None:
        """Have the loop do what the runtime's thread asked it to."""
        self._loop.run_until_complete(asyncio.sleep(0))

    @property
    def released(self) -> list[str]:
        frames = [item for item in self.sent if isinstance(item, ClientFrame)]
        return [frame.released.message_id for frame in frames if frame.WhichOneof("kind") == "released"]


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    loop = asyncio.new_event_loop()
    held = Held(loop, tmp_path)
    held.connect()
    yield held
    held.close()
    loop.close()


def test_a_reply_is_held_until_the_server_has_it(held: Held) -> None:
    work = held.take("m")
    assert held.open_messages.holding() == ["m"]
    work.reply("m", Serialised(b"a reply"))
    held.settle()
    (reply,) = held.sent
    assert isinstance(reply, Reply)
    assert (reply.message_id, reply.message) == ("m", Serialised(b"a reply"))
    assert held.open_messages.holding() == ["m"]

    held.confirm("m")

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
        held.confirm(name)

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
    assert held.take("m", cohort=7).cohort == 7


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
    reply = held.reply_to("m")
    held.open_messages.disconnected()

    held.connect("m")

    assert held.sent == [reply], "the very same, with the same seal"
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


def receipt_for(reply: Reply, signer: str = SERVER) -> Receipt:
    accepted = Accepted(reply.signed.result().update, time_us=1_700_000_000_000_000)
    return Receipt(time_us=accepted.time_us, signature=a_key(signer).sign(accepted.statement()))


class TestReceipts:
    def test_one_is_kept_for_the_eyes_of_its_user_and_can_be_checked(
        self, held: Held, tmp_path: Path
    ) -> None:
        reply = held.reply_to("m")
        held.confirm("m")
        held.confirm("m", receipt=receipt_for(reply))
        held.confirm("m", receipt=receipt_for(reply))  # told again after a reconnect

        (receipt,) = held.receipts()

        receipt.verify()
        assert receipt.accepted.update == reply.signed.result().update
        assert receipt.update_signature == reply.signed.result().signature
        path = tmp_path / "receipts" / "client-1.jsonl"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_one_for_a_reply_that_arrived_just_before_its_connection_broke_is_kept_as_well(
        self, held: Held
    ) -> None:
        reply = held.reply_to("m")
        held.open_messages.disconnected()
        held.connect()  # the server does not await it any more

        held.confirm("m", receipt=receipt_for(reply))

        assert len(held.receipts()) == 1

    @pytest.mark.parametrize("wrong", ["of somebody else", "for another reply"])
    def test_one_that_the_server_has_not_signed_for_this_reply_is_not_kept(
        self, held: Held, wrong: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        reply, other = held.reply_to("m"), held.reply_to("n")
        held.confirm("m")

        receipt = receipt_for(reply, "somebody else") if wrong == "of somebody else" else receipt_for(other)
        held.confirm("m", receipt=receipt)

        assert held.receipts() == []
        assert "is not one" in caplog.text

    def test_one_that_comes_with_the_confirmation_is_kept_as_well(self, held: Held) -> None:
        reply = held.reply_to("m")

        held.confirm("m", receipt=receipt_for(reply))

        assert len(held.receipts()) == 1

    def test_a_refusal_is_said_to_whoever_runs_the_client(
        self, held: Held, caplog: pytest.LogCaptureFixture
    ) -> None:
        held.reply_to("m")

        held.confirm("m", verdict="wrong_round", detail="It is of another round.")

        assert "the server refused a reply (wrong_round): It is of another round." in caplog.text
        assert held.open_messages.holding() == []

    def test_a_confirmation_of_what_was_not_sent_so_far_does_no_harm(self, held: Held) -> None:
        held.confirm("unheard of", receipt=Receipt())
        work = held.take("m")
        held.confirm("m")

        work.reply("m", Serialised(bytes(10_000_000)))
        held.settle()
        held.confirm("m")

        assert held.open_messages.holding() == []


def test_the_numbers_of_replies_grow_whatever_the_clock_says(held: Held) -> None:
    now = [100]
    held.sealing._clock_us = lambda: now[0]
    numbers = []
    for name, clock in {"a": 100, "b": 100, "c": 50, "d": 200}.items():
        now[0] = clock
        numbers.append(held.reply_to(name).signed.result().update.sequence)
    held.connect(sequence=1_000)
    numbers.append(held.reply_to("e").signed.result().update.sequence)

    assert numbers == [100, 101, 102, 200, 1_001]


def test_a_message_that_is_not_the_servers_is_answered_with_why(held: Held) -> None:
    held.open_messages.refuse("m", "it was changed")

    assert held.open_messages.holding() == ["m"]
    (failure,) = [item.failure for item in held.sent if isinstance(item, ClientFrame)]
    assert (failure.message_id, failure.reason) == ("m", "it was changed")
    assert held.runtime.works == {}
