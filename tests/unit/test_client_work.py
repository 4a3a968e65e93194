"""What a client has to do, over its connections, without any."""

from __future__ import annotations

import pytest

from app.records import ClientState
from shared.proto.link_pb2 import (
    Assignment,
)
from tests.support.working import RUN_ID, Working


@pytest.fixture
def working() -> Working:
    return Working()


def test_a_client_that_comes_is_told_its_place_and_given_its_messages(working: Working) -> None:
    working.assign()
    working.dispatch("m")
    assert working.told == ["away"]

    stream = working.connect()

    assert stream.kinds == ["welcome", "assignment", "task"]
    assert working.told == ["away", "back"]
    assert working.state() is ClientState.TRAINING


def test_what_a_client_still_holds_is_not_sent_again(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m", "n")
    working.client_work.disconnected("client-1", stream, "its line was cut")

    again = working.connect("m", "unheard of")

    assert list(again.sent[0].welcome.awaited) == ["m"]
    assert [frame.task.message_id for frame in again.sent if frame.HasField("task")] == ["n"]
    assert working.told == ["away", "away", "back", "back"]


def test_a_client_that_is_lost_is_shown_so_and_its_messages_stay_open(working: Working) -> None:
    stream = working.connect()
    working.dispatch("m")

    working.client_work.disconnected("client-1", stream, "its line was cut")

    assert working.state() is ClientState.LOST
    assert working.told == ["away"]
    assert working.reports.is_awaited("client-1", "m")


def test_the_next_connection_of_a_client_takes_over_without_a_word(working: Working) -> None:
    old = working.connect()
    working.dispatch("m")
    new = working.connect("m")

    working.client_work.disconnected("client-1", old, "its line was cut")
    assert working.state() is ClientState.TRAINING
    assert working.told == ["back"]

    working.client_work.disconnected("client-1", new, "its line was cut")
    assert working.told == ["back", "away"]


def test_a_run_that_ends_is_forgotten_and_pauses_nobody_any_more(working: Working) -> None:
    stream = working.connect()
    working.assign()
    working.client_work.set_paused(RUN_ID, True)
    working.client_work.set_paused(RUN_ID, True)
    working.client_work.set_paused(RUN_ID + 1, False)
    working.client_work.end_run(RUN_ID)

    assert [frame.pause.paused for frame in stream.sent if frame.HasField("pause")] == [True, False]
    assert working.connect().kinds == ["welcome"]


def test_a_client_is_told_when_its_run_is_over_or_by_its_welcome_if_it_was_away(working: Working) -> None:
    working.assign()
    stream = working.connect()
    assert stream.sent[0].welcome.run_id == RUN_ID

    working.client_work.end_run(RUN_ID + 1)
    assert "run_over" not in stream.kinds
    working.client_work.end_run(RUN_ID)

    assert stream.kinds[-1] == "run_over"
    assert working.connect().sent[0].welcome.run_id == 0


def test_what_a_client_says_is_of_the_run_in_which_it_has_a_place(working: Working) -> None:
    working.connect()
    assert working.client_work.run_of("client-1") is None

    working.client_work.assign("client-1", Assignment(run_id=RUN_ID, run="0000002a"))
    assert working.client_work.run_of("client-1") == "0000002a"

    working.client_work.end_run(RUN_ID)
    assert working.client_work.run_of("client-1") is None


def test_a_client_that_comes_into_a_paused_run_is_told_by_its_welcome(working: Working) -> None:
    working.assign()
    working.client_work.set_paused(RUN_ID, True)

    assert working.connect().sent[0].welcome.paused


def test_a_message_that_is_withdrawn_is_cancelled_and_what_came_of_its_reply_is_dropped(
    working: Working,
) -> None:
    stream = working.connect()
    working.dispatch("m")

    working.withdraw("m")
    working.withdraw("m")

    assert stream.kinds.count("cancel") == 1
    assert stream.dropped == ["m"]
    assert working.told == []


@pytest.mark.parametrize(("late", "state"), [(True, ClientState.LATE), (False, ClientState.IDLE)])
def test_a_client_is_late_over_a_reconnect_as_long_as_it_holds_what_it_is_late_with(
    working: Working, late: bool, state: ClientState
) -> None:
    working.connect()
    working.dispatch("m")
    working.withdraw("m", late=late)
    assert working.state() is state

    working.connect("m")
    assert working.state() is state

    working.reports.released("client-1", "m")
    assert working.state() is ClientState.IDLE
    working.reports.released("client-1", "m")
    assert working.state() is ClientState.IDLE


def test_a_client_that_holds_nothing_when_it_comes_back_is_not_late(working: Working) -> None:
    working.connect()
    working.dispatch("m")
    working.withdraw("m")

    working.connect()

    assert working.state() is ClientState.IDLE


def test_only_what_is_open_can_be_late(working: Working) -> None:
    working.connect()
    working.dispatch("m")

    working.client_work.mark_late("client-1", "another")
    assert working.state() is ClientState.TRAINING

    working.client_work.mark_late("client-1", "m")
    assert working.state() is ClientState.LATE


def test_the_newest_message_is_what_a_client_is_shown_to_work_on(working: Working) -> None:
    working.connect()
    working.dispatch("m")
    working.dispatch("n", kind="evaluate")
    assert working.state() is ClientState.EVALUATING

    working.reply("n")

    assert working.state() is ClientState.TRAINING


def test_when_the_server_ends_those_who_wait_for_a_client_that_is_there_are_told(working: Working) -> None:
    working.connect()
    working.dispatch("m")

    working.client_work.away("the server shuts down")

    assert working.told == ["away"]
