"""Whether an app reports shares or percentages is seen over a run, and never in the wrong direction."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.federation.rounds.known_metrics import MAX_METRICS, MAX_NAME, shown
from app.federation.rounds.shares import Shares


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ([0.5], 0.5),
        ([1.0], 1.0),
        ([1.0000001], 1.0),
        ([1.5], 0.015),
        ([100.0], 1.0),
        ([100.00005], 1.0),
        ([0.5, 50.0, 0.5], 0.005),
        ([50.0, 0.5], 0.005),
        ([101.0], None),
        ([-0.1], None),
        ([-0.1, 0.5], None),
        ([50.0, 101.0, 50.0], None),
    ],
)
def test_the_last_value_is_read_in_the_light_of_all(values: list[float], share: float | None) -> None:
    shares = Shares()
    for value in values:
        shares.note("evaluate", {"accuracy": value})

    assert shares.of_stage("evaluate", {"accuracy": values[-1]}) == (
        None if share is None else pytest.approx(share)
    )


def test_it_is_told_when_what_was_read_before_is_another_accuracy_now() -> None:
    shares = Shares()
    changed = [shares.note("evaluate", {"acc": value}) for value in (0.5, 0.9, 50.0, 0.5, 60.0, 200.0, -1.0)]

    assert changed == [False, False, True, False, False, True, False]


def test_a_first_value_in_per_cent_changes_nothing() -> None:
    assert not Shares().note("evaluate", {"acc": 50.0})


def test_each_name_and_stage_is_judged_by_itself() -> None:
    shares = Shares()
    shares.note("evaluate", {"accuracy": 50.0, "eval_acc": 0.5})
    shares.note("evaluate 2", {"accuracy": 0.5})

    assert shares.of_stage("evaluate", {"eval_acc": 0.5, "accuracy": 50.0}) == 0.5
    assert shares.of_stage("evaluate", {"accuracy": 60.0}) == 0.6
    assert shares.of_stage("evaluate 2", {"accuracy": 0.5}) == 0.5


def test_the_newest_stage_that_has_an_accuracy_counts() -> None:
    stages = {"train": {"val_acc": 0.25}, "evaluate": {"acc": 0.5}, "evaluate 2": {"loss": 1.0}}

    assert Shares().of_stages(stages) == 0.5
    assert Shares().of_stages({}) is None


def test_the_accuracy_of_training_is_none_of_the_model() -> None:
    assert Shares().of_stage("train 2", {"accuracy": 0.5}) is None


@given(st.lists(st.floats(-1e3, 1e3) | st.floats(0, 1), min_size=1))
def test_an_accuracy_is_always_a_share(values: list[float]) -> None:
    shares = Shares()
    for value in values:
        shares.note("evaluate", {"accuracy": value})
    for value in values:
        share = shares.of_stage("evaluate", {"accuracy": value})
        assert share is None or 0 <= share <= 1


@given(st.dictionaries(st.text(max_size=MAX_NAME + 50), st.just(1.0), max_size=20))
def test_names_stay_apart_whatever_they_are(numbers: dict[str, float]) -> None:
    kept, left_out = shown(numbers)

    assert (len(kept), left_out) == (len(numbers), 0)
    assert all(len(name) <= MAX_NAME for name in kept)


def test_as_many_numbers_as_may_be_are_kept() -> None:
    kept, left_out = shown({f"m{number}": 1.0 for number in range(MAX_METRICS + 1)})

    assert (len(kept), left_out) == (MAX_METRICS, 1)
