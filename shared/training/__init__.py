"""One client's share of the work: train a model on its samples, evaluate a model on held-out ones."""

from shared.training.loop import (
    BatchProgress,
    EvalResult,
    OnBatch,
    TrainConfig,
    TrainResult,
    evaluate,
    resolve_device,
    train,
    warm_up,
)

__all__ = [
    "BatchProgress",
    "EvalResult",
    "OnBatch",
    "TrainConfig",
    "TrainResult",
    "evaluate",
    "resolve_device",
    "train",
    "warm_up",
]
