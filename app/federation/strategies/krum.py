"""Krum and Multi-Krum: only the updates that lie closest to each other count.

Blanchard et al. 2017, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent",
https://arxiv.org/abs/1703.02757. With n updates of which f may be malicious, an update's score is the sum
of its squared distances to the n − f − 2 updates that are nearest to it; Krum takes the update with the
lowest score, Multi-Krum the mean of the m lowest. Krum needs n ≥ 2f + 3; Multi-Krum is proven for m ≤ n − f
− 2 (El Mhamdi et al. 2020, https://arxiv.org/abs/1905.04374).

Not Flower's own classes (1.41), for two reasons that `tests/unit/test_strategies_krum.py` shows:

- They take distances between whole models in float32 by ‖x‖² + ‖y‖² − 2xy. Once clients agree on all but
  the last digits, that is rounding noise: a model is no longer the nearest to itself, and the choice is
  chance. Here the distances are between updates, in float64.
- They weight Multi-Krum's mean by the number of samples that a client claims, so that a malicious client
  that is chosen once can outweigh all others. The paper's mean, taken here, is plain.

Counters (whole numbers) say nothing about malice and are left out of the distances.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flwr.app import ArrayRecord
from pydantic import Field

from app.federation.strategies.arrays import Floats, blocks, floating, to_array
from app.federation.strategies.base import RoundStrategy
from app.federation.strategies.collecting import CollectingStrategy
from app.federation.strategies.settings import StrategySettings
from app.federation.strategies.sums import WeightedSum
from shared.names import StrategyName
from shared.npy import flat_view
from shared.run_spec import MAX_CLIENTS, RunSpec


def squared_distances(updates: Sequence[ArrayRecord], origin: ArrayRecord) -> Floats:
    """Squared L2 distances between models, shape (n, n), infinite between a model and itself.

    By the Gram matrix of the models' differences from `origin`, in blocks: ‖a − b‖² = ‖a‖² + ‖b‖² − 2ab.
    Differences are small where models are not, which keeps the digits that count. A distance too large for
    float64 is infinite.
    """
    gram = np.zeros((len(updates), len(updates)))
    with np.errstate(over="ignore", invalid="ignore"):
        for name, start in floating(origin).items():
            base = flat_view(start)
            models = [flat_view(update[name]) for update in updates]
            for block in blocks(base.size):
                rows = np.stack(
                    [np.subtract(model[block], base[block], dtype=np.float64) for model in models]
                )
                gram += rows @ rows.T
        norms = np.diag(gram)
        distances: Floats = norms[:, None] + norms[None, :] - 2 * gram
    distances = np.maximum(np.nan_to_num(distances, nan=np.inf, posinf=np.inf), 0)
    np.fill_diagonal(distances, np.inf)
    return distances


def scores(distances: Floats, malicious: int) -> Floats:
    """Krum's score of each update, shape (n,): lower is better."""
    nearest = max(1, len(distances) - malicious - 2)
    return np.asarray(np.partition(distances, nearest - 1, axis=1)[:, :nearest].sum(axis=1))


def select(distances: Floats, malicious: int, count: int) -> list[int]:
    """The `count` updates with the lowest scores, best first; of equals, the first."""
    return [int(index) for index in np.argsort(scores(distances, malicious), kind="stable")[:count]]


class KrumSettings(StrategySettings):
    name = StrategyName.KRUM
    title = "Krum"
    summary = "Takes the one update that lies closest to the others; outvotes a number of malicious clients."
    reference = "https://arxiv.org/abs/1703.02757"
    streams = False

    num_malicious_nodes: int = Field(
        default=1,
        ge=1,
        le=MAX_CLIENTS,
        description="f: clients that may be malicious; at least 2f + 3 must answer",
    )

    def minimum_updates(self) -> int:
        return 2 * self.num_malicious_nodes + 3

    def fitting(self, updates: int) -> str | None:
        malicious = (updates - 3) // 2
        return f"lower num_malicious_nodes to {malicious}" if malicious >= 1 else None

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return Krum(self)


class MultiKrumSettings(KrumSettings):
    name = StrategyName.MULTIKRUM
    title = "Multi-Krum"
    summary = (
        "The mean of the updates that lie closest to each other; outvotes malicious clients, learns faster."
    )

    num_nodes_to_select: int | None = Field(
        default=None,
        ge=1,
        le=MAX_CLIENTS,
        description="m: updates that are averaged, of n that came at most n − f − 2; left out: just so many",
    )

    def minimum_updates(self) -> int:
        return max(super().minimum_updates(), (self.num_nodes_to_select or 0) + self.num_malicious_nodes + 2)

    def fitting(self, updates: int) -> str | None:
        selected = updates - self.num_malicious_nodes - 2
        if updates >= super().minimum_updates():
            return f"lower num_nodes_to_select to {selected}"
        return super().fitting(updates) if self.num_nodes_to_select is None else None

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return MultiKrum(self)


class Krum(CollectingStrategy):
    """See the module."""

    def __init__(self, settings: KrumSettings) -> None:
        super().__init__(minimum_updates=settings.minimum_updates())
        self._malicious = settings.num_malicious_nodes

    def _aggregate(self, server_round: int, sent: ArrayRecord, updates: Sequence[ArrayRecord]) -> ArrayRecord:
        (best,) = select(squared_distances(updates, sent), self._malicious, 1)
        return ArrayRecord(
            {name: to_array(flat_view(updates[best][name]), like=array) for name, array in sent.items()}
        )


class MultiKrum(CollectingStrategy):
    """See the module."""

    def __init__(self, settings: MultiKrumSettings) -> None:
        super().__init__(minimum_updates=settings.minimum_updates())
        self._malicious = settings.num_malicious_nodes
        self._count = settings.num_nodes_to_select

    def _aggregate(self, server_round: int, sent: ArrayRecord, updates: Sequence[ArrayRecord]) -> ArrayRecord:
        count = self._count or len(updates) - self._malicious - 2
        mean = WeightedSum(sent)
        for index in select(squared_distances(updates, sent), self._malicious, count):
            mean.add(updates[index], 1)
        return mean.drain_mean()
