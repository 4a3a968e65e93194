"""LinkGrid: replies come in any order, losses and forgeries are errors, a stop ends every wait."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import cast

import pytest
from flwr.app import ConfigRecord, Message, RecordDict
from flwr.serverapp import Grid

from app.federation.grid import Instruction, LinkGrid
from app.federation.link_server import LinkServer
from app.federation.session import Task
from shared.errors import ReplyInvalid, RunStopped
from shared.flower import decode, encode, identify_server_task, is_unavailable, node_id_of, set_message_id
from shared.proto.link_pb2 import ServerFrame
from shared.wire import Assembler

RUN_ID = 0x7F3A9C01
CLIENTS = ["client-1", "client-2", "client-3"]


class FakeLink:
    """Keeps what the grid hands over, in place of the link's thread and its network."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.withdrawn: dict[str, str] = {}
        self._assembler = Assembler()

    def dispatch(self, tasks: Iterable[Task]) -> None:
        self.tasks.update({task.client_id: task for task in tasks})

    def withdraw(self, client_id: str, message_id: str, reason: str) -> None:
        assert self.tasks[client_id].message_id == message_id
        self.withdrawn[client_id] = reason

    def sent_to(self, client_id: str) -> Message:
        """The message as the client reads it."""
        task = self.tasks[client_id]
        chunks = [task.opening, *(ServerFrame.FromString(frame).task for frame in task.following)]
        whole = [done for chunk in chunks if (done := self._assembler.add(chunk)) is not None]
        assert [message_id for message_id, _ in whole] == [task.message_id]
        return decode(whole[0][1])

    def reply(self, client_id: str) -> None:
        """The client answers with its own name."""
        content = RecordDict({"answer": ConfigRecord({"from": client_id})})
        reply = Message(content, reply_to=self.sent_to(client_id))
        self.tasks[client_id].on_reply(b"".join(encode(reply)))

    def lose(self, client_id: str) -> None:
        self.tasks[client_id].on_lost(f"{client_id} was lost")


class Watching:
    """Writes down what passes."""

    def __init__(self) -> None:
        self.sent_to: list[list[str]] = []
        self.replies: list[tuple[str, bool]] = []

    def sent(self, instructions: list[Instruction]) -> None:
        self.sent_to.append([instruction.client_id for instruction in instructions])

    def replied(self, instruction: Instruction, reply: Message) -> None:
        self.replies.append((instruction.client_id, reply.has_error()))


def no_check(instruction: Instruction, reply: Message) -> None:
    """Any reply is good."""


@pytest.fixture(autouse=True)
def _server_task() -> None:
    identify_server_task(RUN_ID)


@pytest.fixture
def link() -> FakeLink:
    return FakeLink()


@pytest.fixture
def watching() -> Watching:
    return Watching()


@pytest.fixture
def grid(link: FakeLink, watching: Watching) -> LinkGrid:
    return LinkGrid(cast(LinkServer, link), RUN_ID, lambda: CLIENTS, watching, no_check, lambda: None)


def messages_to(grid: Grid, *client_ids: str, server_round: int = 3) -> list[Message]:
    content = RecordDict({"config": ConfigRecord({"server-round": server_round})})
    grid.get_node_ids()
    return [Message(content, node_id_of(client_id), "train") for client_id in client_ids]


def names(replies: Iterable[Message]) -> list[object]:
    return [reply.content.config_records["answer"]["from"] for reply in replies]


def test_node_ids_are_those_of_the_members_in_their_order(grid: LinkGrid) -> None:
    assert grid.get_node_ids() == [node_id_of(client_id) for client_id in CLIENTS]


def test_messages_go_out_before_anyone_asks_for_a_reply(grid: LinkGrid, link: FakeLink) -> None:
    grid.send_and_receive(messages_to(grid, *CLIENTS))

    assert sorted(link.tasks) == CLIENTS


def test_a_client_gets_the_message_that_was_meant_for_it(grid: LinkGrid, link: FakeLink) -> None:
    grid.push_messages(messages_to(grid, "client-1", "client-2", server_round=5))

    got = link.sent_to("client-2")
    assert got.metadata.dst_node_id == node_id_of("client-2")
    assert got.metadata.run_id == RUN_ID
    assert got.content.config_records["config"]["server-round"] == 5
    task = link.tasks["client-2"]
    assert (task.round, task.message_type, task.message_id) == (5, "train", got.metadata.message_id)


def test_clients_that_get_the_same_content_share_its_bytes(grid: LinkGrid, link: FakeLink) -> None:
    grid.push_messages(messages_to(grid, *CLIENTS))

    first, *others = (link.tasks[client_id].following for client_id in CLIENTS)
    assert first
    assert all(frames is first for frames in others)


def test_replies_are_yielded_in_the_order_in_which_they_come(
    grid: LinkGrid, link: FakeLink, watching: Watching
) -> None:
    replies = grid.send_and_receive(messages_to(grid, *CLIENTS))
    order = ["client-2", "client-3", "client-1"]
    for client_id in order:
        link.reply(client_id)
        assert names([next(replies)]) == [client_id]

    assert list(replies) == []
    assert watching.sent_to == [CLIENTS]
    assert watching.replies == [(client_id, False) for client_id in order]


def test_a_lost_client_is_an_error_reply_and_the_others_count(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")
    link.reply("client-2")

    lost, answered = list(replies)

    assert is_unavailable(lost)
    assert lost.error.reason == "client-1 was lost"
    assert lost.metadata.src_node_id == node_id_of("client-1")
    assert names([answered]) == ["client-2"]


@pytest.mark.parametrize("garbage", [b"", b"\xff" * 50, b"not protobuf"])
def test_a_reply_that_cannot_be_read_is_an_error_reply(
    grid: LinkGrid, link: FakeLink, garbage: bytes
) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    link.tasks["client-1"].on_reply(garbage)

    (reply,) = replies

    assert reply.has_error()
    assert not is_unavailable(reply)


def test_a_reply_of_another_client_is_refused(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    forged = b"".join(encode(Message(RecordDict(), reply_to=link.sent_to("client-2"))))
    link.tasks["client-1"].on_reply(forged)

    reply = next(replies)

    assert reply.has_error()
    assert "another message" in (reply.error.reason or "")
    assert reply.metadata.src_node_id == node_id_of("client-1")


def test_a_reply_to_an_earlier_message_is_refused(grid: LinkGrid, link: FakeLink) -> None:
    list_of_one = messages_to(grid, "client-1")
    replies = grid.send_and_receive(list_of_one)
    old = link.sent_to("client-1")
    set_message_id(old, "an earlier one")
    link.tasks["client-1"].on_reply(b"".join(encode(Message(RecordDict(), reply_to=old))))

    assert next(replies).has_error()


def test_a_reply_from_another_run_is_refused(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    stranger = link.sent_to("client-1")
    stranger.metadata.__dict__["_run_id"] = RUN_ID + 1
    link.tasks["client-1"].on_reply(b"".join(encode(Message(RecordDict(), reply_to=stranger))))

    assert next(replies).has_error()


def test_a_reply_that_the_check_refuses_is_an_error_reply(link: FakeLink, watching: Watching) -> None:
    def check(instruction: Instruction, reply: Message) -> None:
        if instruction.client_id == "client-1":
            raise ReplyInvalid("it is too small")

    grid = LinkGrid(cast(LinkServer, link), RUN_ID, lambda: CLIENTS, watching, check, lambda: None)
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.reply("client-1")
    link.reply("client-2")

    refused, accepted = list(replies)

    assert refused.error.reason == "it is too small"
    assert not is_unavailable(refused)
    assert names([accepted]) == ["client-2"]
    assert watching.replies == [("client-1", True), ("client-2", False)]


def test_a_client_that_cannot_answer_has_failed_and_is_not_lost(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    link.tasks["client-1"].on_failure("it could not read the message")

    reply = next(replies)

    assert reply.error.reason == "it could not read the message"
    assert not is_unavailable(reply)


def test_a_second_reply_to_the_same_message_is_ignored(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    for client_id in ("client-1", "client-1", "client-2"):
        link.reply(client_id)

    assert names(replies) == ["client-1", "client-2"]


def test_after_the_time_limit_the_silent_clients_are_told_to_stop(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"), timeout=0.05)
    link.reply("client-2")

    assert names(replies) == ["client-2"]
    assert link.withdrawn == {"client-1": "the round's time is over"}


def test_a_reply_after_the_time_limit_is_ignored(grid: LinkGrid, link: FakeLink, watching: Watching) -> None:
    assert list(grid.send_and_receive(messages_to(grid, "client-1"), timeout=0)) == []
    link.reply("client-1")
    replies = grid.send_and_receive(messages_to(grid, "client-2"))
    link.reply("client-2")

    assert names(replies) == ["client-2"]
    assert watching.replies == [("client-2", False)]


def test_a_message_to_nobody_is_refused_and_nothing_is_sent(grid: LinkGrid, link: FakeLink) -> None:
    messages = [*messages_to(grid, "client-1"), *messages_to(grid, "a stranger")]

    with pytest.raises(ValueError, match=r"no node \d+ on this grid"):
        grid.push_messages(messages)

    assert link.tasks == {}


def test_replies_can_be_pulled_without_waiting(grid: LinkGrid, link: FakeLink) -> None:
    one, two = grid.push_messages(messages_to(grid, "client-1", "client-2"))
    assert grid.pull_messages([one, two]) == []
    link.reply("client-2")

    assert names(grid.pull_messages([one, two])) == ["client-2"]
    assert grid.pull_messages([one, two]) == []


def test_a_stop_ends_the_wait_for_replies(grid: LinkGrid) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    stopper = threading.Thread(target=grid.stop, args=("stopped by request",))
    stopper.start()

    with pytest.raises(RunStopped, match="stopped by request"):
        next(replies)
    stopper.join()


def test_a_stop_ends_the_wait_for_clients(grid: LinkGrid) -> None:
    grid.stop("the server was shut down")

    with pytest.raises(RunStopped, match="shut down"):
        grid.wait_until(lambda: False)


def test_every_call_after_a_stop_says_that_it_was_stopped(grid: LinkGrid) -> None:
    grid.stop("enough")
    with pytest.raises(RunStopped):
        grid.get_node_ids()

    with pytest.raises(RunStopped, match="enough"):
        grid.get_node_ids()
    with pytest.raises(RunStopped, match="enough"):
        grid.pull_messages([])


def test_the_wait_for_clients_looks_again_when_one_came(link: FakeLink, watching: Watching) -> None:
    heard: list[str] = []
    grid = LinkGrid(
        cast(LinkServer, link), RUN_ID, lambda: CLIENTS, watching, no_check, lambda: heard.append("heard")
    )

    def both_came() -> bool:
        grid.membership_changed()  # one more comes while the run thread looks
        return len(heard) == 2

    grid.wait_until(both_came)

    assert heard == ["heard", "heard"]


def test_at_the_end_of_a_run_everybody_is_told_to_stop(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.reply("client-1")
    next(replies)

    grid.withdraw_all("the run is over")

    assert link.withdrawn == {"client-2": "the run is over"}


@pytest.mark.parametrize(
    ("content", "group", "expected"),
    [
        (RecordDict({"config": ConfigRecord({"server-round": 4})}), "9", 4),
        (RecordDict(), "9", 9),
        (RecordDict({"config": ConfigRecord({"server-round": "four"})}), "", None),
        (RecordDict(), "a word", None),
    ],
)
def test_the_round_is_read_as_strategies_write_it(
    grid: LinkGrid, link: FakeLink, content: RecordDict, group: str, expected: int | None
) -> None:
    (node_id, *_) = grid.get_node_ids()

    grid.push_messages([grid.create_message(content, "train", node_id, group)])

    assert link.tasks["client-1"].round == expected
