"""What releases cost, as another accountant computes it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.rdp import RdpAccountant
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.privacy.accounting import ORDERS, Release, epsilon_of, noise_for, rdp_of

DELTA = 1e-5

releases = st.builds(
    Release, noise_multiplier=st.floats(2, 20), sample_rate=st.floats(1e-4, 0.2), steps=st.integers(1, 100)
)


def by_googles_accountant(given: Sequence[Release], delta: float) -> float:
    """With the same orders: another choice is another bound."""
    accountant = RdpAccountant(ORDERS)
    for release in given:
        event = PoissonSampledDpEvent(release.sample_rate, GaussianDpEvent(release.noise_multiplier))
        accountant.compose(SelfComposedDpEvent(event, release.steps))
    return float(accountant.get_epsilon(delta))


@given(st.lists(releases, min_size=1, max_size=3), st.sampled_from([1e-7, DELTA, 1e-3]))
@settings(deadline=None, max_examples=15)
def test_epsilon_is_that_of_googles_accountant(given: list[Release], delta: float) -> None:
    assert epsilon_of(given, delta) == pytest.approx(by_googles_accountant(given, delta), rel=0.01)


@pytest.mark.parametrize(("sample_rate", "noise_multiplier"), [(0.5, 0.5), (0.2, 0.5), (0.9, 1.0)])
def test_what_a_step_costs_is_what_numerical_integration_says(
    sample_rate: float, noise_multiplier: float
) -> None:
    """Also where Google's accountant gives up the orders in which its series does not converge."""
    at = np.linspace(-30, 60, 1_000_001)
    without = -(at**2) / (2 * noise_multiplier**2) - math.log(noise_multiplier * math.sqrt(2 * math.pi))
    moved = without + (2 * at - 1) / (2 * noise_multiplier**2)
    with_it = np.logaddexp(math.log1p(-sample_rate) + without, math.log(sample_rate) + moved)
    step = Release(noise_multiplier, sample_rate, 1)

    for order in (1.1, 1.5, 2.5, 5.0):
        integral = np.trapezoid(np.exp(without + order * (with_it - without)), at)
        assert rdp_of(step, order) == pytest.approx(math.log(integral) / (order - 1), rel=1e-6)


def test_epsilon_is_that_of_the_plain_gaussian_mechanism_where_every_sample_takes_part() -> None:
    accountant = RdpAccountant(ORDERS)
    accountant.compose(SelfComposedDpEvent(GaussianDpEvent(3.0), 10))

    assert epsilon_of([Release(3.0, 1.0, 10)], DELTA) == pytest.approx(
        accountant.get_epsilon(DELTA), rel=0.01
    )


def test_nothing_costs_nothing_and_no_noise_costs_everything() -> None:
    assert epsilon_of([], DELTA) == 0
    assert epsilon_of([Release(1.0, 0.5, 0)], DELTA) == 0
    assert epsilon_of([Release(0.0, 0.5, 1)], DELTA) == math.inf


def test_releases_add_up_whatever_their_order() -> None:
    first, second = Release(1.0, 0.1, 20), Release(2.0, 0.5, 5)

    assert epsilon_of([first, second], DELTA) == epsilon_of([second, first], DELTA)
    assert epsilon_of([first] * 2, DELTA) == epsilon_of([Release(1.0, 0.1, 40)], DELTA)
    assert epsilon_of([first, second], DELTA) > epsilon_of([first], DELTA)


@pytest.mark.parametrize("target", [0.1, 1.0, 8.0, 50.0])
@pytest.mark.parametrize(("sample_rate", "steps"), [(0.01, 1_000), (0.3, 40), (1.0, 1)])
def test_the_noise_for_a_target_meets_it_without_waste(target: float, sample_rate: float, steps: int) -> None:
    noise = noise_for(target, DELTA, sample_rate, steps)

    assert epsilon_of([Release(noise, sample_rate, steps)], DELTA) <= target
    assert epsilon_of([Release(noise * 0.99, sample_rate, steps)], DELTA) > target


def test_a_target_that_no_noise_meets_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no noise is enough for an epsilon of 0\.001"):
        noise_for(0.001, 1e-12, 1.0, 1)
