"""LinkGrid: replies come in any order, losses and forgeries are errors."""

from __future__ import annotations

import pytest
from flwr.app import ConfigRecord, Message, RecordDict

from app.federation.grid.content import KEPT_BYTES, Content
from app.federation.grid.link_grid import LinkGrid
from app.records import Verdict
from shared.errors import RunStopped
from shared.flower import (
    encode_content,
    is_declined,
    is_unavailable,
    node_id_of,
    set_message_id,
)
from tests.support.fake_link import CLIENTS, RUN_ID, FakeLink, Watching, messages_to, names
from tests.support.payloads import payload_of


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


def test_who_asks_twice_for_the_same_reply_gets_it_once(grid: LinkGrid, link: FakeLink) -> None:
    one, two = grid.push_messages(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")
    link.reply("client-2")

    lost, answered = grid.pull_messages([one, one, two, two])

    assert is_unavailable(lost)
    assert names([answered]) == ["client-2"]
