"""FedAvg: the mean of all models, weighted by samples, in the memory of one."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, Message
from flwr.serverapp import strategy as flower
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from app.federation.strategies.arrays import BLOCK, to_array, use_up
from app.federation.strategies.sums import WeightedSum
from tests.support.updates import (
    Model,
    a_model,
    a_record,
    a_reply,
    a_strategy,
    aggregate,
    as_model,
    assert_near,
    models_near,
    replies_of,
)

values = st.floats(-1e6, 1e6, width=32)
arrays = st_numpy.arrays(np.float32, (5, 3), elements=values)
weighted = st.lists(st.tuples(arrays, st.integers(1, 10**6)), min_size=1, max_size=20)


def mean_of(models: list[Model], weights: list[int]) -> Model:
    """The plainest weighted mean there is, in float64."""
    return {
        name: np.average(np.stack([model[name] for model in models]).astype(np.float64), 0, weights)
        for name in models[0]
    }


@pytest.mark.parametrize("name", ["fedavg", "fedprox"])
def test_the_mean_is_flowers(name: str) -> None:
    sent = a_model(0)
    models = models_near(sent, 10)

    wanted, _ = flower.FedAvg().aggregate_train(1, replies_of(models))

    assert wanted is not None
    assert_near(aggregate(a_strategy(name), sent, replies_of(models)), wanted)


@given(weighted)
def test_the_sum_of_a_stream_is_the_weighted_mean(updates: list[tuple[np.ndarray, int]]) -> None:
    models: list[Model] = [{"a": array} for array, _ in updates]
    weights = [weight for _, weight in updates]
    stream = WeightedSum(a_record(models[0]))
    for model, weight in zip(models, weights, strict=True):
        stream.add(a_record(model), weight)

    got = as_model(stream.drain_mean())["a"]

    wanted = mean_of(models, weights)["a"]
    # float64 sums of what may cancel out, rounded once to float32
    np.testing.assert_allclose(got, wanted, rtol=2**-23, atol=1e-8)
    assert got.dtype == np.float32
    assert (got >= np.min([model["a"] for model in models], axis=0)).all()
    assert (got <= np.max([model["a"] for model in models], axis=0)).all()


@given(weighted, st.randoms(use_true_random=False))
def test_the_order_of_a_stream_changes_nothing_that_float32_can_hold(
    updates: list[tuple[np.ndarray, int]], random: object
) -> None:
    def streamed(items: list[tuple[np.ndarray, int]]) -> np.ndarray:
        stream = WeightedSum(a_record({"a": items[0][0]}))
        for array, weight in items:
            stream.add(a_record({"a": array}), weight)
        return as_model(stream.drain_mean())["a"]

    shuffled = list(updates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    np.testing.assert_allclose(streamed(shuffled), streamed(updates), rtol=2**-23, atol=1e-8)


@given(arrays, st.lists(st.integers(1, 2**53), min_size=1, max_size=5))
def test_clients_that_agree_keep_their_model(array: np.ndarray, samples: list[int]) -> None:
    model = {"a": array}

    new = aggregate(a_strategy("fedavg"), model, replies_of([model] * len(samples), samples))

    np.testing.assert_array_equal(as_model(new)["a"], array)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_blocks_cover_an_array_of_any_size(size: int) -> None:
    models: list[Model] = [a_model(seed, {"a": (size,)}) for seed in range(3)]

    new = aggregate(a_strategy("fedavg"), models[0], replies_of(models, [1, 2, 3]))

    assert_near(new, mean_of(models, [1, 2, 3]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.int32, np.int64, np.bool_])
@pytest.mark.parametrize("size", [0, 1, 3 * BLOCK + 1])
def test_values_are_narrowed_in_place_as_by_a_copy(dtype: type[np.generic], size: int) -> None:
    like = Array(np.zeros(size, dtype))
    values = 100 * np.random.default_rng(0).random(size)
    wanted = (values if np.issubdtype(dtype, np.floating) else np.rint(values)).astype(dtype)

    for array in (to_array(values, like), use_up(values, like)):
        assert (array.dtype, array.shape, array.stype) == (like.dtype, like.shape, like.stype)
        np.testing.assert_array_equal(array.numpy(), wanted)


def test_a_counter_is_rounded_to_the_nearest_whole_number() -> None:
    counts = [np.array(count, np.int64) for count in (10, 10, 13)]

    new = aggregate(a_strategy("fedavg"), {"n": counts[0]}, replies_of([{"n": n} for n in counts], [1, 1, 1]))

    assert as_model(new)["n"] == 11
    assert as_model(new)["n"].dtype == np.int64


SIZE = 1_000_000
"""Weights of a model of 4 MB."""


def one_by_one(count: int) -> Iterator[Message]:
    """Replies that exist only while they are looked at."""
    for node in range(2, 2 + count):
        yield a_reply(node, {"a": np.full(SIZE, node, np.float32)})


def peak_of(name: str, count: int) -> int:
    """The most memory that one round needs, in bytes, beside the model that was sent."""
    sent: ArrayRecord = a_record({"a": np.zeros(SIZE, np.float32)})
    strategy = a_strategy(name)
    tracemalloc.start()
    try:
        aggregate(strategy, sent, one_by_one(count))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["fedavg", "fedadam", "qfedavg", "dpfedavg-fixed"])
def test_memory_does_not_grow_with_the_number_of_clients(name: str) -> None:
    few, many = peak_of(name, 4), peak_of(name, 40)

    assert many <= few + 4 * SIZE / 10, f"{few / 1e6:.1f} MB for 4 clients, {many / 1e6:.1f} MB for 40"


def test_strategies_that_say_so_are_those_that_stream() -> None:
    """The other way round: what is said not to stream does grow, so the test above can fail."""
    few, many = peak_of("fedmedian", 4), peak_of("fedmedian", 10)

    assert many > few + 5 * 4 * SIZE
