"""Packing: what a client has learned, as whole numbers that can be summed under masks, and what the sum says.

A change of a weight is clipped to the run's range, weighted by the client's samples as a share of the
declared maximum, and rounded at random to one of its two neighbours, which is right on average. The sum of a
cohort never leaves the modulus, so that nothing wraps around.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import ReplyInvalid
from shared.secagg.masks import Masked
from shared.secagg.settings import SecureAggregation

Floats = NDArray[np.floating[Any]]

BLOCK = 1 << 16
"""Numbers that are worked on at a time."""

SAMPLES, CAPPED, CLIPPED, LOSS_SAMPLES, LOSS = range(5)
"""What the totals are, by place."""
TOTALS = 5

LOSS_UNIT = 2.0**-16
HIGHEST_LOSS = 1e4
"""A loss beyond it counts as this: those of 1,000 clients with 10,000,000 samples then fit into 64 bits."""


@dataclass(frozen=True)
class Learned:
    """What one client has learned: `change` of the weights, shape (size,), from so many samples.

    `loss`: its mean training loss; None: the client keeps it.
    """

    change: Floats
    samples: int
    loss: float | None = None


@dataclass(frozen=True)
class Summed:
    """What a cohort has learned in all: the weighted mean of its changes, in float64.

    Where the clients share noise, each counts as one, and all numbers but the mean are None.
    """

    mean: NDArray[np.float64]
    clients: int
    samples: int | None = None
    """Of all clients, each with so many as count at most."""
    capped: int | None = None
    """Clients that had more."""
    clipped: float | None = None
    """Share of the values that were beyond the range."""
    loss: float | None = None
    """Mean training loss; None: no client has told."""


class SumInvalid(ValueError):
    """A sum is none that clients can have come to: somebody has sent what is not an update."""


@dataclass(frozen=True)
class Packing:
    """Of a cohort of so many clients."""

    settings: SecureAggregation
    clients: int

    @property
    def steps(self) -> int:
        """How many steps a change in the whole range has at most."""
        return ((1 << (self.settings.bits - 1)) - 1) // self.clients

    def tolerance(self, samples: int) -> float:
        """How far a mean over so many samples is from the exact one, for changes in the range, at most."""
        step = self.settings.range / self.steps * self.settings.max_samples
        return self.clients * step / samples

    def pack(self, learned: Learned) -> Masked:
        """What a client adds to the sum, without a mask. Raises ReplyInvalid for what is not finite."""
        settings = self.settings
        packed = Masked.zero(TOTALS, learned.change.size, settings.bits)
        samples = min(learned.samples, settings.max_samples)
        scale = self.steps / settings.range * (samples / settings.max_samples)
        clipped = 0
        chance = np.random.default_rng()
        for block in blocks_of(learned.change.size):
            change = learned.change[block].astype(np.float64)
            if not np.isfinite(change).all():
                raise ReplyInvalid(
                    "The update cannot be masked: it has values that are infinite or not numbers."
                )
            clipped += int(np.count_nonzero(np.abs(change) > settings.range))
            np.clip(change, -settings.range, settings.range, out=change)
            change *= scale
            change += chance.random(change.size)
            packed.values[block] = np.floor(change).astype(np.int64).astype(packed.values.dtype)
        totals = [samples, int(learned.samples > settings.max_samples), clipped, 0, 0]
        if learned.loss is not None:
            loss = min(max(learned.loss, -HIGHEST_LOSS), HIGHEST_LOSS)
            totals[LOSS_SAMPLES], totals[LOSS] = samples, round(loss * samples / LOSS_UNIT)
        packed.totals[:] = np.array(totals, np.int64).astype(np.uint64)
        return packed

    def unpack(self, total: Masked, clients: int) -> Summed:
        """What a sum over so many clients, without masks, says. Raises SumInvalid."""
        settings, size = self.settings, total.values.size
        signed = [int(each) for each in total.totals.view(np.int64)]
        samples, capped, clipped, loss_samples, loss = signed
        if not (
            clients <= samples <= clients * settings.max_samples
            and 0 <= capped <= clients
            and 0 <= clipped <= clients * size
            and 0 <= loss_samples <= samples
            and abs(loss) * LOSS_UNIT <= HIGHEST_LOSS * loss_samples + 1
        ):
            raise SumInvalid("The sum of the updates is none that clients can have come to.")
        scale = settings.range / self.steps * (settings.max_samples / samples)
        steps = total.values.view(np.int16 if settings.bits == 16 else np.int32)
        return Summed(
            mean=steps.astype(np.float64) * scale,
            clients=clients,
            samples=samples,
            capped=capped,
            clipped=clipped / (clients * size) if size else 0.0,
            loss=loss * LOSS_UNIT / loss_samples if loss_samples else None,
        )


def blocks_of(size: int) -> Iterator[slice]:
    """Slices of at most BLOCK numbers that cover so many."""
    return (slice(start, start + BLOCK) for start in range(0, size, BLOCK))
