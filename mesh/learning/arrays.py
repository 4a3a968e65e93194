"""Models as named arrays of real numbers: what averaging needs of them, and their bytes on the way.

Sums are in float64, results in the arrays' own dtypes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from shared.errors import FedLoomError

Arrays = Mapping[str, NDArray[Any]]
"""A model's weights by name."""


class ModelInvalid(FedLoomError):
    """Arrays cannot be averaged, or bytes hold no arrays."""


def require_real(model: Arrays) -> None:
    """Raises ModelInvalid unless all arrays are of real numbers, and there are some."""
    if not model:
        raise ModelInvalid("A model without arrays cannot be averaged.")
    for name, values in model.items():
        if not np.issubdtype(values.dtype, np.floating):
            raise ModelInvalid(
                f"The array {name!r} is of {values.dtype.name}: only models of real numbers can be averaged."
            )


def weighted_mean(models: Iterable[tuple[float, Arrays]]) -> dict[str, NDArray[Any]]:
    """Σ weight · model / Σ weight, with names and dtypes as the first has them. The weights are not negative,
    and not all of them 0."""
    parts = list(models)
    total = math.fsum(weight for weight, _ in parts)
    first = parts[0][1]
    mean: dict[str, NDArray[Any]] = {}
    for name, values in first.items():
        sums = np.zeros(values.shape, np.float64)
        for weight, model in parts:
            if weight:
                sums += np.multiply(model[name], weight / total, dtype=np.float64)
        mean[name] = sums.astype(values.dtype)
    return mean


def norm(model: Arrays) -> float:
    """The L2 norm over all arrays; infinite if float64 cannot hold it."""
    with np.errstate(over="ignore"):
        return math.sqrt(sum(_squares(values.astype(np.float64).ravel()) for values in model.values()))


def distance(model: Arrays, other: Arrays) -> float:
    """The L2 norm of the difference."""
    with np.errstate(over="ignore"):
        return math.sqrt(
            sum(
                _squares(np.subtract(values, other[name], dtype=np.float64).ravel())
                for name, values in model.items()
            )
        )


def is_finite(model: Arrays) -> bool:
    """Whether each number is one."""
    return all(bool(np.isfinite(values).all()) for values in model.values())


def clipped_around(centre: Arrays, model: Arrays, radius: float) -> Arrays:
    """The model, or where it is farther from the centre than `radius`, the point at that distance on the way
    to it (He, Karimireddy and Jaggi 2022, "Byzantine-Robust Decentralized Learning via ClippedGossip",
    https://arxiv.org/abs/2202.01545)."""
    far = distance(centre, model)
    if far <= radius:
        return model
    share = radius / far
    return weighted_mean([(1 - share, centre), (share, model)])


def encoded(model: Arrays) -> bytes:
    """A model's bytes (safetensors); their number depends on names, dtypes and shapes alone."""
    return save({name: np.ascontiguousarray(values) for name, values in model.items()})


def digest_of(model: Arrays) -> bytes:
    """SHA-256 of `encoded`."""
    return hashlib.sha256(encoded(model)).digest()


def decoded(data: bytes) -> dict[str, NDArray[Any]]:
    """The inverse of `encoded`; nothing in the bytes is executed. Raises ModelInvalid."""
    try:
        return load(data)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise ModelInvalid(f"The bytes of a model cannot be read: {error}.") from error


def _squares(values: NDArray[np.float64]) -> float:
    return float(values @ values)
