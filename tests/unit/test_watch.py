"""What of all that happens is told to those who are away."""

from __future__ import annotations

from typing import Any

import pytest

from app.events import Event, event_of
from app.notices.watch import Watch
from app.records import (
    Cause,
    Client,
    ClientRound,
    GlobalScore,
    MembershipState,
    Round,
    RoundUpdate,
    Run,
    RunState,
    WaitingFor,
    WaitKind,
)
from app.records.notices import Notice, NoticeKind
from tests.support.records import A_KEY, a_client, a_run

WAITING_S = 60.0


class Followed:
    """A watch, and the events that it is told of, each a second after the one before."""

    def __init__(self, *there: Run | Client) -> None:
        runs = [each for each in there if isinstance(each, Run)]
        clients = [each for each in there if isinstance(each, Client)]
        self.watch = Watch("AAAA", WAITING_S, runs, clients)
        self.now = 1_000.0

    def tell(self, *data: Any) -> list[Notice]:
        events: list[Event] = []
        for each in data:
            self.now += 1
            events.append(event_of(int(self.now), self.now, each))
        return self.watch.take(events, self.now)

    def later(self, seconds: float) -> list[Notice]:
        self.now += seconds
        return self.watch.take([], self.now)


def a_wait(kind: WaitKind = WaitKind.CLIENTS) -> WaitingFor:
    return WaitingFor(kind=kind, have=1, need=2)


def test_the_end_of_a_run_is_told_once_with_its_figures() -> None:
    followed = Followed(a_run())
    ended = a_run(
        state=RunState.COMPLETED,
        name="night",
        round=5,
        num_rounds=5,
        final=GlobalScore(loss=0.1, accuracy=0.987),
        finished_at=1_002.0,
    )

    [notice] = followed.tell(a_run(state=RunState.RUNNING), ended)

    assert notice.event is NoticeKind.RUN_COMPLETED
    assert notice.text == "Run night (7f3a9c01) is complete in round 5 of 5, accuracy 98.7%."
    assert notice.run is not None
    assert (notice.run.accuracy, notice.run.loss, notice.run.finished_at) == (0.987, 0.1, 1_002.0)
    assert followed.tell(ended.changed(notes="well done")) == []


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (RunState.FAILED, NoticeKind.RUN_FAILED),
        (RunState.STOPPED, NoticeKind.RUN_STOPPED),
        (RunState.INTERRUPTED, NoticeKind.RUN_INTERRUPTED),
    ],
)
def test_why_a_run_has_ended_is_told(state: RunState, kind: NoticeKind) -> None:
    [notice] = Followed(a_run()).tell(a_run(state=state, cause=Cause.ERROR, reason="No memory was left."))

    assert notice.event is kind
    assert notice.text.endswith("in round 0 of 10. No memory was left.")
    assert notice.run is not None
    assert notice.run.cause is Cause.ERROR


def test_runs_that_had_ended_before_are_no_news() -> None:
    run = a_run(state=RunState.FAILED, reason="once")

    assert Followed(run).tell(run) == []


def test_a_run_that_waits_too_long_for_clients_is_told_once_for_each_wait() -> None:
    followed = Followed()
    waiting = a_run(state=RunState.WAITING, waiting_for=a_wait(), reason="waiting for 1 more client")

    assert followed.tell(waiting) == []
    assert followed.later(WAITING_S - 1) == []
    [notice] = followed.later(1)
    assert notice.event is NoticeKind.RUN_WAITING
    assert notice.text == "Run 7f3a9c01 has been waiting for 60 s: waiting for 1 more client."
    assert followed.later(WAITING_S) == []

    assert followed.tell(a_run(state=RunState.RUNNING), waiting) == []
    assert len(followed.later(WAITING_S)) == 1


@pytest.mark.parametrize("kind", [WaitKind.TURN, WaitKind.DATA, WaitKind.MODEL])
def test_a_wait_that_ends_by_itself_is_not_told(kind: WaitKind) -> None:
    followed = Followed()
    followed.tell(a_run(state=RunState.WAITING, waiting_for=a_wait(kind)))

    assert followed.later(10 * WAITING_S) == []


def test_a_privacy_budget_that_is_nearly_spent_is_told_once() -> None:
    def spent(epsilon: float, number: int) -> RoundUpdate:
        part = ClientRound(epsilon=epsilon, epsilon_budget=2.0)
        return RoundUpdate(
            run_id="7f3a9c01", round=Round(round=number, started_at=1.0, per_client={"client-1": part})
        )

    followed = Followed()

    assert followed.tell(spent(1.7, 1)) == []
    [notice] = followed.tell(spent(1.8, 2))
    assert notice.event is NoticeKind.BUDGET_NEARLY_SPENT
    assert notice.text == "client-1 has spent an epsilon of 1.8; its site allows 2."
    assert followed.tell(spent(1.9, 3)) == []


def test_who_waits_to_be_approved_is_told_once_for_each_key() -> None:
    pending = a_client(membership=MembershipState.PENDING, key=A_KEY)
    followed = Followed()

    [notice] = followed.tell(pending)
    assert notice.event is NoticeKind.CLIENT_PENDING
    assert notice.client is not None
    assert (notice.client.id, notice.client.keys) == ("client-1", (A_KEY,))
    assert followed.tell(pending) == []

    [other] = followed.tell(a_client(membership=MembershipState.PENDING, key=A_KEY, waiting_keys=("BBBB",)))
    assert other.client is not None
    assert other.client.keys == ("BBBB",)


def test_after_a_gap_all_that_has_changed_is_told() -> None:
    followed = Followed(a_run("a"), a_run("b", state=RunState.FAILED))

    found = followed.watch.take_all(
        [a_run("a", state=RunState.COMPLETED), a_run("b", state=RunState.FAILED)], [], followed.now
    )

    assert [notice.event for notice in found] == [NoticeKind.RUN_COMPLETED]
