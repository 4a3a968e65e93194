"""The discrete Gaussian distribution: each number comes as often as it must."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from shared.privacy.discrete_gaussian import LARGEST_STDDEV, discrete_gaussian
from shared.privacy.randomness import Keystream


def drawn(count: int, stddev: float, key: int = 1) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return discrete_gaussian(Keystream(bytes([key]) * 32), count, stddev)


@pytest.mark.parametrize("stddev", [0.5, 0.8, 1.0, 1.42, 2.9, 6.0, 23.0])
def test_each_number_has_the_probability_of_its_definition(stddev: float) -> None:
    """Pearson's test; with a keystream that is fixed, it passes always or never."""
    count = 400_000
    far = math.ceil(4 * stddev)
    weights = np.exp(-(np.arange(-40 * far, 40 * far + 1) ** 2) / (2 * stddev**2))
    expected = count * weights[39 * far : 41 * far + 1] / weights.sum()
    numbers = drawn(count, stddev)
    observed = np.bincount(numbers[np.abs(numbers) <= far] + far, minlength=2 * far + 1)
    beyond = count - observed.sum(), count - expected.sum()
    enough = expected >= 10

    statistic = ((observed - expected) ** 2 / expected)[enough].sum() + (beyond[0] - beyond[1]) ** 2 / beyond[
        1
    ]

    assert statistic < chi2.ppf(0.9999, enough.sum())


@pytest.mark.parametrize("stddev", [4.0, 300.0, 5e5, 1e9, LARGEST_STDDEV])
def test_a_wide_one_is_as_good_as_the_normal_distribution(stddev: float) -> None:
    count = 400_000

    numbers = drawn(count, stddev) / stddev

    # each bound is five standard errors wide
    assert abs(numbers.mean()) < 5 / math.sqrt(count)
    assert abs(numbers.var() - 1) < 5 * math.sqrt(2 / count)
    assert abs((numbers**3).mean()) < 5 * math.sqrt(15 / count)
    assert abs((numbers**4).mean() - 3) < 5 * math.sqrt(96 / count)
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 5 / math.sqrt(count)
    assert 4 < np.abs(numbers).max() < 6


@given(count=st.integers(0, 100_000), stddev=st.floats(0.5, LARGEST_STDDEV))
def test_there_are_as_many_as_were_asked_for_and_they_follow_from_the_key(count: int, stddev: float) -> None:
    numbers = drawn(count, stddev)

    assert numbers.shape == (count,)
    assert np.abs(numbers).max(initial=0) < 40 * stddev
    np.testing.assert_array_equal(numbers, drawn(count, stddev))
    if count > 1_000:
        assert not np.array_equal(numbers, drawn(count, stddev, key=2))


@pytest.mark.parametrize("stddev", [0.0, 0.49, -1.0, math.nan, math.inf, 2 * LARGEST_STDDEV])
def test_what_cannot_be_drawn_is_refused(stddev: float) -> None:
    with pytest.raises(ValueError, match="σ from"):
        drawn(1, stddev)
