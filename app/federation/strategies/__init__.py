"""How a round's updates become one model: a strategy by its name and parameters (see docs/strategies.md)."""

from app.federation.strategies.base import Fold, RoundStrategy
from app.federation.strategies.registry import build_strategy, check_parameters, describe_strategies
from app.federation.strategies.settings import ParameterInfo, StrategyInfo

__all__ = [
    "Fold",
    "ParameterInfo",
    "RoundStrategy",
    "StrategyInfo",
    "build_strategy",
    "check_parameters",
    "describe_strategies",
]
