"""A model as secure aggregation sees it: a digest that all clients compare, and one row of numbers."""

from __future__ import annotations

import hashlib

import numpy as np
from flwr.app import Array, ArrayRecord
from numpy.typing import NDArray

from shared.npy import flat_view
from shared.security.statement import Purpose, statement


def digest_of(arrays: ArrayRecord) -> bytes:
    """The SHA-256 of a model as it travels: names and bytes of all of its arrays."""
    running = hashlib.sha256(statement(Purpose.SECAGG_MODEL))
    for name, array in arrays.items():
        running.update(statement(Purpose.SECAGG_MODEL, name, len(array.data)))
        running.update(array.data)
    return running.digest()


def size_of(arrays: ArrayRecord) -> int:
    """How many numbers of a model are summed up."""
    return sum(flat_view(array).size for array in summed(arrays).values())


def summed(arrays: ArrayRecord) -> dict[str, Array]:
    """The arrays that are: those of real numbers. Of counters a mean says nothing; they stay as they were."""
    return {
        name: array for name, array in arrays.items() if np.issubdtype(np.dtype(array.dtype), np.floating)
    }


def change_of(before: ArrayRecord, after: ArrayRecord) -> NDArray[np.float32]:
    """What has changed, as one row in the order of `before`, shape (size_of(before),)."""
    changes = [
        np.subtract(flat_view(after[name]), flat_view(array), dtype=np.float64).astype(np.float32)
        for name, array in summed(before).items()
    ]
    return np.concatenate(changes) if changes else np.zeros(0, np.float32)


def changed(before: ArrayRecord, change: NDArray[np.float64]) -> ArrayRecord:
    """The model with a change, in the names, shapes and dtypes of `before`."""
    after, at = ArrayRecord(), 0
    rows = summed(before)
    for name, array in before.items():
        if name not in rows:
            after[name] = array
            continue
        values = flat_view(array)
        moved = values.astype(np.float64) + change[at : at + values.size]
        after[name] = Array(moved.astype(array.dtype).reshape(array.shape))
        at += values.size
    return after
