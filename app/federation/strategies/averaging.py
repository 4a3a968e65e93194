"""FedAvg and FedProx: the mean of the clients' models, weighted by their samples.

FedAvg: McMahan et al. 2017, "Communication-Efficient Learning of Deep Networks from Decentralized Data",
https://arxiv.org/abs/1602.05629. FedProx: Li et al. 2020, "Federated Optimization in Heterogeneous Networks",
https://arxiv.org/abs/1812.06127.
"""

from __future__ import annotations

from flwr.app import ArrayRecord
from flwr.serverapp.strategy import FedProx
from pydantic import Field

from app.federation.strategies.base import Fold, RoundFold, RoundStrategy, Update
from app.federation.strategies.settings import StrategySettings
from app.federation.strategies.sums import WeightedSum
from shared.names import StrategyName
from shared.run_spec import RunSpec


class FedAvgSettings(StrategySettings):
    takes_sums = True

    name = StrategyName.FEDAVG
    title = "FedAvg"
    summary = "The mean of the clients' models, weighted by their samples."
    reference = "https://arxiv.org/abs/1602.05629"

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return Averaging()


class FedProxSettings(StrategySettings):
    takes_sums = True

    name = StrategyName.FEDPROX
    title = "FedProx"
    summary = (
        "FedAvg with a term in the clients' loss that keeps them near the global model: for unequal data."
    )
    reference = "https://arxiv.org/abs/1812.06127"

    proximal_mu: float = Field(
        default=0.1,
        gt=0,
        le=1_000,
        description="μ: how strongly a client is held near the global model w₀: its loss gains μ/2 ‖w − w₀‖²",
    )

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        # Flower's class puts "proximal-mu" into the config of each message; the client adds the term.
        return Averaging(
            FedProx(
                min_train_nodes=1,
                min_evaluate_nodes=1,
                min_available_nodes=1,
                proximal_mu=self.proximal_mu,
            )
        )


class Averaging(RoundStrategy):
    """The weighted mean, summed up as the replies come."""

    def __init__(self, sender: FedProx | None = None) -> None:
        super().__init__(sender=sender)

    def begin(self, server_round: int, arrays: ArrayRecord) -> Fold:
        """As RoundStrategy has it."""
        return MeanFold(arrays)


class MeanFold(RoundFold):
    """The mean of the models, weighted by the samples that each was trained on."""

    def __init__(self, arrays: ArrayRecord) -> None:
        super().__init__()
        self._sum = WeightedSum(arrays)

    def _add(self, update: Update) -> None:
        self._sum.add(update.arrays, update.metrics.num_examples)

    def _finish(self) -> ArrayRecord:
        return self._sum.drain_mean()
