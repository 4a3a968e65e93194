"""DP-FedAvg over secure aggregation: clients clip and add the noise, the server sees their noisy sum alone.

See `shared.secagg.noise`. What is left to the server is to add the mean to the model, and to count.
"""

from __future__ import annotations

import math

from flwr.app import ArrayRecord

from app.federation.strategies.base import Fold, RoundFold, RoundStrategy, Update
from app.federation.strategies.sampling import cohort_size
from app.records import PrivacySpent, Protected
from shared.errors import ReplyInvalid
from shared.privacy.accounting import Release, epsilon_of
from shared.privacy.central import CentralPrivacy
from shared.run_spec import RunSpec
from shared.secagg.noise import NoisePlan


class NoiseOfClients(RoundStrategy):
    """DP-FedAvg whose noise is in the sum already."""

    def __init__(self, privacy: CentralPrivacy) -> None:
        super().__init__()
        self._privacy = privacy

    def begin(self, server_round: int, arrays: ArrayRecord) -> Fold:
        """As RoundStrategy has it; the round's one update is the sum."""
        return _SummedFold(self)

    def privacy(self) -> PrivacySpent:
        """One Gaussian mechanism for each sum of which a model was made."""
        return spent_on(self._privacy, self.releases, from_server=True)


class _SummedFold(RoundFold):
    def __init__(self, strategy: NoiseOfClients) -> None:
        super().__init__()
        self._strategy = strategy
        self._model = ArrayRecord()

    def _add(self, update: Update) -> None:
        if self.updates:
            raise ReplyInvalid("The round has its sum already: its noise covers one.")
        self._model = update.arrays

    def _finish(self) -> ArrayRecord:
        self._strategy.releases += 1
        return self._model


def spent_on(privacy: CentralPrivacy, releases: int, *, from_server: bool) -> PrivacySpent:
    """What so many models have cost, as Gaussian mechanisms; `from_server`: hidden from it as well."""
    epsilon = epsilon_of([Release(privacy.noise_multiplier, 1.0, releases)], privacy.delta)
    return PrivacySpent(
        protects=Protected.CLIENT,
        from_server=from_server,
        epsilon=epsilon if math.isfinite(epsilon) else None,
        delta=privacy.delta,
        releases=releases,
    )


def require_room(spec: RunSpec, privacy: CentralPrivacy) -> None:
    """Raise SettingsInvalid where the sum of the smallest cohort has no room for its noise. Larger ones are
    looked at when they are asked."""
    if (settings := spec.secure_aggregation) is None:
        return
    from shared.models import build_model, num_parameters  # only now: it imports PyTorch

    size = num_parameters(build_model(spec.model, spec.dataset, seed=0))
    clients = cohort_size(spec.min_clients, spec.fraction_train)
    NoisePlan(privacy, settings, clients, size).require_possible()
