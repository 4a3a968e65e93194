"""All strategies by name: built for a run, described for the page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.federation.strategies.adaptive import (
    FedAdagradSettings,
    FedAdamSettings,
    FedAvgMSettings,
    FedYogiSettings,
)
from app.federation.strategies.averaging import FedAvgSettings, FedProxSettings
from app.federation.strategies.base import RoundStrategy
from app.federation.strategies.bulyan import BulyanSettings
from app.federation.strategies.central_dp import AdaptiveDpSettings, FixedDpSettings
from app.federation.strategies.krum import KrumSettings, MultiKrumSettings
from app.federation.strategies.qfedavg import QFedAvgSettings
from app.federation.strategies.robust import FedMedianSettings, FedTrimmedAvgSettings
from app.federation.strategies.sampling import cohort_size
from app.federation.strategies.settings import StrategyInfo, StrategySettings
from shared.errors import SettingsInvalid
from shared.names import StrategyName
from shared.run_spec import MAX_CLIENTS, RunSpec
from shared.secagg.settings import LEAST_CLIENTS

STRATEGIES: Mapping[StrategyName, type[StrategySettings]] = MappingProxyType(
    {
        settings.name: settings
        for settings in (
            FedAvgSettings,
            FedProxSettings,
            FedAvgMSettings,
            FedAdamSettings,
            FedYogiSettings,
            FedAdagradSettings,
            QFedAvgSettings,
            FedMedianSettings,
            FedTrimmedAvgSettings,
            KrumSettings,
            MultiKrumSettings,
            BulyanSettings,
            FixedDpSettings,
            AdaptiveDpSettings,
        )
    }
)


def build_strategy(spec: RunSpec, secret: bytes = b"") -> RoundStrategy:
    """The strategy that a spec names.

    `secret`: of the run, known to the server alone; noise that protects clients derives from it, so that a
    resumed run draws the same. Without one it is random.

    Raises SettingsInvalid when its parameters do not fit, or a round of the spec is too small for it.
    """
    settings = STRATEGIES[spec.strategy].parse(spec.strategy_params)
    _check_secure_aggregation(spec, settings)
    _check_cohort(spec, settings)
    return settings.build(spec, secret)


def check_parameters(spec: RunSpec) -> None:
    """Raise SettingsInvalid unless the strategy takes its parameters, whatever the number of clients."""
    STRATEGIES[spec.strategy].parse(spec.strategy_params)


def describe_strategies() -> list[StrategyInfo]:
    """All strategies, as a form offers them."""
    return [settings.info() for settings in STRATEGIES.values()]


def _check_cohort(spec: RunSpec, settings: StrategySettings) -> None:
    """Raise SettingsInvalid unless the smallest cohort that a round may start with is enough."""
    needed, clients = settings.minimum_updates(), cohort_size(spec.min_clients, spec.fraction_train)
    if clients >= needed:
        return
    given = " and ".join(f"{name} = {value}" for name, value in settings if value is not None)
    remedies = filter(None, [_more_clients(needed, spec.fraction_train), settings.fitting(clients)])
    advice = ", or ".join(remedies) or "choose another strategy"
    raise SettingsInvalid(
        f"{settings.title}{given and f' with {given}'} needs at least {needed} updates in each round, "
        f"but a round starts with {clients} client{'s' if clients > 1 else ''} "
        f"(min_clients {spec.min_clients} × fraction_train {spec.fraction_train:g}). "
        f"{advice[0].upper()}{advice[1:]}.",
        "min_clients",
    )


def _check_secure_aggregation(spec: RunSpec, settings: StrategySettings) -> None:
    """Raise SettingsInvalid for what secure aggregation cannot be combined with."""
    if spec.secure_aggregation is None:
        return
    if not settings.takes_sums:
        able = ", ".join(each.title for each in STRATEGIES.values() if each.takes_sums)
        raise SettingsInvalid(
            f"{settings.title} looks at each update by itself, and with secure aggregation the server sees "
            f"their sum alone. Choose one of {able}, or do without secure aggregation.",
            "strategy",
        )
    if spec.keep_updates:
        raise SettingsInvalid(
            "With secure aggregation nobody can open the updates that would be kept. Leave keep_updates out.",
            "keep_updates",
        )
    if (clients := cohort_size(spec.min_clients, spec.fraction_train)) < LEAST_CLIENTS:
        raise SettingsInvalid(
            f"Secure aggregation needs {LEAST_CLIENTS} clients in each round, since of two each knows the "
            f"other's update by the sum, and a round starts with {clients} (min_clients {spec.min_clients} × "
            f"fraction_train {spec.fraction_train:g}). "
            f"{(_more_clients(LEAST_CLIENTS, spec.fraction_train) or '').capitalize()}.",
            "min_clients",
        )


def _more_clients(cohort: int, fraction: float) -> str | None:
    """What to do for such a cohort, in words; None: there cannot be so many clients."""
    if cohort > MAX_CLIENTS:
        return None
    enough = (
        clients for clients in range(cohort, MAX_CLIENTS + 1) if cohort_size(clients, fraction) >= cohort
    )
    return next((f"raise min_clients to {clients}" for clients in enough), "raise fraction_train")
