"""RunReleases: what a client has released under differential privacy in one run."""

from __future__ import annotations

from flwr.app import ConfigRecord, RecordDict

from client.privacy import PlannedRelease
from shared.privacy.accounting import Release, epsilon_of

RELEASES = "releases"
"""The record in a context's state, which lasts as long as the run and the process."""


class RunReleases:
    """In the state of a run's context. Each release counts once, however often it is entered."""

    def __init__(self, state: RecordDict) -> None:
        self._state = state

    def spend(self, planned: PlannedRelease) -> float:
        """As `client.privacy.Spend` has it."""
        kept = self._state.config_records.get(RELEASES, ConfigRecord())
        cost = planned.release
        kept[planned.id] = [cost.noise_multiplier, cost.sample_rate, float(cost.steps)]
        self._state[RELEASES] = kept
        return epsilon_of((_release(values) for values in kept.values()), planned.delta)


def _release(values: object) -> Release:
    assert isinstance(values, list)
    noise_multiplier, sample_rate, steps = values
    return Release(noise_multiplier, sample_rate, int(steps))
