"""As much of a run as a page can take at once: pieces, chosen clients, and fewer rounds with every peak."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.rounds import thinned
from app.events import EventData, event_of
from app.records import ClientRound, Round, RoundUpdate, Spread
from app.store.store import Store
from app.store.urls import default_url
from tests.support.records import a_run

CLIENTS = 20


def a_round(number: int) -> Round:
    parts = {
        f"client-{n}": ClientRound(accuracy=n / CLIENTS, stages={"evaluate": {"auc": n / 100}})
        for n in range(CLIENTS)
    }
    return Round(round=number, complete=True, loss=1.0 / number, started_at=0.0, per_client=parts)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.open(default_url(tmp_path))
    rounds = [RoundUpdate(run_id="r", round=a_round(number)) for number in range(1, 5)]
    happened: list[EventData] = [a_run("r"), *rounds]
    store.apply([event_of(seq, 0.0, data) for seq, data in enumerate(happened, start=1)])
    return store


def test_the_store_tells_the_same_spread_with_and_without_the_clients_parts(store: Store) -> None:
    whole = store.rounds_at("r", [2, 3])
    told = store.rounds_at("r", [2, 3], clients=["client-7"])

    assert [each.round for each in told] == [2, 3]
    assert [set(each.per_client) for each in told] == [{"client-7"}] * 2
    assert [each.spread for each in told] == [each.spread for each in whole]
    assert told[0].spread == a_round(2).with_spread().spread
    assert set(told[0].spread) == {"accuracy", "evaluate/auc"}


def test_a_round_with_few_clients_has_no_spread() -> None:
    few = a_round(1).changed(per_client={"a": ClientRound(accuracy=0.5)})

    assert few.with_spread().spread == {}


def test_the_outline_says_what_the_model_of_each_round_is_worth(store: Store) -> None:
    assert store.outline("r") == [(1, -1.0), (2, -0.5), (3, pytest.approx(-1 / 3)), (4, -0.25)]


def test_a_spread_is_that_of_numpy() -> None:
    assert Spread.of([4.0, 1.0, 2.0, 3.0]) == Spread(count=4, min=1.0, q1=1.75, median=2.5, q3=3.25, max=4.0)


@given(st.lists(st.none() | st.floats(-1, 1), min_size=1, max_size=300), st.integers(2, 40))
def test_thinned_rounds_are_about_as_many_as_wanted_with_the_best_and_the_worst(
    values: list[float | None], points: int
) -> None:
    outline = list(enumerate(values))
    kept = thinned(outline, points)

    assert kept == sorted(set(kept))
    assert {0, len(values) - 1} <= set(kept)
    assert len(kept) <= max(points + 4, 2) or len(values) <= points
    known = [(value, number) for number, value in outline if value is not None]
    if known and len(values) > points:
        chosen = [values[number] for number in kept]
        assert max(known)[0] in chosen
        assert min(known)[0] in chosen
    assert thinned(outline, None) == list(range(len(values)))
