"""What `train` needs of the way in which a model is changed, so that another than plain SGD can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class TrainConfig:
    """Hyperparameters of local SGD.

    `proximal_mu` is FedProx's mu: the weights are drawn back to those that training began with, by
    mu / 2 times the squared distance as a part of the objective. 0 is plain SGD.
    """

    local_epochs: int
    batch_size: int
    lr: float
    momentum: float = 0.9
    weight_decay: float = 0.0
    proximal_mu: float = 0.0


class Step(Protocol):
    """One training of one model: which samples each step takes, and how they change the model."""

    def num_lots(self, samples: int) -> int:
        """How many steps there will be with so many samples."""

    def lots(self, samples: int, shuffle: torch.Generator) -> Iterator[Tensor]:
        """The rows that each step takes, int64 (lot,), on any device; a lot may be empty.

        `shuffle`: on the CPU; all that is random here comes from it, so that a seed fixes it.
        """

    def take(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Change the model by a lot of samples, (lot, C, H, W) and int64 (lot,), on the model's device.

        Returns their mean loss before that, a scalar on the device, detached; it is not waited for.
        """

    def metrics(self) -> Mapping[str, float]:
        """What else there is to tell in the end, by the optional fields of shared.results.TrainMetrics."""


Method = Callable[[nn.Module, TrainConfig], Step]
"""Begins a training: called with a model in training mode on its device, once for each call of `train`."""
