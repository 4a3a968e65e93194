"""One client's share of the work: train a model on its samples, evaluate a model on held-out ones."""

from shared.training.device import resolve_device
from shared.training.loop import (
    EVALUATED_AT_ONCE,
    BatchProgress,
    EvalResult,
    OnBatch,
    TrainResult,
    evaluate,
    train,
    warm_up,
)
from shared.training.plain import PLAIN
from shared.training.step import Method, Step, TrainConfig

__all__ = [
    "EVALUATED_AT_ONCE",
    "PLAIN",
    "BatchProgress",
    "EvalResult",
    "Method",
    "OnBatch",
    "Step",
    "TrainConfig",
    "TrainResult",
    "evaluate",
    "resolve_device",
    "train",
    "warm_up",
]
