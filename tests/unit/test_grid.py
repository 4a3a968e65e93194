"""LinkGrid: replies come in any order, losses and forgeries are errors, a stop ends every wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import pytest
from flwr.app import ConfigRecord, Message, RecordDict
from flwr.serverapp import Grid

from app.federation.grid.content import KEPT_BYTES, Content
from app.federation.grid.instruction import Instruction
from app.federation.grid.link_grid import LinkGrid
from app.federation.link.task import Task
from app.federation.runs import words
from app.records import Verdict, WaitingFor
from shared.buffers import MemoryBuffer
from shared.chunks import Assembler
from shared.errors import ReplyInvalid, RunStopped, StoreUnavailable
from shared.flower import (
    decode,
    encode_content,
    identify_server_task,
    is_declined,
    is_unavailable,
    node_id_of,
    set_message_id,
)
from shared.payload import Payload
from shared.proto.link_pb2 import ServerFrame
from tests.support.payloads import payload_of

RUN_ID = 0x7F3A9C01
CLIENTS = ["client-1", "client-2", "client-3"]


class FakeLink:
    """Keeps what the grid hands over, in place of the link's thread and its network."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.withdrawn: dict[str, str] = {}
        self.late: list[str] = []
        self.paused: list[bool] = []
        self.judged: list[tuple[str, Verdict]] = []
        self._assembler = Assembler()

    def dispatch(self, tasks: Iterable[Task]) -> None:
        self.tasks.update({task.client_id: task for task in tasks})

    def withdraw(self, client_id: str, message_id: str, reason: str, *, late: bool = False) -> None:
        assert self.tasks[client_id].message_id == message_id
        self.withdrawn[client_id] = f"late: {reason}" if late else reason

    def mark_late(self, client_id: str, message_id: str) -> None:
        assert self.tasks[client_id].message_id == message_id
        self.late.append(client_id)

    def set_paused(self, run_id: int, paused: bool) -> None:
        assert run_id == RUN_ID
        self.paused.append(paused)

    def sent_to(self, client_id: str) -> Message:
        """The message as the client reads it."""
        task = self.tasks[client_id]
        chunks = [task.opening, *(ServerFrame.FromString(frame).task for frame in task.content.frames())]
        whole = [done for chunk in chunks if (done := self._assembler.add(chunk)) is not None]
        assert [each.message_id for each in whole] == [task.message_id]
        assert whole[0].payload is not None
        return decode(whole[0].payload)

    def reply(self, client_id: str) -> None:
        """The client answers with its own name."""
        content = RecordDict({"answer": ConfigRecord({"from": client_id})})
        reply = Message(content, reply_to=self.sent_to(client_id))
        self.deliver(client_id, payload_of(reply))

    def deliver(self, client_id: str, payload: Payload) -> None:
        """A reply of the client's came in that is genuine."""
        self.tasks[client_id].on_reply(payload, lambda verdict, _: self.judged.append((client_id, verdict)))

    def lose(self, client_id: str) -> None:
        self.tasks[client_id].on_away(f"{client_id} was lost")

    def come_back(self, client_id: str) -> None:
        self.tasks[client_id].on_back()

    def fail(self, client_id: str) -> None:
        self.tasks[client_id].on_failure("it could not", None)


class Watching:
    """Writes down what passes."""

    def __init__(self) -> None:
        self.sent_to: list[list[str]] = []
        self.replies: list[tuple[str, bool]] = []
        self.verdicts: list[Verdict | None] = []
        self.too_late: list[str] = []
        self.refused: str | None = None

    def sent(self, instructions: list[Instruction]) -> list[int | None]:
        self.sent_to.append([instruction.client_id for instruction in instructions])
        return [instruction.round for instruction in instructions]

    def replied(self, instruction: Instruction, reply: Message, verdict: Verdict | None) -> None:
        if instruction.client_id == self.refused and not reply.has_error():
            raise ReplyInvalid("it is too small")
        self.replies.append((instruction.client_id, reply.has_error()))
        self.verdicts.append(verdict)

    def late(self, instruction: Instruction) -> None:
        self.too_late.append(instruction.client_id)


class FakeOwner:
    """A run with three clients and the patience that a test gives it."""

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.needed = 0
        self.others_are_there = False
        self.said: list[str] = []
        self.changed: Callable[[], None] = lambda: None
        self.went_on: Callable[[], None] = lambda: None
        self.looks_for_clients: Callable[[], None] = lambda: None

    def admit(self) -> list[str]:
        self.looks_for_clients()
        return CLIENTS

    def sending(self) -> None:
        """Nothing to do."""

    def membership_changed(self) -> None:
        self.said.append("membership changed")
        self.changed()

    def deadline_s(self, kind: str) -> float | None:
        return self.deadline

    def cohort(self, asked: int) -> int:
        return asked

    def required(self, kind: str, asked: int, declined: int) -> int:
        return self.needed

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        return 2 * sent_bytes

    def can_start_over(self, kind: str) -> bool:
        return self.others_are_there

    def waits(self, waiting_for: WaitingFor) -> None:
        self.said.append(words.waiting(waiting_for))
        self.changed()

    def goes_on(self) -> None:
        self.said.append("goes on")

    def paused(self) -> None:
        self.said.append("paused")
        self.changed()

    def resumed(self) -> None:
        self.said.append("resumed")
        self.went_on()


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
def owner() -> FakeOwner:
    return FakeOwner()


@pytest.fixture
def grid(link: FakeLink, owner: FakeOwner, watching: Watching) -> LinkGrid:
    return LinkGrid(link, RUN_ID, owner, watching)


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

    first, *others = (link.tasks[client_id].content for client_id in CLIENTS)
    assert all(content is first for content in others)


@pytest.mark.parametrize("characters", [1_000, KEPT_BYTES], ids=["small", "large"])
def test_a_large_content_is_cut_for_each_client_and_a_small_one_once(characters: int) -> None:
    content = Content(encode_content(RecordDict({"config": ConfigRecord({"text": "x" * characters})})))
    first, second = list(content.frames()), list(content.frames())

    assert first == second
    assert len(content.skeleton) < sum(map(len, first))
    is_shared = all(one is other for one, other in zip(first, second, strict=True))
    assert is_shared is (characters < KEPT_BYTES)


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


@pytest.mark.parametrize("garbage", [b"", b"\xff" * 50, b"not protobuf"])
def test_a_reply_that_cannot_be_read_is_an_error_reply(
    grid: LinkGrid, link: FakeLink, garbage: bytes
) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    link.deliver("client-1", payload_of(garbage))

    (reply,) = replies

    assert reply.has_error()
    assert not is_unavailable(reply)


def test_a_reply_of_another_client_is_refused(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    forged = payload_of(Message(RecordDict(), reply_to=link.sent_to("client-2")))
    link.deliver("client-1", forged)

    reply = next(replies)

    assert reply.has_error()
    assert "another message" in (reply.error.reason or "")
    assert reply.metadata.src_node_id == node_id_of("client-1")


def test_a_reply_to_an_earlier_message_is_refused(grid: LinkGrid, link: FakeLink) -> None:
    list_of_one = messages_to(grid, "client-1")
    replies = grid.send_and_receive(list_of_one)
    old = link.sent_to("client-1")
    set_message_id(old, "an earlier one")
    link.deliver("client-1", payload_of(Message(RecordDict(), reply_to=old)))

    assert next(replies).has_error()


def test_a_reply_from_another_run_is_refused(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    stranger = link.sent_to("client-1")
    stranger.metadata.__dict__["_run_id"] = RUN_ID + 1
    link.deliver("client-1", payload_of(Message(RecordDict(), reply_to=stranger)))

    assert next(replies).has_error()


def test_a_reply_that_the_check_refuses_is_an_error_reply(
    grid: LinkGrid, link: FakeLink, watching: Watching
) -> None:
    watching.refused = "client-1"
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.reply("client-1")
    link.reply("client-2")

    refused, accepted = list(replies)

    assert refused.error.reason == "it is too small"
    assert not is_unavailable(refused)
    assert names([accepted]) == ["client-2"]
    assert watching.replies == [("client-1", True), ("client-2", False)]
    assert watching.verdicts == [Verdict.MALFORMED, Verdict.ACCEPTED]
    assert link.judged == [("client-1", Verdict.MALFORMED), ("client-2", Verdict.ACCEPTED)]


def test_a_client_that_cannot_answer_has_failed_and_is_not_lost(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    link.tasks["client-1"].on_failure("it could not read the message", None)

    reply = next(replies)

    assert reply.error.reason == "it could not read the message"
    assert not is_unavailable(reply)


def test_a_client_whose_site_declines_has_not_failed_and_is_not_lost(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    link.tasks["client-1"].on_failure(
        "declined by its site: minimum_cohort = 5, and the run has 3", Verdict.DECLINED
    )

    (reply,) = replies

    assert is_declined(reply)
    assert not is_unavailable(reply)
    assert reply.error.reason == "declined by its site: minimum_cohort = 5, and the run has 3"


def test_clients_are_told_how_many_are_asked_the_same(grid: LinkGrid, link: FakeLink) -> None:
    evaluated = messages_to(grid, "client-3")
    evaluated[0].metadata.message_type = "evaluate"

    grid.push_messages(messages_to(grid, "client-1", "client-2") + evaluated)

    assert {name: task.opening.cohort for name, task in link.tasks.items()} == {
        "client-1": 2,
        "client-2": 2,
        "client-3": 1,
    }


def test_a_second_reply_to_the_same_message_is_ignored(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    for client_id in ("client-1", "client-1", "client-2"):
        link.reply(client_id)

    assert names(replies) == ["client-1", "client-2"]


def test_after_the_time_limit_the_silent_clients_are_told_to_stop(
    grid: LinkGrid, link: FakeLink, watching: Watching
) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"), timeout=0.05)
    link.reply("client-2")

    assert names(replies) == ["client-2"]
    assert link.withdrawn == {"client-1": "late: the round went on without it"}
    assert watching.too_late == ["client-1"]


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


def test_a_message_that_was_given_up_has_no_reply_any_more(
    grid: LinkGrid, link: FakeLink, watching: Watching
) -> None:
    (message_id,) = grid.push_messages(messages_to(grid, "client-1"))

    grid.give_up(message_id, "it is too old")
    grid.give_up("no such message", "it is too old")
    link.reply("client-1")

    assert grid.pull_messages([message_id]) == []
    assert watching.too_late == ["client-1"]
    assert link.withdrawn == {"client-1": "late: it is too old"}


def test_what_is_done_in_turn_is_done_at_once_unless_the_run_was_stopped(grid: LinkGrid) -> None:
    done: list[int] = []
    grid.in_turn(lambda: done.append(1))

    grid.stop("enough")
    with pytest.raises(RunStopped):
        grid.in_turn(lambda: done.append(2))

    assert done == [1]


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


def test_the_wait_for_clients_looks_again_when_one_came(grid: LinkGrid, owner: FakeOwner) -> None:
    def both_came() -> bool:
        grid.membership_changed()  # one more comes while the run thread looks
        return len(owner.said) == 2

    grid.wait_until(both_came)

    assert owner.said == ["membership changed"] * 2


def test_after_the_deadline_enough_replies_will_do_and_the_rest_is_late(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink, watching: Watching
) -> None:
    owner.deadline, owner.needed = 0.05, 2
    replies = grid.send_and_receive(messages_to(grid, *CLIENTS))
    link.reply("client-3")
    link.reply("client-1")

    assert names(replies) == ["client-3", "client-1"]
    assert watching.too_late == ["client-2"]
    assert link.withdrawn == {"client-2": "late: the round went on without it"}
    assert owner.said == []


def test_with_too_few_replies_the_deadline_passes_and_the_run_says_for_whom_it_waits(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink, watching: Watching
) -> None:
    owner.deadline, owner.needed = 0.05, 2
    owner.changed = lambda: link.reply("client-3")  # as soon as the run says that it waits
    replies = grid.send_and_receive(messages_to(grid, *CLIENTS))
    link.reply("client-1")

    assert names(replies) == ["client-1", "client-3"]
    waits = "waiting for 1 more reply (1 of 2): client-2 is late; client-3 is late"
    assert owner.said == [waits, "goes on"]
    assert sorted(link.late) == ["client-2", "client-3"]
    assert watching.too_late == ["client-2"]


def test_a_lost_client_does_not_stop_a_round_that_has_enough_replies(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink, watching: Watching
) -> None:
    owner.needed = 1
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")
    link.reply("client-2")

    answered, lost = list(replies)

    assert names([answered]) == ["client-2"]
    assert is_unavailable(lost)
    assert lost.error.reason == "client-1 was lost"
    assert lost.metadata.src_node_id == node_id_of("client-1")
    assert owner.said == []
    assert watching.replies == [("client-2", False), ("client-1", True)]


def test_without_enough_replies_a_round_waits_for_the_lost_to_come_back(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    owner.needed = 2

    def come_back_and_answer() -> None:
        link.come_back("client-1")
        link.reply("client-1")

    owner.changed = come_back_and_answer
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")
    link.reply("client-2")

    assert names(replies) == ["client-2", "client-1"]
    assert owner.said == ["waiting for 1 more reply (1 of 2): client-1 is lost", "goes on"]


def test_a_round_whose_clients_are_lost_ends_when_it_can_be_tried_with_others(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    owner.needed, owner.others_are_there = 1, True
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")
    link.lose("client-2")

    assert all(is_unavailable(reply) for reply in replies)
    assert sorted(link.withdrawn) == ["client-1", "client-2"]


def test_a_client_that_is_away_is_waited_for_while_others_still_compute(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    replies = grid.send_and_receive(messages_to(grid, *CLIENTS))
    link.lose("client-1")
    link.reply("client-2")
    assert names([next(replies)]) == ["client-2"]
    link.come_back("client-1")
    link.reply("client-3")
    link.reply("client-1")

    assert names(replies) == ["client-3", "client-1"]
    assert owner.said == []


def test_who_pulls_replies_is_told_at_once_of_a_lost_client(grid: LinkGrid, link: FakeLink) -> None:
    one, two = grid.push_messages(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")

    (reply,) = grid.pull_messages([one, two])

    assert is_unavailable(reply)
    assert list(link.withdrawn) == ["client-1"]


def test_a_failure_is_an_error_reply_that_does_not_count(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    owner.needed = 1
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.fail("client-1")
    link.fail("client-2")

    assert [reply.error.reason for reply in replies] == ["it could not", "it could not"]


def test_while_paused_replies_wait_and_no_deadline_passes(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink, watching: Watching
) -> None:
    owner.deadline = 0.1
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    grid.pause()

    def later() -> None:
        assert owner.said == ["paused"]
        link.reply("client-1")
        threading.Timer(0.2, grid.resume).start()  # longer than the deadline

    owner.changed = later

    assert names(replies) == ["client-1"]
    assert link.paused == [True, False]
    assert owner.said == ["paused", "resumed"]
    assert watching.too_late == []


def test_while_paused_nothing_is_sent(grid: LinkGrid, owner: FakeOwner, link: FakeLink) -> None:
    messages = messages_to(grid, "client-1")
    grid.pause()
    sent_before: list[bool] = []

    def resume() -> None:
        sent_before.append(bool(link.tasks))
        grid.resume()

    owner.changed = resume

    grid.push_messages(messages)

    assert sent_before == [False]
    assert list(link.tasks) == ["client-1"]


def test_a_paused_run_can_be_stopped(grid: LinkGrid) -> None:
    grid.pause()
    grid.stop("stopped by request")

    with pytest.raises(RunStopped, match="stopped by request"):
        grid.get_node_ids()


def test_at_the_end_of_a_run_everybody_is_told_to_stop(grid: LinkGrid, link: FakeLink) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.reply("client-1")
    next(replies)

    grid.end("the run is over")

    assert link.withdrawn == {"client-2": "the run is over"}
    with pytest.raises(RunStopped, match="the run is over"):
        grid.get_node_ids()


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


def test_after_a_pause_a_run_says_again_for_whom_it_waits(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    owner.needed = 1
    waits = "waiting for 1 more reply (0 of 1): client-1 is lost"

    def changed() -> None:
        if owner.said == [waits]:
            grid.pause()
            grid.resume()
        elif owner.said.count(waits) == 2:
            link.come_back("client-1")
            link.reply("client-1")

    owner.changed = changed
    replies = grid.send_and_receive(messages_to(grid, "client-1"), timeout=2)
    link.lose("client-1")

    assert names(replies) == ["client-1"]
    assert owner.said == [waits, "paused", "resumed", waits, "goes on"]


@pytest.mark.parametrize("interrupts", [True, False])
def test_the_first_stop_counts(grid: LinkGrid, interrupts: bool) -> None:
    grid.stop("the first", interrupts=interrupts)
    grid.stop("the second", interrupts=not interrupts)
    with pytest.raises(RunStopped, match="the first"):
        grid.breathe()

    grid.membership_changed()
    with pytest.raises(RunStopped, match="the first"):
        grid.wait_until(lambda: False)
    assert grid.interrupted is interrupts


def test_who_asks_twice_for_the_same_reply_gets_it_once(grid: LinkGrid, link: FakeLink) -> None:
    one, two = grid.push_messages(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")
    link.reply("client-2")

    lost, answered = grid.pull_messages([one, one, two, two])

    assert is_unavailable(lost)
    assert names([answered]) == ["client-2"]


class TestRelease:
    """What the spool holds of a reply is given back, whatever becomes of the reply."""

    @pytest.fixture
    def held(self) -> list[str]:
        """The replies that are held, by name."""
        return []

    def answer(self, link: FakeLink, held: list[str], client_id: str, reply: Message | bytes) -> None:
        """The client's reply comes in whole, from a spool that keeps the books."""
        payload = payload_of(reply)
        buffer = MemoryBuffer(lambda: held.remove(client_id))
        buffer.add(payload.buffer.read(0, len(payload.buffer)))
        held.append(client_id)
        link.deliver(client_id, Payload(buffer, payload.array_bytes))

    def right(self, link: FakeLink, client_id: str) -> Message:
        content = RecordDict({"answer": ConfigRecord({"from": client_id})})
        return Message(content, reply_to=link.sent_to(client_id))

    def test_after_a_reply_was_read(self, grid: LinkGrid, link: FakeLink, held: list[str]) -> None:
        replies = grid.send_and_receive(messages_to(grid, "client-1"))
        self.answer(link, held, "client-1", self.right(link, "client-1"))
        assert held == ["client-1"]

        assert names(replies) == ["client-1"]
        assert held == []

    def test_of_a_reply_that_cannot_be_read(self, grid: LinkGrid, link: FakeLink, held: list[str]) -> None:
        replies = grid.send_and_receive(messages_to(grid, "client-1"))
        self.answer(link, held, "client-1", b"garbage")

        assert [reply.has_error() for reply in replies] == [True]
        assert held == []

    def test_of_a_reply_that_the_check_refuses(
        self, grid: LinkGrid, watching: Watching, link: FakeLink, held: list[str]
    ) -> None:
        watching.refused = "client-1"
        replies = grid.send_and_receive(messages_to(grid, "client-1"))
        self.answer(link, held, "client-1", self.right(link, "client-1"))

        assert [reply.has_error() for reply in replies] == [True]
        assert held == []

    def test_when_the_check_has_an_error_of_its_own(
        self,
        grid: LinkGrid,
        watching: Watching,
        link: FakeLink,
        held: list[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def broken(*_: object) -> None:
            raise StoreUnavailable("the disk is full")

        monkeypatch.setattr(watching, "replied", broken)
        replies = grid.send_and_receive(messages_to(grid, "client-1"))
        self.answer(link, held, "client-1", self.right(link, "client-1"))

        with pytest.raises(StoreUnavailable):
            next(replies)
        assert held == []

    def test_of_a_reply_that_comes_too_late(self, grid: LinkGrid, link: FakeLink, held: list[str]) -> None:
        assert list(grid.send_and_receive(messages_to(grid, "client-1"), timeout=0)) == []
        self.answer(link, held, "client-1", self.right(link, "client-1"))

        grid.breathe()

        assert held == []

    def test_of_replies_that_nobody_has_read_when_the_run_is_over(
        self, grid: LinkGrid, link: FakeLink, held: list[str]
    ) -> None:
        grid.push_messages(messages_to(grid, "client-1", "client-2"))
        self.answer(link, held, "client-1", self.right(link, "client-1"))
        grid.stop("stopped by request")
        with pytest.raises(RunStopped):
            grid.breathe()

        grid.end("the run is over")
        assert held == []

        self.answer(link, held, "client-2", self.right(link, "client-2"))
        assert held == []
