"""Bulyan: Krum's choice of updates, then a trimmed mean of each weight.

El Mhamdi et al. 2018, "The Hidden Vulnerability of Distributed Learning in Byzantium",
https://arxiv.org/abs/1802.07927. Krum alone lets an attacker move a single weight far, as long as the rest
of the update looks like the others'. With n ≥ 4f + 3 updates of which f may be malicious:

1. Krum chooses an update, which is taken out, and so on, θ = n − 2f times.
2. Each weight becomes the mean of those β = θ − 2f of the chosen values that are nearest to their median.

Not Flower's own class (1.41): it ranks all updates once, by distances that are rounding noise where updates
are alike (see `krum`), and has Python collect garbage once for each update that it opens, a second or more
per round.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flwr.app import ArrayRecord
from pydantic import Field

from app.federation.strategies.arrays import Floats, blocks, to_array
from app.federation.strategies.base import RoundStrategy
from app.federation.strategies.collecting import CollectingStrategy
from app.federation.strategies.krum import select, squared_distances
from app.federation.strategies.settings import StrategySettings
from shared.names import StrategyName
from shared.npy import flat_view
from shared.run_spec import MAX_CLIENTS, RunSpec


class BulyanSettings(StrategySettings):
    name = StrategyName.BULYAN
    title = "Bulyan"
    summary = (
        "Krum's choice of updates, then a trimmed mean of each weight: against attacks that Krum misses."
    )
    reference = "https://arxiv.org/abs/1802.07927"
    streams = False

    num_malicious_nodes: int = Field(
        default=1,
        ge=1,
        le=MAX_CLIENTS,
        description="f: clients that may be malicious; at least 4f + 3 must answer",
    )

    def minimum_updates(self) -> int:
        return 4 * self.num_malicious_nodes + 3

    def fitting(self, updates: int) -> str | None:
        malicious = (updates - 3) // 4
        return f"lower num_malicious_nodes to {malicious}" if malicious >= 1 else None

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return Bulyan(self)


class Bulyan(CollectingStrategy):
    """See the module."""

    def __init__(self, settings: BulyanSettings) -> None:
        super().__init__(minimum_updates=settings.minimum_updates())
        self._malicious = settings.num_malicious_nodes

    def _aggregate(self, server_round: int, sent: ArrayRecord, updates: Sequence[ArrayRecord]) -> ArrayRecord:
        distances = squared_distances(updates, sent)
        chosen = select_one_by_one(distances, self._malicious, len(updates) - 2 * self._malicious)
        models = [updates[index] for index in chosen]
        nearest = len(models) - 2 * self._malicious
        return ArrayRecord(
            {
                name: to_array(
                    _mean_near_median([flat_view(model[name]) for model in models], nearest), array
                )
                for name, array in sent.items()
            }
        )


def select_one_by_one(distances: Floats, malicious: int, number: int) -> list[int]:
    """Krum's choice of `number` updates, each taken out before the next is chosen."""
    left = list(range(len(distances)))
    chosen: list[int] = []
    while len(chosen) < number:
        (best,) = select(distances[np.ix_(left, left)], malicious, 1)
        chosen.append(left.pop(best))
    return chosen


def mean_near_median(values: Floats, nearest: int) -> Floats:
    """Along the first axis, the mean of the `nearest` values that lie nearest to the median.

    Sorted, they stand side by side: the best of all windows of that width is the one whose farther end is
    nearest.
    """
    values = np.sort(values, axis=0)
    median = np.median(values, axis=0)
    best, reach = np.empty_like(median), np.full_like(median, np.inf)
    for first in range(len(values) - nearest + 1):
        window = values[first : first + nearest]
        farthest = np.maximum(median - window[0], window[-1] - median)
        better = farthest < reach
        best[better] = window[:, better].mean(axis=0)
        reach[better] = farthest[better]
    return best


def _mean_near_median(models: Sequence[Floats], nearest: int) -> Floats:
    """`mean_near_median` of arrays of shape (size,), block by block."""
    result = np.empty(models[0].size)
    for block in blocks(result.size):
        result[block] = mean_near_median(
            np.stack([model[block] for model in models]).astype(np.float64), nearest
        )
    return result
