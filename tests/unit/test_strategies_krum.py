"""Krum, Multi-Krum and Bulyan against the plainest implementation of their papers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from flwr.serverapp import strategy as flower
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray

from app.federation.strategies.bulyan import mean_near_median, select_one_by_one
from app.federation.strategies.krum import select, squared_distances
from tests.support.updates import (
    Model,
    a_model,
    a_record,
    a_strategy,
    aggregate,
    as_model,
    assert_near,
    models_near,
    replies_of,
)

SENT = a_model(0)
Matrix = NDArray[np.float64]


def flat(model: Model) -> Matrix:
    return np.concatenate([np.ravel(values) for values in model.values()]).astype(np.float64)


def krum_order(models: list[Model], malicious: int) -> list[int]:
    """All updates from the best score to the worst, word by word as Blanchard et al. have it."""
    vectors = [flat(model) for model in models]
    scores = []
    for i, vector in enumerate(vectors):
        others = sorted(float(((vector - other) ** 2).sum()) for j, other in enumerate(vectors) if j != i)
        scores.append(sum(others[: len(vectors) - malicious - 2]))
    return sorted(range(len(models)), key=lambda i: scores[i])


def mean(models: list[Model]) -> Model:
    return {
        name: np.asarray(np.mean([model[name] for model in models], axis=0, dtype=np.float64))
        for name in models[0]
    }


def late_models(count: int, seed: int = 0) -> list[Model]:
    """Models of clients that nearly agree, as after many rounds: steps of a thousandth of the weights.

    The first ones lie nearest to each other.
    """
    start = a_model(99, {"a": (20_000,)})
    random = np.random.default_rng(seed)
    return [
        {"a": np.asarray(start["a"] + 1e-4 * (1 + node) * random.standard_normal(20_000), np.float32)}
        for node in range(count)
    ]


@pytest.mark.parametrize(("count", "malicious"), [(5, 1), (7, 2), (10, 2), (11, 4)])
@pytest.mark.parametrize("seed", range(3))
def test_krum_takes_the_update_with_the_lowest_score(count: int, malicious: int, seed: int) -> None:
    models = models_near(SENT, count, seed=seed)
    best = krum_order(models, malicious)[0]

    new = aggregate(a_strategy("krum", num_malicious_nodes=malicious), SENT, replies_of(models))

    assert_near(new, models[best], 0)


@pytest.mark.parametrize("selected", [1, 3, 6])
def test_multi_krum_is_the_plain_mean_of_the_lowest_scores(selected: int) -> None:
    models = models_near(SENT, 10)
    chosen = [models[i] for i in krum_order(models, 2)[:selected]]

    new = aggregate(
        a_strategy("multikrum", num_malicious_nodes=2, num_nodes_to_select=selected), SENT, replies_of(models)
    )

    assert_near(new, mean(chosen))


@pytest.mark.parametrize("came", [7, 10])
def test_multi_krum_takes_by_itself_as_many_as_are_proven_safe(came: int) -> None:
    models = models_near(SENT, came)
    chosen = [models[i] for i in krum_order(models, 2)[: came - 4]]

    assert_near(
        aggregate(a_strategy("multikrum", num_malicious_nodes=2), SENT, replies_of(models)), mean(chosen)
    )


def test_flowers_krum_agrees_while_clients_differ_much() -> None:
    models = models_near(SENT, 10)
    wanted, _ = flower.Krum(num_malicious_nodes=2).aggregate_train(1, replies_of(models))
    assert wanted is not None

    assert_near(aggregate(a_strategy("krum", num_malicious_nodes=2), SENT, replies_of(models)), wanted, 0)


def test_krum_still_tells_updates_apart_when_clients_nearly_agree() -> None:
    """Where Flower's distances, of whole models in float32, are rounding noise."""
    for seed in range(5):
        models = late_models(10, seed)
        best = krum_order(models, 2)[0]

        new = aggregate(a_strategy("krum", num_malicious_nodes=2), models[-1], replies_of(models))

        assert_near(new, models[best], 0)


def test_distances_are_exact_between_near_models_and_finite_between_none() -> None:
    models = late_models(6)
    distances = squared_distances([a_record(model) for model in models], a_record(models[0]))

    for i, j in combinations(range(6), 2):
        exact = ((flat(models[i]) - flat(models[j])) ** 2).sum()
        assert distances[i, j] == pytest.approx(exact, rel=1e-9)
        assert distances[i, j] == distances[j, i]
    assert np.isinf(np.diag(distances)).all()


def test_an_update_too_far_for_float64_is_infinitely_far() -> None:
    models = [{"a": np.array([value], np.float64)} for value in (0.0, 1.0, 1e300, -1e300)]

    distances = squared_distances([a_record(model) for model in models], a_record(models[0]))

    assert distances[0, 1] == 1
    assert np.isinf(distances[2:, :]).all()


def test_counters_do_not_decide() -> None:
    models = models_near(SENT, 7)
    counted = [{**model, "n": np.array(1000 * node, np.int64)} for node, model in enumerate(models)]
    start = {**SENT, "n": np.array(0, np.int64)}
    best = krum_order(models, 1)[0]

    assert_near(aggregate(a_strategy("krum"), start, replies_of(counted)), counted[best], 0)


def bulyan_choice(models: list[Model], malicious: int) -> list[int]:
    """Krum again and again, each time on what is left."""
    left, chosen = list(range(len(models))), list[int]()
    while len(chosen) < len(models) - 2 * malicious:
        scores = []
        for i in left:
            others = sorted(float(((flat(models[i]) - flat(models[j])) ** 2).sum()) for j in left if j != i)
            scores.append(sum(others[: max(1, len(left) - malicious - 2)]))
        chosen.append(left.pop(int(np.argmin(scores))))
    return chosen


def near_median(values: Matrix, nearest: int) -> Matrix:
    """Weight by weight: sort by the distance from the median, take the first, average."""
    columns = values.reshape(len(values), -1).T
    result = [
        np.mean(sorted(column, key=lambda value: abs(value - np.median(column)))[:nearest])
        for column in columns
    ]
    return np.array(result).reshape(values.shape[1:])


@pytest.mark.parametrize(("count", "malicious"), [(7, 1), (10, 1), (11, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_bulyan_is_that_of_the_paper(count: int, malicious: int, seed: int) -> None:
    models = models_near(SENT, count, seed=seed)
    chosen = bulyan_choice(models, malicious)
    wanted = {
        name: near_median(
            np.stack([models[i][name] for i in chosen]).astype(np.float64), count - 4 * malicious
        )
        for name in SENT
    }

    new = aggregate(a_strategy("bulyan", num_malicious_nodes=malicious), SENT, replies_of(models))

    distances = squared_distances([a_record(model) for model in models], a_record(SENT))
    assert select_one_by_one(distances, malicious, count - 2 * malicious) == chosen
    assert_near(new, wanted)


@given(
    st_numpy.arrays(np.float64, st.tuples(st.integers(1, 9), st.just(4)), elements=st.floats(-100, 100)),
    st.data(),
)
def test_the_mean_near_the_median_is_as_near_as_can_be(values: Matrix, data: st.DataObject) -> None:
    nearest = data.draw(st.integers(1, len(values)))

    got = mean_near_median(values, nearest)

    reach = np.sort(np.abs(values - np.median(values, axis=0)), axis=0)[nearest - 1]
    for column, (value, median) in enumerate(zip(got, np.median(values, axis=0), strict=True)):
        possible = [
            np.mean(subset)
            for subset in combinations(values[:, column], nearest)
            if np.abs(np.array(subset) - median).max() <= reach[column] + 1e-9
        ]
        assert np.isclose(possible, value, atol=1e-9).any()


def test_of_equal_scores_the_first_is_chosen() -> None:
    same = [a_record({"a": np.ones(3, np.float32)})] * 5

    assert select(squared_distances(same, same[0]), 1, 3) == [0, 1, 2]


def test_a_client_that_claims_many_samples_has_one_vote() -> None:
    models = models_near(SENT, 7)
    honest = aggregate(a_strategy("multikrum"), SENT, replies_of(models, [1] * 7))
    boasting = aggregate(a_strategy("multikrum"), SENT, replies_of(models, [2**53] + [1] * 6))

    assert as_model(honest).keys() == as_model(boasting).keys()
    assert_near(honest, boasting, 0)
