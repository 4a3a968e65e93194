"""Optimisers on the server: Flower's own, fed with the mean; their moments outlive the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flwr.app import ArrayRecord, ConfigRecord
from flwr.serverapp import strategy as flower
from numpy.typing import NDArray

from client import client_app
from shared.errors import CheckpointInvalid
from tests.support.local_grid import LocalGrid
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

FLOWERS: dict[str, Callable[[], flower.FedAvg]] = {
    "fedavgm": lambda: flower.FedAvgM(server_learning_rate=0.7, server_momentum=0.8),
    "fedadam": lambda: flower.FedAdam(eta=0.05, beta_1=0.8, beta_2=0.95, tau=0.01),
    "fedyogi": lambda: flower.FedYogi(eta=0.05, beta_1=0.8, beta_2=0.95, tau=0.01),
    "fedadagrad": lambda: flower.FedAdagrad(eta=0.05, tau=0.01),
}
PARAMS: dict[str, dict[str, Any]] = {
    "fedavgm": {"server_learning_rate": 0.7, "server_momentum": 0.8},
    "fedadam": {"eta": 0.05, "beta_1": 0.8, "beta_2": 0.95, "tau": 0.01},
    "fedyogi": {"eta": 0.05, "beta_1": 0.8, "beta_2": 0.95, "tau": 0.01},
    "fedadagrad": {"eta": 0.05, "tau": 0.01},
}
each = pytest.mark.parametrize("name", list(FLOWERS))


def in_float64(model: Model, factor: float = 1) -> dict[str, NDArray[np.float64]]:
    return {name: factor * values.astype(np.float64) for name, values in model.items()}


def updates_of(start: Model, server_round: int) -> list[Model]:
    return models_near(start, 5, seed=server_round)


@each
def test_rounds_are_flowers_own_with_all_replies(name: str) -> None:
    theirs, ours = FLOWERS[name](), a_strategy(name, **PARAMS[name])
    grid = LocalGrid(client_app.app, 2, {})
    arrays = wanted = a_record(a_model(0))
    for server_round in range(1, 5):
        theirs.configure_train(server_round, wanted, ConfigRecord(), grid)
        result, _ = theirs.aggregate_train(
            server_round, replies_of(updates_of(as_model(wanted), server_round))
        )
        assert result is not None
        wanted = result

        replies = replies_of(updates_of(as_model(arrays), server_round))
        arrays = aggregate(ours, arrays, replies, server_round)

        assert_near(arrays, wanted, 2e-6)


def test_momentum_is_that_of_the_paper() -> None:
    """Hsu et al. 2019: v ← β v + Δ, w ← w − v with Δ = w − mean."""
    sent = a_model(0)
    strategy = a_strategy("fedavgm", server_momentum=0.9)
    arrays, w, v = a_record(sent), in_float64(sent), in_float64(sent, 0)
    for server_round in range(1, 4):
        models = updates_of(as_model(arrays), server_round)
        arrays = aggregate(strategy, arrays, replies_of(models, [1] * len(models)), server_round)
        for key in w:
            mean = np.mean([model[key] for model in models], axis=0, dtype=np.float64)
            v[key] = 0.9 * v[key] + (w[key] - mean)
            w[key] = w[key] - v[key]

    assert_near(arrays, w, 1e-5)


def test_yogi_is_that_of_the_paper() -> None:
    """Reddi et al. 2021, algorithm 2, with moments that start at 0 as in Flower."""
    sent = a_model(0)
    strategy = a_strategy("fedyogi", **PARAMS["fedyogi"])
    arrays = a_record(sent)
    w, m, v = in_float64(sent), in_float64(sent, 0), in_float64(sent, 0)
    for server_round in range(1, 4):
        models = updates_of(as_model(arrays), server_round)
        arrays = aggregate(strategy, arrays, replies_of(models, [1] * len(models)), server_round)
        for key in w:
            delta = np.mean([model[key] for model in models], axis=0, dtype=np.float64) - w[key]
            m[key] = 0.8 * m[key] + 0.2 * delta
            v[key] = v[key] - 0.05 * delta**2 * np.sign(v[key] - delta**2)
            w[key] = w[key] + 0.05 * m[key] / (np.sqrt(v[key]) + 0.01)

    assert_near(arrays, w, 1e-5)


@each
def test_nothing_is_remembered_before_the_first_round(name: str) -> None:
    strategy = a_strategy(name)
    assert strategy.state() == {}

    strategy.load_state({})

    assert strategy.state() == {}


@each
def test_moments_are_named_and_shaped_like_the_model(name: str) -> None:
    sent = a_model(0)
    strategy = a_strategy(name)
    aggregate(strategy, sent, replies_of(updates_of(sent, 1)))

    kinds = {"fedavgm": ["momentum"]}.get(name, ["m", "v"])
    assert {key: values.shape for key, values in strategy.state().items()} == {
        f"{kind}/{key}": values.shape for kind in kinds for key, values in sent.items()
    }
    assert {str(values.dtype) for values in strategy.state().values()} == {"float32"}


def test_without_momentum_there_is_nothing_to_remember() -> None:
    strategy = a_strategy("fedavgm", server_momentum=0.0, server_learning_rate=0.5)
    sent = a_model(0)
    aggregate(strategy, sent, replies_of(updates_of(sent, 1)))

    assert strategy.state() == {}


@each
def test_moments_of_another_model_are_refused_before_the_round(name: str) -> None:
    sent = a_model(0)
    old, new = a_strategy(name), a_strategy(name)
    aggregate(old, sent, replies_of(updates_of(sent, 1)))
    new.load_state(old.state())

    with pytest.raises(CheckpointInvalid, match="do not fit the model"):
        new.begin(2, a_record(a_model(0, {"fc.weight": (5, 7)})))


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ({"m/a": np.ones(2, np.float32), "v/a": np.array([1, np.nan], np.float32)}, "'v/a' holds no finite"),
        ({"m/a": np.ones(2, np.int64), "v/a": np.ones(2, np.float32)}, "'m/a' holds no finite"),
        ({"momentum/a": np.ones(2, np.float32)}, "another strategy"),
    ],
)
def test_a_damaged_checkpoint_is_refused(state: dict[str, np.ndarray], complaint: str) -> None:
    strategy = a_strategy("fedadam")

    with pytest.raises(CheckpointInvalid, match=complaint):
        strategy.load_state(state)

    assert strategy.state() == {}


def test_half_of_the_moments_are_not_enough() -> None:
    strategy = a_strategy("fedadam")
    strategy.load_state({"m/a": np.ones(2, np.float32)})

    with pytest.raises(CheckpointInvalid, match="'v' do not fit the model"):
        strategy.begin(1, a_record({"a": np.ones(2, np.float32)}))


def test_a_counter_takes_the_mean_and_has_no_moments() -> None:
    models: list[Model] = [{"a": np.ones(2, np.float32), "n": np.array(n, np.int64)} for n in (4, 6)]
    strategy = a_strategy("fedadam")

    new: ArrayRecord = aggregate(strategy, models[0], replies_of(models, [1, 1]))

    assert as_model(new)["n"] == 5
    assert set(strategy.state()) == {"m/a", "v/a"}
