"""Whole numbers from the discrete Gaussian distribution: x has a probability proportional to exp(−x²/2σ²).

By rejection from the discrete Laplace distribution, as Canonne, Kairouz & Steinke 2020 (arXiv:2004.00010,
algorithms 2 and 3) have it, for many numbers at once. They flip coins with fractions of whole numbers, which
are exact; here a coin is a comparison of 53 random bits with a float64, which is right to about 2⁻⁵³.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from shared.privacy.randomness import Keystream  # which imports PyTorch

LARGEST_STDDEV = 2.0**40
"""So that all sums of them are exact in 64 bits, and all squares close enough in float64."""

_PROPOSED = 1 << 15
"""Numbers that are proposed at a time: as much as a core's cache holds."""


def discrete_gaussian(keystream: Keystream, count: int, stddev: float) -> NDArray[np.int64]:
    """So many numbers, shape (count,). `stddev`: σ, from 1/2; that of the numbers hardly differs from it."""
    if not 0.5 <= stddev <= LARGEST_STDDEV:
        raise ValueError(f"a discrete Gaussian has a σ from 0.5 to {LARGEST_STDDEV:g} here, not {stddev:g}")
    numbers = np.empty(count, np.int64)
    done = 0
    while done < count:
        accepted = _accepted(keystream, stddev)[: count - done]
        numbers[done : done + accepted.size] = accepted
        done += accepted.size
    return numbers


def _accepted(keystream: Keystream, stddev: float) -> NDArray[np.int64]:
    """Of proposals with probabilities proportional to exp(−|x|/t), those that are taken.

    Any t is right, and one near σ takes most of them; a power of two leaves no remainder of random bits. Of
    |x| = u + t · v, u is proposed with equal chances, which its share exp(−u/t) of the coin sets right.
    """
    width = max(round(math.log2(stddev)), 0)
    t = 1 << width
    low = (keystream.uniform(_PROPOSED).numpy() * (2 * t)).astype(np.int64)
    is_negative, u = low & 1 == 1, low >> 1
    v = np.floor(-np.log1p(-keystream.uniform(_PROPOSED).numpy())).astype(np.int64)
    size = u + t * v
    coin = np.exp(-u / t - (size - stddev**2 / t) ** 2 / (2 * stddev**2))
    is_taken = keystream.uniform(_PROPOSED).numpy() < coin
    is_taken &= ~(is_negative & (size == 0))  # of two zeros, one
    taken: NDArray[np.int64] = np.where(is_negative, -size, size)[is_taken]
    return taken
