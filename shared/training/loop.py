"""The loops that train and evaluate a model; how one step changes it is another's affair (`step.py`).

The samples are ready tensors in memory and batches are sliced from them: for small images, transforms and a
DataLoader cost more than the network itself.

On the CPU, training is bit for bit a function of (weights, data, config, seed, number of torch threads).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.data.datasets import TensorSet, dataset_info
from shared.errors import NoSamples, TrainingDiverged
from shared.models import build_model
from shared.training.plain import PLAIN
from shared.training.step import Method, TrainConfig

EVALUATED_AT_ONCE = 512
"""Samples in a batch of an evaluation."""

LOSS_INTERVAL_S = 0.1
"""How often the running loss is read from the device for the progress callback, in seconds."""


@dataclass(frozen=True)
class BatchProgress:
    """How far a task is: batches done of total, examples processed, and now and then the mean loss so far."""

    done: int
    total: int
    examples: int
    loss: float | None


@dataclass(frozen=True)
class TrainResult:
    """Mean cross-entropy over all batches of all epochs, size of the data set, and wall time in seconds.

    FedProx's proximal term is left out of the loss, so that it compares between strategies. `metrics`: what
    else the step had to tell.
    """

    loss: float
    examples: int
    duration_s: float
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EvalResult:
    """Mean cross-entropy and accuracy (0 to 1) over `examples` samples, and wall time in seconds.

    `confusion` counts the samples by label (row) and predicted label (column).
    """

    loss: float
    accuracy: float
    examples: int
    duration_s: float
    confusion: tuple[tuple[int, ...], ...]

    @property
    def class_accuracy(self) -> tuple[float | None, ...]:
        """Share of each label's samples that were recognised, by label; None: there is no sample of it."""
        return tuple(
            row[label] / total if (total := sum(row)) else None for label, row in enumerate(self.confusion)
        )


OnBatch = Callable[[BatchProgress], None]
"""Called after every batch; may raise `shared.errors.Cancelled` to end the task there."""


def train(
    model: nn.Module,
    data: TensorSet,
    config: TrainConfig,
    *,
    device: torch.device,
    seed: int,
    on_batch: OnBatch | None = None,
    method: Method = PLAIN,
) -> TrainResult:
    """Train `model` in place on shuffled batches, by plain SGD or another method; it ends on `device`.

    Raises:
        TrainingDiverged: the loss or a weight is no longer finite.
        NoSamples: `data` is empty.
    """
    _check_not_empty(data, "train")
    started = time.perf_counter()
    model.to(device).train()
    data = data.to(device)
    shuffle = torch.Generator().manual_seed(seed)
    with _channels_last(model):
        step = method(model, config)
        progress = _Progress(step.num_lots(len(data)), device, on_batch)
        for rows in step.lots(len(data), shuffle):
            loss = step.take(data.inputs[rows], data.labels[rows])
            progress.advance(loss, len(rows), config)
    mean_loss = progress.mean_loss()
    _check_finite(mean_loss, config)
    _check_finite(float(sum(parameter.detach().sum() for parameter in model.parameters())), config)
    return TrainResult(mean_loss, len(data), time.perf_counter() - started, step.metrics())


def evaluate(
    model: nn.Module,
    data: TensorSet,
    *,
    device: torch.device,
    batch_size: int = EVALUATED_AT_ONCE,
    on_batch: OnBatch | None = None,
) -> EvalResult:
    """Loss and accuracy of `model` on `data`; the model ends on `device` in evaluation mode.

    A model that has diverged is reported as it is: its loss may be infinite or not a number.

    Raises:
        NoSamples: `data` is empty.
    """
    _check_not_empty(data, "evaluate")
    started = time.perf_counter()
    model.to(device).eval()
    data = data.to(device)
    predictions: list[Tensor] = []
    progress = _Progress(math.ceil(len(data) / batch_size), device, on_batch)
    with _channels_last(model), torch.inference_mode():
        batches = zip(torch.split(data.inputs, batch_size), torch.split(data.labels, batch_size), strict=True)
        for inputs, labels in batches:
            logits = model(inputs)
            predictions.append(logits.argmax(1))
            progress.advance(functional.cross_entropy(logits, labels), len(labels))
    confusion = _confusion(data.labels, torch.cat(predictions), logits.shape[1])
    correct = sum(row[label] for label, row in enumerate(confusion))
    return EvalResult(
        loss=progress.mean_loss(),
        accuracy=correct / len(data),
        examples=len(data),
        duration_s=time.perf_counter() - started,
        confusion=confusion,
    )


def warm_up(model_name: str, dataset: str, device: torch.device, batch_size: int) -> None:
    """Train and evaluate a throw-away model on noise, so that the first round does not pay for first use.

    The first optimiser step of a process imports about 900 modules, the first kernels compile or are chosen.
    PyTorch's global random state is left alone.
    """
    info = dataset_info(dataset)
    generator = torch.Generator().manual_seed(0)
    noise = TensorSet(
        torch.randn((batch_size, *info.input_shape), generator=generator),
        torch.randint(info.num_classes, (batch_size,), generator=generator),
    )
    model = build_model(model_name, dataset, seed=0)
    config = TrainConfig(local_epochs=1, batch_size=batch_size, lr=0.01)
    train(model, noise, config, device=device, seed=0)
    evaluate(model, noise, device=device)


def _confusion(labels: Tensor, predictions: Tensor, num_classes: int) -> tuple[tuple[int, ...], ...]:
    """Samples by label (row) and prediction (column), both int64 (N,), counted on their device."""
    cells = torch.bincount(labels * num_classes + predictions, minlength=num_classes**2)
    return tuple(tuple(row) for row in cells.view(num_classes, num_classes).tolist())


@contextmanager
def _channels_last(model: nn.Module) -> Iterator[None]:
    """Lay out convolution weights with channels innermost meanwhile: a fifth faster on the CPU."""
    model.to(memory_format=torch.channels_last)
    try:
        yield
    finally:
        model.to(memory_format=torch.contiguous_format)


class _Progress:
    """Sums the loss on the device, where reading it would stall every batch, and reports each batch."""

    def __init__(self, total: int, device: torch.device, on_batch: OnBatch | None) -> None:
        self._total = total
        self._on_batch = on_batch
        self._done = 0
        self._examples = 0
        self._loss_sum = torch.zeros((), dtype=torch.float32, device=device)
        self._next_loss_at = time.monotonic() + LOSS_INTERVAL_S

    def advance(self, loss: Tensor, examples: int, config: TrainConfig | None = None) -> None:
        """Count a batch; with a training `config`, a loss that is seen not to be finite ends the training."""
        self._done += 1
        self._examples += examples
        self._loss_sum.add_(loss, alpha=examples)
        if self._on_batch is None:
            return
        mean_loss = None
        now = time.monotonic()
        if now >= self._next_loss_at:
            self._next_loss_at = now + LOSS_INTERVAL_S
            mean_loss = self.mean_loss()
            if config is not None:
                _check_finite(mean_loss, config)
        self._on_batch(BatchProgress(self._done, self._total, self._examples, mean_loss))

    def mean_loss(self) -> float:
        """Mean over all examples so far, 0 before the first; waits for the device."""
        return self._loss_sum.item() / max(self._examples, 1)


def _check_not_empty(data: TensorSet, purpose: str) -> None:
    if len(data) == 0:
        raise NoSamples(
            f"There is no sample to {purpose} on: this client's part of the data set is too small. "
            "Use fewer partitions or a larger data set."
        )


def _check_finite(value: float, config: TrainConfig) -> None:
    if not math.isfinite(value):
        # With gradient descent, a proximal term too strong for the learning rate overshoots more each step.
        proximal = f", the proximal mu (now {config.proximal_mu:g})" if config.proximal_mu else ""
        raise TrainingDiverged(
            f"Training diverged: the loss or a weight is {value}, so this update cannot be used. "
            f"Lower the learning rate (now {config.lr:g}){proximal} or the momentum "
            f"(now {config.momentum:g}), or use larger batches (now {config.batch_size})."
        )
