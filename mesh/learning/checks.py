"""Checks of a peer's model before it is averaged. Who sent it, the mesh has verified."""

from __future__ import annotations

from mesh.learning.arrays import Arrays, ModelInvalid, decoded, encoded, is_finite, norm, require_real
from mesh.learning.transfers import Outcome

MAX_NORM_RATIO = 10.0
"""How many times as large as one's own a peer's model may be (L2 norm); a smaller one is never refused."""

SMALLEST_NORM = 1.0
"""A node's own model counts as at least so large: one of zeros only would refuse all others."""


class Refused(Exception):
    """A model is not averaged, for this reason."""

    def __init__(self, why: Outcome) -> None:
        super().__init__(why.value)
        self.why = why


class ModelCheck:
    """What a model must be to be averaged with this one. Raises ModelInvalid where nothing can be."""

    def __init__(self, like: Arrays) -> None:
        require_real(like)
        self.size = len(encoded(like))
        """Bytes of every model with these names, dtypes and shapes: others need not be fetched."""
        self._kinds = {name: (values.shape, values.dtype) for name, values in like.items()}

    def require_usable(self, data: bytes, own: Arrays) -> Arrays:
        """The model in these bytes, in the order of this one's. Raises Refused."""
        try:
            model = decoded(data)
        except ModelInvalid as error:
            raise Refused(Outcome.UNREADABLE) from error
        if {name: (values.shape, values.dtype) for name, values in model.items()} != self._kinds:
            raise Refused(Outcome.ARRAYS)
        if not is_finite(model):
            raise Refused(Outcome.NOT_FINITE)
        if norm(model) > MAX_NORM_RATIO * max(norm(own), SMALLEST_NORM):
            raise Refused(Outcome.NORM)
        return {name: model[name] for name in self._kinds}
