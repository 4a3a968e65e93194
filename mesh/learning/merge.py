"""How what was learned over the mesh enters the global model when a server is there again. Pure; the server
uses it.

All that has branched off the run's history is one buffer (as in FedBuff: Nguyen et al. 2022,
"Federated Learning with Buffered Asynchronous Aggregation", https://arxiv.org/abs/2106.06639): each
node's model, and the server's own, if it has gone on meanwhile with those whom it could reach. The rule:

    merged = base + Σ aᵢ (modelᵢ - base) / Σ aᵢ        aᵢ = samplesᵢ · stepsᵢ · s(stalenessᵢ)

The deltas are those to the base from which all have branched off. As the weights are divided by their
sum, the base itself falls out: the rule is a mean of models, and needs no model from long ago. So
contributions of several bases can be merged at once: a node that missed a merge and brings progress on an
older base is one more branch, and more stale. The server's own branch counts with the samples and steps
since the oldest of the bases, and is never stale.

What the strategy is given is the merged model, in the place of the mean of a round's updates: its
difference to the current one is the pseudo-gradient (Reddi et al. 2021, https://arxiv.org/abs/2003.00295).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from numpy.typing import NDArray

from mesh.learning.arrays import Arrays, weighted_mean
from mesh.learning.base import Base

ROUNDING = 1e-6
"""By how much masses may be off that were split and added many times."""


@dataclass(frozen=True)
class Contribution:
    """What one node brings from the mesh."""

    base: Base
    model: Arrays
    mass: float
    """For how many samples the model stands: the weight that push-sum has left with this node. The masses of
    all nodes add up to their samples, so that nothing counts twice that several nodes have mixed."""
    steps: float
    """Steps of local training behind the model since the base, as a mean over all who are mixed in it."""
    mesh_rounds: int


@dataclass(frozen=True)
class Progress:
    """What a server has done itself since a base: rounds, and in their mean samples and steps behind them."""

    rounds: int = 0
    samples: float = 0.0
    """Of the clients in a round, as a mean over these rounds."""
    steps: float = 0.0
    """Of one client, as a sum over these rounds."""


class NotMerged(StrEnum):
    """Why a contribution is left out."""

    UNKNOWN_BASE = "unknown-base"
    """the run's history at this server has no such model: another server has made it, or it is of another
    run"""
    MASS = "mass"
    """it claims to stand for more samples than there are, or for none"""
    STEPS = "steps"
    """no training is behind it, or the number is none"""


Since = Callable[[Base], Progress | None]
"""What the server has done since a base; None: its history has no such model. Digests are to be compared."""


@dataclass(frozen=True)
class Merged:
    """What comes of a merge. The shares are those of the server's own model and of each contribution, in
    their order, and add up to 1."""

    model: dict[str, NDArray[Any]]
    own_share: float
    shares: tuple[float, ...]


def discount(staleness: int) -> float:
    """s: what a branch counts for if the server has made so many rounds since (FedBuff, section 3)."""
    return 1 / math.sqrt(1 + staleness)


def objection(contribution: Contribution, since: Since, total_samples: float) -> NotMerged | None:
    """Why a contribution cannot be merged, apart from what its arrays are; None: it can.

    `total_samples`: of all clients that the run has had.
    """
    if since(contribution.base) is None:
        return NotMerged.UNKNOWN_BASE
    if not 0 < contribution.mass <= total_samples * (1 + ROUNDING):
        return NotMerged.MASS
    if not 0 < contribution.steps < math.inf:
        return NotMerged.STEPS
    return None


def merge(current: Arrays, contributions: Sequence[Contribution], since: Since) -> Merged:
    """The rule, for contributions to which there is no objection, in any order.

    Their arrays have the names and shapes of the current model's, and are finite.
    """
    if not contributions:
        return Merged({name: values.copy() for name, values in current.items()}, 1.0, ())
    progress = [_known(since, contribution) for contribution in contributions]
    oldest = max(progress, key=lambda each: each.rounds)
    own = oldest.samples * oldest.steps
    weights = [
        contribution.mass * contribution.steps * discount(each.rounds)
        for contribution, each in zip(contributions, progress, strict=True)
    ]
    total = math.fsum([own, *weights])
    models = [contribution.model for contribution in contributions]
    branches = [(own, current), *zip(weights, models, strict=True)]
    return Merged(weighted_mean(branches), own / total, tuple(weight / total for weight in weights))


def _known(since: Since, contribution: Contribution) -> Progress:
    progress = since(contribution.base)
    if progress is None:
        raise ValueError(f"the base of a contribution is not known: {contribution.base}")
    return progress
