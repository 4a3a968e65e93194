"""DP-FedAvg: the global model hides what any one client contributed, by clipping and noise on the server.

Fixed clipping norm: McMahan et al. 2018, "Learning Differentially Private Recurrent Language Models",
https://arxiv.org/abs/1710.06963. Adaptive clipping norm: Andrew et al. 2021, "Differentially Private
Learning with Adaptive Clipping", https://arxiv.org/abs/1905.03871.

Each client's update, model − model sent, over all arrays of real numbers together, is scaled down to an L2
norm of at most C. The updates are added up with equal weights (numbers of samples are private themselves,
and have no bound) as they come, Gaussian noise of standard deviation z · C is added once to each number of
the sum, and the sum is divided by the number n of updates.

What is assumed of the sensitivity: neighbouring data sets differ in that one client's update is replaced by
zero, so the sum differs by at most C, and n, which everybody may know, not at all. (Where a client is
replaced by another one, the sum differs by up to 2C.) Protected is the model; metrics that clients report
are not. Counters (whole numbers) stay as they were sent. The noise is that of `shared.privacy.randomness`.

With secure aggregation the clients clip and add the noise: see `distributed_dp.py`.

Epsilon is that of Gaussian mechanisms with noise multiplier z, as many as models were made, composed as
`shared.privacy.accounting` has it. It holds for a client that was in every round. No amplification by
sampling is claimed: who is asked follows from the seed, which is public.

Not Flower's wrappers (1.41): they weight by samples, divide the noise by the number of clients asked even
where fewer answered, draw it from NumPy's global generator, and adapt C in the wrong direction (they count
the updates above C where the formula wants those below, so that C shrinks to 0).
"""

from __future__ import annotations

import hmac
import math
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from flwr.app import ArrayRecord
from numpy.typing import NDArray
from pydantic import Field, model_validator

from app.federation.strategies.arrays import SMALLEST_FLOAT32, Floats, blocks, floating, update_norm, use_up
from app.federation.strategies.base import Fold, RoundFold, RoundStrategy, State, Update, check_finite
from app.federation.strategies.distributed_dp import NoiseOfClients, require_room, spent_on
from app.federation.strategies.settings import StrategySettings
from app.federation.strategies.sums import WeightedSum
from app.records import PrivacySpent
from shared.errors import CheckpointInvalid, ReplyInvalid, SettingsInvalid
from shared.names import StrategyName
from shared.npy import flat_view
from shared.privacy.central import CentralPrivacy, delta_field
from shared.run_spec import RunSpec
from shared.secagg.noise import shared_noise_of

if TYPE_CHECKING:
    from shared.privacy.randomness import Keystream

LARGEST_CLIPPING_NORM = 1e30
"""So far an adaptive norm goes, and down to the smallest number of the models: from 0 it would not return."""

_CLIPPING_NORM = "clipping_norm"


class NoiseSource:
    """Noise that nobody can guess without the secret, and that is never the same twice.

    The same noise on two different sums would cancel out in their difference, and show what a client has
    changed. So each model has a number of its own, which is kept before anybody sees the model. A round that
    is done again after a crash has the number that comes next, unless nobody can have seen what it had made.
    """

    def __init__(self, secret: bytes) -> None:
        """`secret`: of the run. An empty one is replaced by a random one, which no restart brings back."""
        self._secret = secret or secrets.token_bytes(32)

    def keystream(self, purpose: str, release: int, node_ids: Iterable[int]) -> Keystream:
        """Its key is the HMAC-SHA256 of purpose, the model's number and clients under the secret."""
        from shared.privacy.randomness import Keystream  # only now: it imports PyTorch

        label = f"central-dp/{purpose}/{release}/{','.join(map(str, sorted(node_ids)))}"
        return Keystream(hmac.digest(self._secret, label.encode(), "sha256"))


class FixedClipping(RoundStrategy):
    """DP-FedAvg with a clipping norm that stays."""

    def __init__(
        self, noise_multiplier: float, clipping_norm: float, delta: float, noise: NoiseSource
    ) -> None:
        super().__init__()
        self._noise_multiplier = noise_multiplier
        self._clipping_norm = clipping_norm
        self._delta = delta
        self.noise = noise

    def begin(self, server_round: int, arrays: ArrayRecord) -> Fold:
        """As RoundStrategy has it."""
        return _PrivateFold(self, arrays, self._clipping_norm)

    def privacy(self) -> PrivacySpent:
        """One Gaussian mechanism for each model that was made."""
        promised = CentralPrivacy(noise_multiplier=self._noise_multiplier, delta=self._delta)
        return spent_on(promised, self.releases, from_server=False)

    def multiplier(self, updates: int) -> float:
        """The standard deviation of the noise on the sum of so many updates, in clipping norms."""
        return self._noise_multiplier

    def learn(self, node_ids: frozenset[int], unclipped: int) -> None:
        """A model is made; the updates of `unclipped` clients were within the clipping norm."""


class AdaptiveClipping(FixedClipping):
    """DP-FedAvg whose clipping norm follows a quantile of the norms of the updates.

    After each round C ← C · exp(−η (b − γ)), with b the share of updates within C. The number of those is
    private too: it gets noise of standard deviation σ_b. Counted as ±½ per client, its sensitivity is ½; so
    that both releases together are as private as one with z, the sum of the updates gets z_Δ = (z⁻² −
    (2σ_b)⁻²)^(−½).
    """

    def __init__(self, settings: AdaptiveDpSettings, noise: NoiseSource) -> None:
        super().__init__(settings.noise_multiplier, settings.initial_clipping_norm, settings.delta, noise)
        self._settings = settings

    def multiplier(self, updates: int) -> float:
        """As FixedClipping has it: z_Δ."""
        if self._noise_multiplier == 0:
            return 0.0
        share_of_count = self._noise_multiplier / (2 * self._count_stddev(updates))
        return self._noise_multiplier / math.sqrt(1 - share_of_count**2)

    def learn(self, node_ids: frozenset[int], unclipped: int) -> None:
        """Move the clipping norm."""
        updates = len(node_ids)
        noise = self.noise.keystream("count", self.releases, node_ids).normal(1).item()
        error = noise * self._count_stddev(updates)
        share = (unclipped - updates / 2 + error) / updates + 1 / 2
        # What the noise makes of a share may be none; to set it right costs no privacy.
        distance = min(max(share, 0.0), 1.0) - self._settings.target_unclipped_quantile
        moved = self._clipping_norm * math.exp(-self._settings.clip_norm_lr * distance)
        self._clipping_norm = min(max(moved, SMALLEST_FLOAT32), LARGEST_CLIPPING_NORM)

    def state(self) -> dict[str, NDArray[Any]]:
        """The clipping norm, a float64 of shape ()."""
        return {_CLIPPING_NORM: np.array(self._clipping_norm)}

    def load_state(self, state: State) -> None:
        """As RoundStrategy has it."""
        if set(state) != {_CLIPPING_NORM}:
            raise CheckpointInvalid(
                f"The checkpoint holds {', '.join(sorted(state)) or 'nothing'} of the strategy, not its "
                f"{_CLIPPING_NORM}: it was written with another strategy."
            )
        check_finite(_CLIPPING_NORM, state[_CLIPPING_NORM])
        if state[_CLIPPING_NORM].shape != () or state[_CLIPPING_NORM] <= 0:
            raise CheckpointInvalid("The checkpoint is damaged: its clipping norm is no number above 0.")
        self._clipping_norm = float(state[_CLIPPING_NORM])

    def _count_stddev(self, updates: int) -> float:
        """σ_b; at least z, since a twentieth of few updates, as the paper has it, leaves z_Δ undefined."""
        given = self._settings.clipped_count_stddev
        if given is None and self._noise_multiplier > 0:
            return max(updates / 20, self._noise_multiplier)
        return given or 0.0


class _PrivateFold(RoundFold):
    def __init__(self, strategy: FixedClipping, sent: ArrayRecord, clipping_norm: float) -> None:
        super().__init__()
        self._strategy = strategy
        self._sent = sent
        self._weights = floating(sent)
        self._clipping_norm = clipping_norm
        self._sum = WeightedSum(self._weights, origin=self._weights)
        self._node_ids: set[int] = set()
        self._unclipped = 0

    def _add(self, update: Update) -> None:
        if update.node_id in self._node_ids:
            raise ReplyInvalid("The client answered twice; the noise covers one update of each.")
        norm = update_norm(update.arrays, self._weights)
        if not math.isfinite(norm):
            raise ReplyInvalid("The update is too large to be clipped.")
        within = norm <= self._clipping_norm
        self._sum.add(update.arrays, 1.0 if within else self._clipping_norm / norm)
        self._node_ids.add(update.node_id)
        self._unclipped += within

    def _finish(self) -> ArrayRecord:
        strategy = self._strategy
        strategy.releases += 1
        stddev = strategy.multiplier(self.updates) * self._clipping_norm
        keystream = strategy.noise.keystream("update", strategy.releases, self._node_ids)
        model = self._sent.copy()
        for name, total in self._sum.drain():
            _add_noise(total, stddev, keystream)
            total /= self.updates
            total += flat_view(self._sent[name])
            model[name] = use_up(total, like=self._sent[name])
        strategy.learn(frozenset(self._node_ids), self._unclipped)
        return model


def _add_noise(values: Floats, stddev: float, keystream: Keystream) -> None:
    for block in blocks(values.size):
        part = values[block]
        part += stddev * keystream.normal(part.size).numpy()


def _require_no_local_privacy(spec: RunSpec) -> None:
    """Raise SettingsInvalid for a run whose clients add noise as well: it would have two epsilons, for two
    things that must not be compared."""
    if spec.dp is not None:
        raise SettingsInvalid(
            "DP-FedAvg adds noise at the server, and dp at each client: one hides clients from those who get "
            "the model, the other samples from everybody. Choose one: another strategy, or no dp.",
            "strategy",
        )


class FixedDpSettings(StrategySettings, CentralPrivacy):
    name = StrategyName.DPFEDAVG_FIXED
    title = "DP-FedAvg"
    summary = (
        "FedAvg with central differential privacy: updates are clipped to a norm, noise hides each client's; "
        "with secure aggregation the clients do both, and need not trust the server."
    )
    reference = "https://arxiv.org/abs/1710.06963"
    takes_sums = True

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        _require_no_local_privacy(spec)
        if (shared := shared_noise_of(spec)) is not None:
            require_room(spec, shared)
            return NoiseOfClients(shared)
        return FixedClipping(self.noise_multiplier, self.clipping_norm, self.delta, NoiseSource(secret))


class AdaptiveDpSettings(StrategySettings):
    name = StrategyName.DPFEDAVG_ADAPTIVE
    title = "Adaptive DP-FedAvg"
    summary = "Central differential privacy whose clipping norm follows the size of the clients' updates."
    reference = "https://arxiv.org/abs/1905.03871"

    noise_multiplier: float = Field(
        default=1.0,
        ge=0,
        le=1_000,
        description="z: noise on updates and their count together; 0 only clips, nothing is private",
    )
    initial_clipping_norm: float = Field(
        default=0.1,
        gt=0,
        le=1e6,
        description="C of the first round: L2 norm to which an update is scaled down",
    )
    target_unclipped_quantile: float = Field(
        default=0.5, gt=0, lt=1, description="γ: share of the updates that are to be within the clipping norm"
    )
    clip_norm_lr: float = Field(default=0.2, gt=0, le=10, description="η: how fast the clipping norm follows")
    clipped_count_stddev: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        description="σ_b: noise on the count of updates within the norm, above z / 2; "
        "left out: a twentieth of the updates, at least z",
    )
    delta: float = delta_field()

    @model_validator(mode="after")
    def _enough_noise_on_the_count(self) -> Self:
        count = self.clipped_count_stddev
        if count is not None and 2 * count <= self.noise_multiplier:
            raise ValueError(
                f"{self.title}'s parameter clipped_count_stddev = {count:g} is too little for "
                f"noise_multiplier = {self.noise_multiplier:g}: "
                "the count alone would tell more than both together may. "
                f"Set it above {self.noise_multiplier / 2:g}, or leave it out."
            )
        return self

    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        _require_no_local_privacy(spec)
        return AdaptiveClipping(self, NoiseSource(secret))
