"""FedMedian and FedTrimmedAvg: statistics of each weight that a few malicious clients cannot move far.

Yin et al. 2018, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates",
https://arxiv.org/abs/1803.01498. Both are Flower's own classes. Neither looks at the number of samples,
which a malicious client is free to invent.
"""

from __future__ import annotations

from collections.abc import Sequence

from flwr.app import ArrayRecord
from flwr.serverapp import strategy as flower
from pydantic import Field

from app.federation.strategies import by_flower
from app.federation.strategies.base import RoundStrategy
from app.federation.strategies.collecting import CollectingStrategy
from app.federation.strategies.settings import StrategySettings
from shared.names import StrategyName
from shared.run_spec import MAX_CLIENTS, RunSpec

YIN = "https://arxiv.org/abs/1803.01498"


class FedMedianSettings(StrategySettings):
    name = StrategyName.FEDMEDIAN
    title = "FedMedian"
    summary = "The median of each weight: fewer than half of the clients cannot move it far."
    reference = YIN
    streams = False

    def minimum_updates(self) -> int:
        return 3  # the median of one or two is their mean and protects from nobody

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return Statistic(flower.FedMedian(), self.minimum_updates())


class FedTrimmedAvgSettings(StrategySettings):
    name = StrategyName.FEDTRIMMEDAVG
    title = "FedTrimmedAvg"
    summary = "The mean of each weight without the highest and the lowest values."
    reference = YIN
    streams = False

    beta: float = Field(
        default=0.2,
        gt=0,
        lt=0.5,
        description="β: share of the values that is cut off at each end; at least that of malicious clients",
    )

    def minimum_updates(self) -> int:
        """With fewer, not even one value is cut off at each end; for a tiny β more than there can be."""
        first = max(3, int(min(1 / self.beta, MAX_CLIENTS)))
        return next(
            (updates for updates in range(first, MAX_CLIENTS + 1) if int(self.beta * updates) >= 1),
            MAX_CLIENTS + 1,
        )

    def fitting(self, updates: int) -> str | None:
        if updates < 3:
            return None
        enough = next(share / 100 for share in range(1, 50) if int(share / 100 * updates) >= 1)
        return f"raise beta to {enough:g}"

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return Statistic(flower.FedTrimmedAvg(beta=self.beta), self.minimum_updates())


class Statistic(CollectingStrategy):
    """One of Flower's strategies that is a statistic of all updates, each on its own."""

    def __init__(self, statistic: flower.FedMedian | flower.FedTrimmedAvg, minimum_updates: int) -> None:
        super().__init__(minimum_updates=minimum_updates)
        self._statistic = statistic

    def _aggregate(self, server_round: int, sent: ArrayRecord, updates: Sequence[ArrayRecord]) -> ArrayRecord:
        return by_flower.aggregate(self._statistic, server_round, updates)
