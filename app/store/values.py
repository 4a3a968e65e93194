"""A model's values as files have them, and the digest that tells it from every other."""

from __future__ import annotations

from typing import Any

from flwr.app import ArrayRecord
from numpy.typing import NDArray

from app.store.tensors import digest_of, plain
from shared.npy import flat_view


def plain_values(arrays: ArrayRecord) -> dict[str, NDArray[Any]]:
    """The arrays by name, as `plain` has them; not copied where they are so already."""
    return {name: plain(flat_view(array)).reshape(array.shape) for name, array in arrays.items()}


def model_digest(arrays: ArrayRecord) -> str:
    """The digest of a model: that in the metadata of its checkpoint, and in the audit log."""
    return digest_of(plain_values(arrays))
