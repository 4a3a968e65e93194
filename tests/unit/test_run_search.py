"""Runs are found by what stands in them, and put in order by any of their values."""

from __future__ import annotations

import pytest

from app.federation.runs.search import Order, SortKey, Wanted, found, in_order
from app.records import GlobalScore, PrivacySpent, Protected, Run, RunState
from shared.names import DatasetName, StrategyName
from shared.run_spec import RunSpec
from tests.support.records import a_run

GOOD = a_run(
    "a1",
    name="Good seed",
    tags=("paper", "final"),
    state=RunState.COMPLETED,
    spec=RunSpec(lr=0.1, local_epochs=5, seed=7),
    final=GlobalScore(loss=0.2, accuracy=0.98),
    started_at=100.0,
    finished_at=200.0,
)
PLAIN = a_run("b2", spec=RunSpec(dataset=DatasetName.MNIST, strategy=StrategyName.KRUM, alpha=None))
PRIVATE = a_run(
    "c3",
    tags=("paper",),
    notes="Compare with a1",
    state=RunState.FAILED,
    final=GlobalScore(loss=2.0, accuracy=0.5),
    privacy=PrivacySpent(protects=Protected.CLIENT, epsilon=1.5, delta=1e-5),
    started_at=150.0,
)
OTHER_APP = a_run("d4", spec=RunSpec(app="quickstart"))
ALL = [GOOD, PLAIN, PRIVATE, OTHER_APP]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), "a1 b2 c3 d4"),
        (Wanted(text="GOOD"), "a1"),
        (Wanted(text="a1"), "a1 c3"),
        (Wanted(text="paper compare"), "c3"),
        (Wanted(text="mnist"), "b2"),
        (Wanted(text="quick"), "d4"),
        (Wanted(text="nothing has this"), ""),
        (Wanted(states=[RunState.FAILED, RunState.COMPLETED]), "a1 c3"),
        (Wanted(datasets=[DatasetName.DIGITS]), "a1 c3"),
        (Wanted(strategies=[StrategyName.KRUM]), "b2"),
        (Wanted(tags=["paper", "final"]), "a1"),
        (Wanted(tags=["pap"]), ""),
    ],
)
def test_only_runs_that_are_wanted_are_found(wanted: Wanted, ids: str) -> None:
    assert [run.id for run in found(ALL, wanted)] == ids.split()


@pytest.mark.parametrize(
    ("by", "order", "ids"),
    [
        (SortKey.ACCURACY, Order.DESCENDING, "a1 c3 b2 d4"),
        (SortKey.ACCURACY, Order.ASCENDING, "c3 a1 b2 d4"),
        (SortKey.EPSILON, Order.DESCENDING, "c3 a1 b2 d4"),
        (SortKey.BYTES, Order.DESCENDING, "b2 a1 c3 d4"),
        (SortKey.DURATION, Order.DESCENDING, "c3 a1 b2 d4"),
        (SortKey.NAME, Order.ASCENDING, "a1 b2 c3 d4"),
        (SortKey.EPOCHS, Order.DESCENDING, "a1 b2 c3 d4"),
        (SortKey.ALPHA, Order.ASCENDING, "a1 c3 b2 d4"),
        (SortKey.ID, Order.DESCENDING, "d4 c3 b2 a1"),
    ],
)
def test_a_run_without_the_value_comes_last_in_either_order(by: SortKey, order: Order, ids: str) -> None:
    runs = in_order(ALL, by, order, {"a1": 10, "b2": 20}, now=500.0)

    assert [run.id for run in runs] == ids.split()


@pytest.mark.parametrize("by", SortKey)
@pytest.mark.parametrize("order", Order)
def test_no_run_is_lost_in_any_order(by: SortKey, order: Order) -> None:
    runs: list[Run] = in_order(ALL, by, order, {}, now=500.0)

    assert {run.id for run in runs} == {run.id for run in ALL}
