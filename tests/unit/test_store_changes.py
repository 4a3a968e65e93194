"""What a batch changes: no more than what is new, so that ticks and large cohorts cost nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.event_bus import EventBus
from app.events import EventData
from app.records import (
    ClientProgress,
    ClientRound,
    ClientState,
    LogRecord,
    Phase,
    Round,
    RoundUpdate,
    RunProgress,
    RunState,
)
from app.store.changes import Changes, Known, changes_of
from tests.support.records import a_client, a_run


class Follower:
    """Follows a bus as the store does, but writes nowhere."""

    def __init__(self) -> None:
        self._bus = EventBus()
        self._known = Known()

    def tell(self, *data: EventData) -> Changes:
        before = self._bus.last
        for one in data:
            self._bus.publish(one)
        changes = changes_of(self._bus.since(before), self._known)
        self._known.add(changes.known)
        return changes


@pytest.fixture
def follower() -> Follower:
    return Follower()


def a_round(*client_ids: str, **fields: Any) -> RoundUpdate:
    per_client = {client_id: ClientRound(loss=1.0) for client_id in client_ids}
    return RoundUpdate(run_id="a", round=Round(round=1, started_at=0.0, per_client=per_client, **fields))


def test_progress_of_a_run_is_no_change(follower: Follower) -> None:
    run = a_run("a", state=RunState.RUNNING)
    assert follower.tell(run).runs

    progress = RunProgress(phase=Phase.TRAINING, done=1, total=3, since=1.0)
    assert not follower.tell(run.model_copy(update={"progress": progress}))


def test_progress_tasks_and_signs_of_life_of_a_client_are_no_change(follower: Follower) -> None:
    client = a_client()
    assert follower.tell(client).clients

    progress = ClientProgress(done=1, total=9, examples_per_s=10.0)
    ticks = (
        {"state": ClientState.TRAINING, "round": 1, "progress": progress},
        {"state": ClientState.EVALUATING, "round": 1, "last_seen": 99.0},
        {"reason": "it holds other data"},
    )
    assert not any(follower.tell(client.model_copy(update=tick)) for tick in ticks)


def test_a_run_that_comes_back_to_what_it_was_is_written_once_and_its_states_are_history(
    follower: Follower,
) -> None:
    running = a_run("a", state=RunState.RUNNING)
    follower.tell(running)

    changes = follower.tell(a_run("a", state=RunState.WAITING), running)

    assert changes.runs == []
    assert [event["data"]["state"] for event in changes.events] == ["waiting", "running"]


def test_of_a_round_only_the_new_results_are_written(follower: Follower) -> None:
    follower.tell(a_run("a"), a_round("x", "y"))

    changes = follower.tell(a_round("x", "y", "z"))

    assert [row["client_id"] for row in changes.client_rounds] == ["z"]
    assert (changes.begun_rounds, changes.gone_client_rounds) == ([], [])


def test_a_round_is_written_once_for_many_updates(follower: Follower) -> None:
    follower.tell(a_run("a"))

    changes = follower.tell(*(a_round(*(f"c{n}" for n in range(number))) for number in range(50)))

    assert len(changes.rounds) == 1
    assert len(changes.client_rounds) == 49


def test_after_a_failure_everything_is_written_whole(follower: Follower) -> None:
    run, client, round_ = a_run("a"), a_client(), a_round("x")
    follower.tell(run, client, round_)
    follower._known.forget_rows()

    changes = follower.tell(run, client, round_)

    assert (len(changes.runs), len(changes.clients), len(changes.client_rounds)) == (1, 1, 1)
    assert len(changes.begun_rounds) == 1
    assert changes.events == []


def test_every_log_record_is_written(follower: Follower) -> None:
    line = LogRecord(level="info", source="server", logger="test", message="the same")

    assert [row["seq"] for row in follower.tell(line, line).logs] == [1, 2]
