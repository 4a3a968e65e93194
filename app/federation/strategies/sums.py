"""A sum of models that is never larger than one model, however many are added.

McMahan et al. 2017 (arXiv:1602.05629) write the average as a sum over all clients of a round; nothing in it
needs two of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from flwr.app import ArrayRecord

from app.federation.strategies.arrays import BLOCK, Floats, blocks, use_up
from shared.npy import flat_view


class WeightedSum:
    """Σ weight · arrays, or with an `origin` Σ weight · (arrays − origin), in float64.

    In float64 a sum of float32 values hardly depends on the order in which they come.
    """

    def __init__(self, model: ArrayRecord, origin: ArrayRecord | None = None) -> None:
        """`model`: names, shapes and dtypes of all that will be added; further arrays in them are ignored."""
        self._model = model
        self._origin = origin
        self._sums = {name: np.zeros(flat_view(array).size) for name, array in model.items()}
        self._scratch = np.empty(BLOCK)
        self.weight = 0.0

    def add(self, arrays: ArrayRecord, weight: float) -> None:
        """Add a model; nothing of it is kept."""
        for name, total in self._sums.items():
            values = flat_view(arrays[name])
            base = None if self._origin is None else flat_view(self._origin[name])
            for block in blocks(total.size):
                term = self._scratch[: block.stop - block.start]
                if base is None:
                    np.multiply(values[block], weight, out=term, dtype=np.float64)
                else:
                    np.subtract(values[block], base[block], out=term, dtype=np.float64)
                    term *= weight
                total[block] += term
        self.weight += weight

    def drain(self) -> Iterator[tuple[str, Floats]]:
        """Name and sum, shape (size,), of each array in the model's order; nothing is kept of those taken."""
        for name in self._model:
            yield name, self._sums.pop(name)

    def drain_mean(self) -> ArrayRecord:
        """The sum divided by the sum of the weights, as arrays like the model's."""
        arrays = ArrayRecord()
        for name, total in self.drain():
            total /= self.weight
            arrays[name] = use_up(total, like=self._model[name])
        return arrays
