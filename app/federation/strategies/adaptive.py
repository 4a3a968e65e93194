"""FedAvgM, FedAdam, FedYogi, FedAdagrad: the mean update as a gradient for an optimiser on the server.

FedAvgM: Hsu et al. 2019, https://arxiv.org/abs/1909.06335. The others: Reddi et al. 2021, "Adaptive Federated
Optimization", https://arxiv.org/abs/2003.00295.

The optimisers are Flower's own classes. They take the mean of all replies themselves; here the mean is
summed up as the replies come and handed over as if it were the only reply. Flower's FedAdam ends in float64
(a NumPy scalar in its step); the result is brought back to the model's dtype, so that a model does not
double in round 1. Counters (whole numbers) take the mean: no gradient belongs to them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from flwr.app import ArrayRecord
from flwr.serverapp.strategy import FedAdagrad, FedAdam, FedAvgM, FedYogi
from numpy.typing import NDArray
from pydantic import Field

from app.federation.strategies import by_flower
from app.federation.strategies.arrays import SMALLEST_FLOAT32, floating
from app.federation.strategies.averaging import MeanFold
from app.federation.strategies.base import Fold, RoundStrategy, State, check_finite
from app.federation.strategies.settings import StrategySettings
from shared.errors import CheckpointInvalid
from shared.names import StrategyName
from shared.run_spec import RunSpec

Moments = dict[str, NDArray[Any]]
"""One array for each array of the model, by its name."""


class ServerOptimised(RoundStrategy):
    """The weighted mean, then a step of an optimiser whose moments last from round to round."""

    kinds: ClassVar[tuple[str, ...]]
    """Names of the moments that the optimiser keeps."""

    def __init__(self) -> None:
        super().__init__()
        self._moments: dict[str, Moments] = {}

    def begin(self, server_round: int, arrays: ArrayRecord) -> Fold:
        """As RoundStrategy has it. Raises CheckpointInvalid when the moments are those of another model."""
        shapes = {name: array.shape for name, array in floating(arrays).items()}
        for kind, moments in self._moments.items():
            if {name: values.shape for name, values in moments.items()} != shapes:
                raise CheckpointInvalid(
                    f"The checkpoint's {kind!r} do not fit the model: it is of another run."
                )
        return _OptimisedFold(arrays, lambda sent, mean: self._step(server_round, sent, mean))

    def state(self) -> dict[str, NDArray[Any]]:
        """The moments, as "kind/array of the model" and in its shape; nothing before the first round."""
        return {
            f"{kind}/{name}": values
            for kind, moments in self._moments.items()
            for name, values in moments.items()
        }

    def load_state(self, state: State) -> None:
        """As RoundStrategy has it."""
        moments: dict[str, Moments] = {kind: {} for kind in self.kinds} if state else {}
        for key, values in state.items():
            kind, _, name = key.partition("/")
            if kind not in moments:
                raise CheckpointInvalid(
                    f"The checkpoint holds {key!r}, which this run's strategy does not keep: "
                    "it was written with another strategy."
                )
            check_finite(key, values)
            moments[kind][name] = values
        self._moments = moments

    @abstractmethod
    def _step(self, server_round: int, sent: ArrayRecord, mean: ArrayRecord) -> ArrayRecord:
        """The model after one step from `sent` towards `mean`; keeps the new moments."""


class AdaptiveOptimiser(ServerOptimised):
    """Adam, Yogi or Adagrad: first moment m and second moment v."""

    kinds = ("m", "v")

    def __init__(self, flower: FedAdam | FedYogi | FedAdagrad) -> None:
        super().__init__()
        self._flower = flower

    def _step(self, server_round: int, sent: ArrayRecord, mean: ArrayRecord) -> ArrayRecord:
        self._flower.current_arrays = {name: array.numpy() for name, array in sent.items()}
        self._flower.m_t, self._flower.v_t = self._moments.get("m"), self._moments.get("v")
        result = by_flower.aggregate(self._flower, server_round, [mean])
        assert self._flower.m_t is not None
        assert self._flower.v_t is not None
        self._moments = {"m": self._flower.m_t, "v": self._flower.v_t}
        return result


class MomentumOptimiser(ServerOptimised):
    """SGD with momentum."""

    kinds = ("momentum",)

    def __init__(self, flower: FedAvgM) -> None:
        super().__init__()
        self._flower = flower

    def _step(self, server_round: int, sent: ArrayRecord, mean: ArrayRecord) -> ArrayRecord:
        before = self._moments.get("momentum")
        self._flower.current_arrays = sent
        self._flower.momentum_vector = None if before is None else [before[name] for name in sent]
        result = by_flower.aggregate(self._flower, server_round, [mean])
        if (after := self._flower.momentum_vector) is not None:  # there is none where server_momentum is 0
            self._moments = {"momentum": dict(zip(sent, after, strict=True))}
        return result


class _OptimisedFold(MeanFold):
    """The mean, then `step(sent, mean)` on the arrays of real numbers."""

    def __init__(self, sent: ArrayRecord, step: Callable[[ArrayRecord, ArrayRecord], ArrayRecord]) -> None:
        super().__init__(sent)
        self._sent = sent
        self._step = step

    def _finish(self) -> ArrayRecord:
        mean = super()._finish()
        stepped = self._step(floating(self._sent), floating(mean))
        return ArrayRecord({name: stepped.get(name, array) for name, array in mean.items()})


class FedAvgMSettings(StrategySettings):
    takes_sums = True

    name = StrategyName.FEDAVGM
    title = "FedAvgM"
    summary = "FedAvg with momentum on the server, which steadies rounds with unequal clients."
    reference = "https://arxiv.org/abs/1909.06335"

    server_learning_rate: float = Field(
        default=1.0, gt=0, le=100, description="step of the server along the mean update; 1 is FedAvg's"
    )
    server_momentum: float = Field(
        default=0.9, ge=0, lt=1, description="share of the last step that goes into the next"
    )

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return MomentumOptimiser(
            FedAvgM(server_learning_rate=self.server_learning_rate, server_momentum=self.server_momentum)
        )


def _eta(default: float) -> Any:
    return Field(
        default=default,
        gt=0,
        le=100,
        description="η: learning rate of the server, about the step of each weight",
    )


class _AdaptiveSettings(StrategySettings):
    """What the three of Reddi et al. share."""

    takes_sums = True
    reference = "https://arxiv.org/abs/2003.00295"

    eta: float = _eta(0.1)
    tau: float = Field(
        default=1e-3,
        gt=0,
        le=1,
        description="τ: keeps the step finite where updates vanish; smaller adapts more",
    )

    @property
    def tau_in_float32(self) -> float:
        """τ, not rounded to 0 in the models' arithmetic: where an update vanishes, 0 / 0 would be left."""
        return max(self.tau, SMALLEST_FLOAT32)


class _MomentSettings(_AdaptiveSettings):
    """What Adam and Yogi share."""

    beta_1: float = Field(default=0.9, ge=0, lt=1, description="β₁: how long the mean update is remembered")
    beta_2: float = Field(default=0.99, ge=0, lt=1, description="β₂: how long its square is remembered")


class FedAdamSettings(_MomentSettings):
    name = StrategyName.FEDADAM
    title = "FedAdam"
    summary = "Adam on the server: a learning rate for each weight, from the updates so far."

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return AdaptiveOptimiser(
            FedAdam(eta=self.eta, beta_1=self.beta_1, beta_2=self.beta_2, tau=self.tau_in_float32),
        )


class FedYogiSettings(_MomentSettings):
    name = StrategyName.FEDYOGI
    title = "FedYogi"
    summary = "FedAdam whose learning rates grow less suddenly when updates become rare."

    eta: float = _eta(0.03)

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return AdaptiveOptimiser(
            FedYogi(eta=self.eta, beta_1=self.beta_1, beta_2=self.beta_2, tau=self.tau_in_float32),
        )


class FedAdagradSettings(_AdaptiveSettings):
    name = StrategyName.FEDADAGRAD
    title = "FedAdagrad"
    summary = "Adagrad on the server: each weight's learning rate falls with all it has moved."

    eta: float = _eta(0.03)

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        return AdaptiveOptimiser(FedAdagrad(eta=self.eta, tau=self.tau_in_float32))
