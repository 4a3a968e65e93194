"""A model as secure aggregation sees it, whatever its arrays are: peers stumbled over counters among the
weights (Flower's issue 4828) and over arrays of several dtypes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy
from numpy.typing import NDArray

from shared.secagg import model

FLOATS = ("<f2", "<f4", "<f8", ">f4")
OTHERS = ("<i8", "u1", "?")
SHAPES = of_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)

Values = NDArray[Any]


def record(arrays: dict[str, Values]) -> ArrayRecord:
    return ArrayRecord({name: Array(values) for name, values in arrays.items()})


@st.composite
def trainings(draw: st.DrawFn) -> tuple[dict[str, Values], dict[str, Values]]:
    """A model before and after a training, which has moved counters as well, in any order of memory."""
    before: dict[str, Values] = {}
    after: dict[str, Values] = {}
    for number, dtype in enumerate(draw(st.lists(st.sampled_from(FLOATS + OTHERS), max_size=6))):
        shape = draw(SHAPES)
        values = draw(st.integers(0, 2**32 - 1).map(np.random.default_rng)).integers(0, 2, shape)
        moved = values if dtype == "?" else values + draw(st.integers(0, 8)) / 8
        for arrays, given_values in ((before, values), (after, moved)):
            in_order = np.asfortranarray if draw(st.booleans()) else np.ascontiguousarray
            arrays[f"array {number}"] = in_order(given_values.astype(dtype)).reshape(shape)
    return before, after


@given(trainings(), st.randoms(use_true_random=False))
def test_what_has_changed_makes_the_model_after_of_that_before_but_for_its_counters(
    training: tuple[dict[str, Values], dict[str, Values]], random: Any
) -> None:
    before, after = training
    shuffled = list(after)
    random.shuffle(shuffled)

    change = model.change_of(record(before), record({name: after[name] for name in shuffled}))
    made = model.changed(record(before), change.astype(np.float64))

    assert change.size == model.size_of(record(before))
    assert list(made) == list(before)
    for name, array in made.items():
        values = array.numpy()
        expected = after[name] if np.issubdtype(values.dtype, np.floating) else before[name]
        assert (values.dtype, values.shape) == (before[name].dtype, before[name].shape)
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize(
    "other",
    [
        {"w": np.array([1, 3], np.float32), "b": np.array(0.5, np.float32)},  # a value
        {"w": np.array([1, 2], np.float64), "b": np.array(0.5, np.float32)},  # a dtype
        {"w": np.array([[1, 2]], np.float32), "b": np.array(0.5, np.float32)},  # a shape
        {"v": np.array([1, 2], np.float32), "b": np.array(0.5, np.float32)},  # a name
        {"b": np.array(0.5, np.float32), "w": np.array([1, 2], np.float32)},  # the order
        {"w": np.array([1, 2], np.float32)},  # less
    ],
)
def test_a_model_that_differs_in_anything_has_another_digest(other: dict[str, Values]) -> None:
    one = {"w": np.array([1, 2], np.float32), "b": np.array(0.5, np.float32)}

    assert model.digest_of(record(one)) == model.digest_of(record(dict(one)))
    assert model.digest_of(record(one)) != model.digest_of(record(other))
