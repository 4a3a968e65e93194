"""q-FedAvg: clients with a high loss count more, so that accuracy is spread more evenly.

Li et al. 2020, "Fair Resource Allocation in Federated Learning", https://openreview.net/pdf?id=ByexElSYDr,
algorithm 2. With L = 1 / (the clients' learning rate), F the client's loss and w the model that was sent:

    Δ_k = F_k^q · L (w − w_k)
    h_k = q · F_k^(q−1) · ‖L (w − w_k)‖² + L · F_k^q
    w ← w − Σ Δ_k / Σ h_k

Both sums run over the clients one by one, so they are kept as running sums. The same as in Flower's
QFedAvg, which also adds 1e-10 to each loss, except that the sums are in float64.

The paper's F_k is the loss of the model that was sent. As with Flower, it is taken from the metric of
training, which FedLoom's client gives as the mean over the batches of its local training.
"""

from __future__ import annotations

from flwr.app import ArrayRecord
from pydantic import Field

from app.federation.strategies.arrays import SMALLEST_FLOAT32, floating, update_norm, use_up
from app.federation.strategies.base import Fold, RoundFold, RoundStrategy, Update
from app.federation.strategies.settings import StrategySettings
from app.federation.strategies.sums import WeightedSum
from shared.errors import ReplyInvalid, SettingsInvalid
from shared.names import StrategyName
from shared.npy import flat_view
from shared.run_spec import RunSpec

_SMALLEST_LOSS = 1e-10
"""Added to every loss, so that one of exactly 0 has a power for any q."""

_LARGEST_H = 1e200
"""What one client may add; sums of weights times updates stay within float64."""


class QFedAvgSettings(StrategySettings):
    name = StrategyName.QFEDAVG
    title = "q-FedAvg"
    summary = "Clients with a high loss count more, so that the model serves all clients more evenly."
    reference = "https://openreview.net/pdf?id=ByexElSYDr"

    q: float = Field(
        default=0.1,
        ge=0,
        le=10,
        description="how much fairness: 0 counts all clients alike, more favours the weak",
    )

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        if spec.dp is not None:
            raise SettingsInvalid(
                "q-FedAvg weights each client by its loss, which does not leave a client in a run with "
                "differential privacy. Choose another strategy.",
                "strategy",
            )
        return QFedAvg(self.q, lipschitz=1 / max(spec.lr, SMALLEST_FLOAT32))


class QFedAvg(RoundStrategy):
    """See the module."""

    def __init__(self, q: float, lipschitz: float) -> None:
        """`lipschitz`: L, the estimate of the Lipschitz constant of the gradient."""
        super().__init__()
        self._q = q
        self._lipschitz = lipschitz

    def begin(self, server_round: int, arrays: ArrayRecord) -> Fold:
        """As RoundStrategy has it."""
        return _FairFold(arrays, self._q, self._lipschitz)


class _FairFold(RoundFold):
    def __init__(self, sent: ArrayRecord, q: float, lipschitz: float) -> None:
        super().__init__()
        self._sent = sent
        self._weights = floating(sent)
        self._q = q
        self._lipschitz = lipschitz
        self._sum = WeightedSum(sent, origin=sent)  # −Σ Δ_k / L
        self._h = 0.0

    def _add(self, update: Update) -> None:
        told = update.metrics.train_loss
        if told is None:
            raise ReplyInvalid("The reply tells no train_loss, by which q-FedAvg weights it.")
        loss = told + _SMALLEST_LOSS
        if loss <= 0:
            raise ReplyInvalid(f"The train_loss {told:g} is below 0; q-FedAvg takes its power.")
        gradient_norm = self._lipschitz * update_norm(update.arrays, self._weights)
        weight = loss**self._q
        h = self._q * loss ** (self._q - 1) * gradient_norm * gradient_norm + self._lipschitz * weight
        if not h <= _LARGEST_H:
            raise ReplyInvalid(f"The train_loss {told:g} or the update is too large for q-FedAvg.")
        self._sum.add(update.arrays, weight)
        self._h += h

    def _finish(self) -> ArrayRecord:
        arrays = ArrayRecord()
        for name, total in self._sum.drain():
            total *= self._lipschitz / self._h
            total += flat_view(self._sent[name])
            arrays[name] = use_up(total, like=self._sent[name])
        return arrays
