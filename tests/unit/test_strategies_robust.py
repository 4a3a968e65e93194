"""Median and trimmed mean: Flower's, which agree with the plainest implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.updates import (
    Model,
    a_model,
    a_strategy,
    aggregate,
    as_model,
    assert_near,
    models_near,
    replies_of,
)

SENT = a_model(0)


def trimmed_mean(models: list[Model], cut: int) -> Model:
    """The mean of each weight without the `cut` lowest and the `cut` highest values."""
    stacks = {name: np.sort(np.stack([model[name] for model in models]), axis=0) for name in models[0]}
    return {name: stack[cut : len(models) - cut].mean(axis=0) for name, stack in stacks.items()}


@pytest.mark.parametrize("count", [3, 4, 9, 10])
def test_the_median_is_that_of_each_weight(count: int) -> None:
    models = models_near(SENT, count)

    new = aggregate(a_strategy("fedmedian"), SENT, replies_of(models))

    assert_near(new, {name: np.median([model[name] for model in models], axis=0) for name in SENT})


@pytest.mark.parametrize(("beta", "count"), [(0.2, 5), (0.2, 9), (0.2, 10), (0.1, 10), (0.35, 10), (0.49, 9)])
def test_the_trimmed_mean_leaves_out_the_share_at_each_end_rounded_down(beta: float, count: int) -> None:
    models = models_near(SENT, count)

    new = aggregate(a_strategy("fedtrimmedavg", beta=beta), SENT, replies_of(models))

    assert_near(new, trimmed_mean(models, math.floor(beta * count)))


@pytest.mark.parametrize("name", ["fedmedian", "fedtrimmedavg", "krum", "multikrum", "bulyan"])
def test_one_client_can_neither_drag_the_model_away_nor_weigh_more_than_others(name: str) -> None:
    honest = models_near(SENT, 9, distance=0.01)
    wild = {key: np.full_like(values, 1e30) for key, values in SENT.items()}

    new = as_model(aggregate(a_strategy(name), SENT, replies_of([*honest, wild], [1] * 9 + [2**53])))

    for key, values in new.items():
        np.testing.assert_allclose(values, SENT[key], atol=0.1)
