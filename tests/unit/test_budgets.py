"""Whether a private run goes on when sites decline because their budgets are spent."""

from __future__ import annotations

import pytest
from flwr.app import Message, RecordDict

from app.federation.rounds.budgets import Budgets
from shared.dp_spec import DpSpec
from shared.errors import BudgetSpent
from shared.flower import client_declined, client_failed, identify_server_task
from shared.names import BUDGET_RULE
from shared.run_spec import RunSpec
from shared.secagg.settings import SecureAggregation

WORDS = "declined by its site: privacy_budget = 3, of which 2.90 is spent on digits"


@pytest.fixture(autouse=True)
def run() -> None:
    identify_server_task(1)


def private(*, stop_at_first_budget: bool = False) -> RunSpec:
    dp = DpSpec(noise_multiplier=1.0)
    return RunSpec(num_rounds=5, dp=dp, stop_at_first_budget=stop_at_first_budget)


def spent(node: int) -> Message:
    return client_declined(Message(RecordDict(), node, "train"), WORDS, BUDGET_RULE)


def declined(node: int) -> Message:
    return client_declined(Message(RecordDict(), node, "train"), "rounds_a_day = 1", "rounds_a_day")


def failed(node: int) -> Message:
    return client_failed(Message(RecordDict(), node, "train"), "no")


def test_a_round_goes_on_with_those_who_have_something_left() -> None:
    budgets = Budgets(private())

    budgets.note([spent(2), declined(3), failed(4)])

    assert budgets.among([2, 3, 4, 5]) == [3, 4, 5]
    budgets.require(1, is_done=True)


def test_the_run_ends_when_nobody_has_anything_left() -> None:
    budgets = Budgets(private())
    budgets.note([spent(2), spent(3)])

    with pytest.raises(BudgetSpent) as ended:
        budgets.among([2, 3])

    assert str(ended.value) == f"The privacy budgets of all clients are spent: {WORDS}."


def test_with_secure_aggregation_it_ends_when_too_few_for_it_have_something_left() -> None:
    budgets = Budgets(private().with_changes(secure_aggregation=SecureAggregation()))
    budgets.note([spent(2)])

    assert budgets.among([2, 3, 4, 5]) == [3, 4, 5]
    assert budgets.among([3, 4]) == [3, 4], "nobody's budget is why there are so few"
    with pytest.raises(BudgetSpent) as ended:
        budgets.among([2, 3, 4])

    assert str(ended.value) == (
        "The privacy budgets of too many clients are spent: 2 of 3 have something left, and secure "
        f"aggregation needs 3: {WORDS}."
    )


def test_those_who_declined_are_asked_again_in_the_next_round() -> None:
    budgets = Budgets(private())
    budgets.note([spent(2)])

    budgets.begin()

    assert budgets.among([2]) == [2]


def test_a_run_can_end_with_the_first_after_the_round_that_the_others_have_made() -> None:
    budgets = Budgets(private(stop_at_first_budget=True))
    budgets.require(1, is_done=True)
    budgets.note([spent(2)])

    with pytest.raises(BudgetSpent, match=r"^It was to end when the first privacy budget is spent: declined"):
        budgets.require(4, is_done=True)
    budgets.require(5, is_done=True)  # which is the last round: all are done
    with pytest.raises(BudgetSpent):
        budgets.require(5, is_done=False)


def test_only_spent_budgets_explain_a_round_without_updates() -> None:
    budgets = Budgets(private())
    budgets.note([spent(2), spent(3), declined(4)])

    assert budgets.explain([spent(2), spent(3)])
    assert not budgets.explain([spent(2), declined(4)])
    assert not budgets.explain([])


def test_in_a_run_without_privacy_a_site_with_a_budget_has_just_declined() -> None:
    budgets = Budgets(RunSpec())
    budgets.note([spent(2)])

    assert budgets.among([2]) == [2]
    assert not budgets.explain([spent(2)])
