"""Whom an attempt at a round asks, and what follows when it has too few updates: in the clear or summed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flwr.app import Message, RecordDict

from app.federation.rounds.attempts import Attempts
from app.federation.rounds.budgets import Budgets
from bench.in_process import InProcessGrid
from shared.dp_spec import DpSpec
from shared.errors import BudgetSpent, RoundFailed
from shared.flower import client_declined, client_failed, client_unavailable, identify_server_task
from shared.names import BUDGET_RULE
from shared.run_spec import RunSpec

NOBODY = "no client returned an update"


@pytest.fixture(autouse=True)
def run() -> None:
    identify_server_task(1)


class Watching:
    """Writes down what it is told; before each attempt something may happen."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.attempts = 0
        self.reasons: list[str] = []
        self._before = before

    def before_round(self, server_round: int) -> None:
        self.attempts += 1
        self._before()

    def short_of_updates(self, server_round: int, reason: str) -> None:
        self.reasons.append(reason)


class Nodes(InProcessGrid):
    def __init__(self, *nodes: int) -> None:
        super().__init__({})
        self.nodes = list(nodes)

    def get_node_ids(self) -> list[int]:
        return self.nodes


def attempts(
    told: Watching, spec: RunSpec | None = None, grid: InProcessGrid | None = None, minimum: int = 1
) -> Attempts:
    spec = spec or RunSpec()
    return Attempts(grid or Nodes(2, 3, 4, 5), spec, minimum, told, Budgets(spec))


def asked(node: int) -> Message:
    return Message(RecordDict(), node, "train")


def failed(node: int, words: str = "it diverged") -> Message:
    return client_failed(asked(node), words)


def lost(node: int) -> Message:
    return client_unavailable(asked(node), "it is lost")


def declined(node: int) -> Message:
    return client_declined(asked(node), "declined by its site: rounds_a_day = 1", "rounds_a_day")


def spent(node: int) -> Message:
    return client_declined(asked(node), "declined by its site: privacy_budget = 3", BUDGET_RULE)


def private(*, stop_at_first_budget: bool = False) -> RunSpec:
    dp = DpSpec(noise_multiplier=1.0)
    return RunSpec(num_rounds=5, dp=dp, stop_at_first_budget=stop_at_first_budget)


def test_the_cohort_is_a_share_of_the_clients_and_the_same_for_the_same_round() -> None:
    half = attempts(Watching(), RunSpec(fraction_train=0.5))

    assert len(half.cohort(1)) == 2
    assert half.cohort(1) == half.cohort(1)


def test_clients_that_leave_before_they_are_asked_are_waited_for_again() -> None:
    grid = Nodes()
    comes = iter([[], [], [7]])
    told = Watching(before=lambda: grid.nodes.extend(next(comes)))

    assert attempts(told, grid=grid).cohort(1) == [7]
    assert told.attempts == 3


def test_who_declines_counts_as_one_not_asked() -> None:
    spec = RunSpec(min_reply_share=1.0)

    assert attempts(Watching(), spec).required([2, 3, 4], [declined(2), failed(3)]) == 2
    assert attempts(Watching(), spec, minimum=3).required([2, 3, 4], [declined(2)]) == 3


def test_a_round_that_has_lost_clients_is_tried_again_at_once() -> None:
    told = Watching()

    attempts(told).await_better(1, "round 1: too few", [lost(2), failed(3)], nobody=NOBODY)

    assert told.reasons == []


def test_a_round_with_some_updates_waits_until_more_can_come() -> None:
    told = Watching()

    attempts(told).await_better(1, "round 1 has 1 of 2 updates", [failed(3)], nobody=None)
    attempts(told).await_better(1, "round 1 has 0 of 1 updates", [], nobody=NOBODY)

    assert told.reasons == ["round 1 has 1 of 2 updates", "round 1 has 0 of 1 updates"]


def test_a_round_in_which_all_have_failed_ends_the_run_with_each_reason_once() -> None:
    told = Watching()
    failures = [failed(2), failed(3), declined(4)]

    with pytest.raises(RoundFailed) as ended:
        attempts(told).await_better(1, "round 1 has 0 of 2 updates", failures, nobody=NOBODY)

    assert str(ended.value).startswith(
        "Round 1 failed: no client returned an update (declined by its site: rounds_a_day = 1; it diverged). "
    )
    assert told.reasons == []


def test_after_spent_budgets_the_next_attempt_is_without_those_who_have_nothing_left() -> None:
    told = Watching()
    of_run = attempts(told, private())

    of_run.begin()
    of_run.note([spent(2), spent(3)])
    assert of_run.is_for_budgets(1, [spent(2), spent(3)])
    assert not of_run.is_for_budgets(1, [spent(2), failed(4)])
    assert sorted(of_run.cohort(1)) == [4, 5]

    of_run.begin()
    assert sorted(of_run.cohort(2)) == [2, 3, 4, 5]


def test_a_run_that_ends_with_the_first_budget_makes_no_further_attempt() -> None:
    of_run = attempts(Watching(), private(stop_at_first_budget=True))
    of_run.begin()
    of_run.note([spent(2)])

    with pytest.raises(BudgetSpent):
        of_run.is_for_budgets(1, [spent(2)])


def test_an_attempt_can_be_for_some_alone_or_without_some() -> None:
    of_run = attempts(Watching())

    assert sorted(of_run.cohort(1, {3, 5, 77})) == [3, 5]
    assert sorted(of_run.cohort(1, {77})) == [2, 3, 4, 5], "nobody of them is there"
    assert sorted(of_run.cohort(1, without={3, 5})) == [2, 4]
    assert of_run.cohort(1, without={2, 3, 4, 5}) == [], "it does not wait for whom it must not ask"
