"""What a client has spent is one value of three, by the same names in replies and in records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.federation.rounds.built_in_replies import result_of
from app.federation.rounds.seen import Stage
from app.federation.rounds.shares import Shares
from app.federation.rounds.summary import with_result
from app.records import ClientRound
from shared.results import SpendingMetrics, TrainMetrics
from shared.spent import Spent, fields_of

amounts = st.floats(0, 1e6)


def test_every_record_has_its_fields() -> None:
    names = fields_of(None).keys()

    assert names <= SpendingMetrics.model_fields.keys()
    assert names <= ClientRound.model_fields.keys()


@given(amounts, st.none() | amounts, st.none() | amounts)
def test_it_comes_from_the_ledger_to_the_record_as_it_is(
    epsilon: float, of_run: float | None, budget: float | None
) -> None:
    spent = Spent(epsilon, of_run, budget)
    told = TrainMetrics(num_examples=5, duration_s=1.0, **fields_of(spent))

    result = result_of(told)
    assert result.spent == spent
    assert result.metrics == {}, "it has a place of its own"
    part = with_result(ClientRound(), Stage("train", "train", 1), result, Shares())
    assert {name: getattr(part, name) for name in fields_of(None)} == fields_of(spent)


def test_an_evaluation_leaves_what_was_spent_as_it_was() -> None:
    before = ClientRound(epsilon=1.5, epsilon_of_run=0.5, epsilon_budget=3.0)
    result = result_of(TrainMetrics(num_examples=5, duration_s=1.0, train_loss=0.5))

    assert result.spent is None
    assert with_result(before, Stage("train", "train", 1), result, Shares()).epsilon == 1.5
