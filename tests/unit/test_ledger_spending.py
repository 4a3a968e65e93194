"""What releases of a data set cost together: as an independent accountant has it, and never less."""

from __future__ import annotations

import dp_accounting
import pytest
from dp_accounting.rdp import RdpAccountant
from hypothesis import given
from hypothesis import strategies as st

from client.ledger.entry import Expense
from client.ledger.spending import Spending
from tests.support.ledgers import expense, share

DELTA = 1e-5

EXPENSES = st.lists(
    st.builds(
        lambda part, division, noise, rate, steps, number: expense(
            number,
            share=share(part, division),
            noise_multiplier=noise,
            sample_rate=rate,
            steps=steps,
        ),
        part=st.integers(0, 2),
        division=st.sampled_from(["3 parts", "2 parts", "other seed"]),
        noise=st.sampled_from([0.7, 1.0, 2.0]),
        rate=st.sampled_from([0.01, 0.1, 1.0]),
        steps=st.integers(1, 40),
        number=st.integers(1, 1000),
    ),
    max_size=8,
    unique_by=lambda each: each.id,
)


def independent(expenses: list[Expense]) -> float:
    accountant = RdpAccountant()
    for each in expenses:
        event = dp_accounting.PoissonSampledDpEvent(
            each.sample_rate, dp_accounting.GaussianDpEvent(each.noise_multiplier)
        )
        accountant.compose(event, each.steps)
    return float(accountant.get_epsilon(DELTA))


def test_nothing_costs_nothing() -> None:
    assert Spending().epsilon(DELTA) == 0


def test_several_runs_cost_what_an_independent_accountant_says() -> None:
    expenses = [
        *[expense(number, run="1") for number in range(1, 6)],
        *[
            expense(number, run="2", noise_multiplier=1.4, share=share(1, "2 parts"))
            for number in range(1, 4)
        ],
        *[expense(number, run="3", sample_rate=0.02, share=share(0, "1 part")) for number in range(1, 20)],
    ]

    assert Spending(expenses).epsilon(DELTA) == pytest.approx(independent(expenses), rel=0.01)


def test_parts_of_one_division_cost_what_the_dearest_costs() -> None:
    of_one = [expense(number) for number in range(1, 4)]
    of_other = [expense(number, share=share(1)) for number in range(1, 6)]
    spending = Spending([*of_one, *of_other])

    assert spending.epsilon_of(share(0), DELTA) == Spending(of_one).epsilon(DELTA)
    assert spending.epsilon_of(share(1), DELTA) == Spending(of_other).epsilon(DELTA)
    assert spending.epsilon(DELTA) == Spending(of_other).epsilon(DELTA)
    assert spending.epsilon_of(share(2), DELTA) == 0


def test_what_was_spent_in_another_division_may_have_been_spent_on_the_same_samples() -> None:
    before = [expense(1), expense(2, share=share(1)), expense(3, share=share(1))]
    spending = Spending(before)

    assert spending.epsilon_of(share(0, "2 parts"), DELTA) == Spending(before[1:]).epsilon(DELTA)


def test_an_update_that_is_made_again_costs_nothing_more() -> None:
    spending = Spending([expense(1)])
    before = spending.epsilon(DELTA)

    assert spending.epsilon_with(expense(1)) == before
    spending.add(expense(1))
    assert spending.epsilon(DELTA) == before
    assert len(spending) == 1


@given(expenses=EXPENSES, further=EXPENSES.filter(bool))
def test_what_an_expense_would_make_of_it_is_what_it_makes_of_it(
    expenses: list[Expense], further: list[Expense]
) -> None:
    spending = Spending(expenses)
    one = further[0]

    before = spending.epsilon_of(one.share, DELTA)
    foreseen = spending.epsilon_with(one)
    spending.add(one)

    assert foreseen == pytest.approx(spending.epsilon_of(one.share, DELTA), rel=1e-9)
    assert before <= foreseen <= spending.epsilon(DELTA) * (1 + 1e-9)


@given(expenses=EXPENSES, data=st.data())
def test_neither_the_order_nor_a_repetition_matters(expenses: list[Expense], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(expenses + expenses[:3]))

    assert Spending(shuffled).epsilon(DELTA) == pytest.approx(Spending(expenses).epsilon(DELTA), rel=1e-9)


@given(expenses=EXPENSES, samples=st.data())
def test_no_sample_was_spent_more_on_than_is_said(expenses: list[Expense], samples: st.DataObject) -> None:
    # a sample is in one part of each division
    parts = {
        name: samples.draw(st.integers(0, 2)) for name in sorted({each.share.division for each in expenses})
    }
    on_it = [each for each in expenses if parts[each.share.division] == each.share.part]
    spending = Spending(expenses)

    spent = Spending(expense(n, **_cost(each)) for n, each in enumerate(on_it)).epsilon(DELTA)

    for name, part in parts.items():
        assert spent <= spending.epsilon_of(share(part, name), DELTA) * (1 + 1e-9)


def _cost(each: Expense) -> dict[str, float]:
    return each.model_dump(include={"noise_multiplier", "sample_rate", "steps"})
