"""What releases under differential privacy cost: epsilon at a given delta, over all that were made.

By Rényi differential privacy (Mironov 2017, arXiv:1702.07476) of the Gaussian mechanism on Poisson samples
(Mironov et al. 2019, arXiv:1908.10530), as Opacus' `RDPAccountant` computes it. Neighbours differ by one
sample that is there or not. All is pure: the same releases cost the same, in whatever order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ACCOUNTANT = "RDP"
"""The name of the analysis, which is told beside every epsilon."""

ORDERS = (*(1 + tenth / 10 for tenth in range(1, 100)), *range(11, 64), 128, 256, 512, 1024)
"""Rényi orders among which the best is taken. The high ones matter where epsilon is small."""

MAX_NOISE_MULTIPLIER = 1e6
_PRECISION = 1e-3
"""To which a noise multiplier is found, relative to itself; the noise is never less than it has to be."""


Rdp = NDArray[np.float64]
"""What something costs, at each of the orders."""


@dataclass(frozen=True)
class Release:
    """So many steps of DP-SGD whose outcome leaves a client.

    `noise_multiplier`: the noise's standard deviation in each step, divided by the clipping norm.
    `sample_rate`: the probability with which each sample takes part in a step, 0 to 1; 1 is the plain
    Gaussian mechanism.
    """

    noise_multiplier: float
    sample_rate: float
    steps: int


def epsilon_of(releases: Iterable[Release], delta: float) -> float:
    """What releases of the same data cost together; infinite where there is no noise, 0 for none at all."""
    return epsilon_at(sum(map(rdp_by_order, releases), start=no_rdp()), delta)


def no_rdp() -> Rdp:
    """What nothing costs."""
    return np.zeros(len(ORDERS))


def rdp_by_order(release: Release) -> Rdp:
    """What a release costs, at each of the orders: there releases of the same data add up."""
    if not release.steps or not release.sample_rate:
        return no_rdp()
    return _rdp_of_a_step(release.noise_multiplier, release.sample_rate) * release.steps


def rdp_of(release: Release, order: float) -> float:
    """The Rényi divergence of one of the ORDERS that a release amounts to."""
    by_order = _rdp_of_a_step(release.noise_multiplier, release.sample_rate)
    return float(by_order[ORDERS.index(order)]) * release.steps


def noise_for(target_epsilon: float, delta: float, sample_rate: float, steps: int) -> float:
    """The least noise multiplier with which so many steps cost at most `target_epsilon`.

    Raises ValueError where none is enough: delta is too small for that epsilon.
    """
    low, high = 0.0, 1.0
    while epsilon_of([Release(high, sample_rate, steps)], delta) > target_epsilon:
        low, high = high, 2 * high
        if high > MAX_NOISE_MULTIPLIER:
            raise ValueError(
                f"no noise is enough for an epsilon of {target_epsilon:g} at a delta of {delta:g}: "
                "raise either"
            )
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        if epsilon_of([Release(middle, sample_rate, steps)], delta) > target_epsilon:
            low = middle
        else:
            high = middle
    return high


@lru_cache(maxsize=256)
def _rdp_of_a_step(noise_multiplier: float, sample_rate: float) -> NDArray[np.float64]:
    """Of one step, by order."""
    from opacus.accountants.analysis.rdp import compute_rdp  # only now: it imports PyTorch

    rdp = compute_rdp(q=sample_rate, noise_multiplier=noise_multiplier, steps=1, orders=list(ORDERS))
    by_order: NDArray[np.float64] = np.asarray(rdp, dtype=np.float64)
    by_order.flags.writeable = False
    return by_order


def epsilon_at(rdp: Rdp, delta: float) -> float:
    """The least epsilon over all orders, by Balle et al. 2020 (arXiv:1905.09982), theorem 21."""
    if not rdp.any():
        return 0.0
    orders = np.asarray(ORDERS)
    by_order = rdp - (math.log(delta) + np.log(orders)) / (orders - 1) + np.log1p(-1 / orders)
    # So little that delta alone covers it (Bretagnolle & Huber 1979): the total variation is below it
    by_order[delta**2 + np.expm1(-rdp) > 0] = 0
    return max(0.0, float(np.nanmin(by_order)))
