"""Strategies by name. Each is Flower's own class; FedLoom itself chooses cohort and order of replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flwr.serverapp.strategy import FedAvg, Strategy

from app.federation.spec import RunSpec
from shared.errors import SettingsInvalid
from shared.names import StrategyName


def _fedavg(spec: RunSpec) -> Strategy:
    """Federated averaging, weighted by training samples (McMahan et al. 2017, https://arxiv.org/abs/1602.05629)."""
    if spec.strategy_params:
        unknown = ", ".join(sorted(spec.strategy_params))
        raise SettingsInvalid(
            f"strategy_params: fedavg takes no parameters, but got {unknown}. Leave them out."
        )
    return FedAvg(
        fraction_evaluate=1.0 if spec.fraction_evaluate else 0.0,
        min_train_nodes=1,
        min_evaluate_nodes=1,
        min_available_nodes=1,
    )


_BUILDERS: Mapping[StrategyName, Callable[[RunSpec], Strategy]] = MappingProxyType(
    {StrategyName.FEDAVG: _fedavg}
)


def build_strategy(spec: RunSpec) -> Strategy:
    """The strategy that a spec names. Raises `SettingsInvalid` when its parameters do not fit."""
    return _BUILDERS[spec.strategy](spec)
