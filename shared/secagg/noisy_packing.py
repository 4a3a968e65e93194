"""NoisyPacking: a client's change as whole numbers with its part of the noise on them; see `noise.py`.

The sum says nothing but itself: numbers of samples, losses and what was clipped would have no noise.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import ReplyInvalid
from shared.privacy.discrete_gaussian import discrete_gaussian
from shared.secagg.masks import Masked
from shared.secagg.noise import NoisePlan
from shared.secagg.packing import SAMPLES, TOTALS, Learned, Packing, SumInvalid, Summed, blocks_of
from shared.secagg.session import Session

if TYPE_CHECKING:
    from shared.privacy.randomness import Keystream  # which imports PyTorch

Floats = NDArray[np.floating[Any]]

_KEY_BYTES = 32
_SLACK = 1e-11
"""Of a sum of squares in float64, more than it can be wrong. Much more would leave no room for rounding where
a norm is billions of steps."""


@dataclass(frozen=True)
class NoisyPacking:
    """Of a cohort whose clients share noise."""

    plan: NoisePlan

    def pack(self, learned: Learned) -> Masked:
        """What a client adds to the sum, without a mask: other noise each time, from the system's randomness.

        Raises ReplyInvalid for what is not finite, and SettingsInvalid where there is no room for the noise.
        """
        from shared.privacy.randomness import Keystream

        self.plan.require_possible()
        keystream = Keystream(secrets.token_bytes(_KEY_BYTES))
        packed = Masked.zero(TOTALS, learned.change.size, self.plan.settings.bits)
        rounded = self.rounded(learned.change, keystream)
        for block in blocks_of(rounded.size):
            part = rounded[block]
            part += discrete_gaussian(keystream, part.size, self.plan.stddev)
            packed.values[block] = part.astype(packed.values.dtype)
        packed.totals[SAMPLES] = 1
        return packed

    def rounded(self, change: Floats, keystream: Keystream) -> NDArray[np.int64]:
        """A change, clipped, in steps, of an L2 norm of at most `plan.norm`; without noise."""
        scale = self.plan.scale * min(1.0, self.plan.privacy.clipping_norm / (_norm(change) or 1.0))
        limit = self.plan.limit * self.plan.scale
        rounded = np.empty(change.size, np.int64)
        while True:
            for block in blocks_of(change.size):
                steps = np.clip(change[block].astype(np.float64) * scale, -limit, limit)
                steps += keystream.uniform(steps.size).numpy()
                rounded[block] = np.floor(steps).astype(np.int64)
            if _norm(rounded) <= self.plan.norm * (1 - _SLACK):
                return rounded

    def unpack(self, total: Masked, clients: int) -> Summed:
        """What a sum over so many clients, without masks, says. Raises SumInvalid."""
        if total.totals.tolist() != [clients if place == SAMPLES else 0 for place in range(TOTALS)]:
            raise SumInvalid(
                "The sum of the updates is none that clients which share noise can have come to."
            )
        steps = total.values.view(np.int16 if self.plan.settings.bits == 16 else np.int32)
        return Summed(mean=steps.astype(np.float64) / (self.plan.scale * clients), clients=clients)


def packing_of(session: Session, size: int) -> Packing | NoisyPacking:
    """How the updates of a session, of so many numbers each, become a sum. Raises SettingsInvalid."""
    if session.noise is None:
        return Packing(session.settings, len(session.cohort))
    plan = NoisePlan(session.noise, session.settings, len(session.cohort), size)
    plan.require_possible()
    return NoisyPacking(plan)


def _norm(values: NDArray[Any]) -> float:
    """The L2 norm. Raises ReplyInvalid where it is none."""
    squares = [float(part @ part) for part in (values[b].astype(np.float64) for b in blocks_of(values.size))]
    norm = math.sqrt(math.fsum(squares)) if all(map(math.isfinite, squares)) else math.inf
    if not math.isfinite(norm):
        raise ReplyInvalid("The update cannot be clipped: it has values that are infinite or not numbers.")
    return norm
