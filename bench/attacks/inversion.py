"""Gradient inversion: a client's picture, from the update that it sends.

For one picture x with label y, the gradient of a linear model is (p − y) xᵀ for the weights and p − y for
the biases, where p are the probabilities that the model gives to the classes. Any row of the first, divided
by its entry in the second, is the picture. (For deeper networks: Zhu et al. 2019, arXiv:1906.08935.) After
one step of SGD the update is that gradient times the learning rate.

With noise on it, the best guess is the product of two vectors that is nearest to the update: its first
singular vectors. Without noise that is the picture itself.
"""

from __future__ import annotations

import numpy as np

from bench.attacks.victim import Pixels, Victim, Weights


def update_of(victim: Victim) -> Pixels:
    """What one round adds to the victim's linear model: (classes, pixels + 1), the biases as last column."""
    return _matrix(victim.trained().weights) - _matrix(victim.initial())


def picture_in(update: Pixels) -> Pixels:
    """The picture that explains an update best, as a vector of pixels."""
    first = np.linalg.svd(update, full_matrices=False)[2][0]
    picture: Pixels = first[:-1] / first[-1]
    return picture


def likeness(one: Pixels, other: Pixels) -> float:
    """Correlation of the pixels: 1 for the same picture, about 0 for noise."""
    return float(np.corrcoef(one, other)[0, 1])


def _matrix(weights: Weights) -> Pixels:
    rows, biases = (weights[name].double().numpy() for name in ("fc.weight", "fc.bias"))
    return np.hstack([rows, biases[:, None]])
