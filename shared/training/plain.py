"""Plain SGD as in FedAvg (McMahan et al. 2017, arXiv:1602.05629), or with FedProx's proximal term."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.proximal import ProximalTerm
from shared.training.step import Method, TrainConfig


class PlainStep:
    """SGD on shuffled batches, of which the last in an epoch may be smaller; the momentum starts at zero."""

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        self._model = model
        self._config = config
        self._device = next(model.parameters()).device
        self._optimizer = torch.optim.SGD(
            model.parameters(),
            lr=config.lr,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self._proximal_term = ProximalTerm(model, config.proximal_mu) if config.proximal_mu else None

    def num_lots(self, samples: int) -> int:
        """So many batches as it takes to see all samples once, for each epoch."""
        return self._config.local_epochs * math.ceil(samples / self._config.batch_size)

    def lots(self, samples: int, shuffle: torch.Generator) -> Iterator[Tensor]:
        """The batches of all epochs, each in an order of its own."""
        for _ in range(self._config.local_epochs):
            order = torch.randperm(samples, generator=shuffle).to(self._device)
            yield from torch.split(order, self._config.batch_size)

    def take(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """One step along the mean cross-entropy, which is told without the proximal term."""
        self._optimizer.zero_grad()
        loss = functional.cross_entropy(self._model(inputs), labels)
        loss.backward()
        if self._proximal_term is not None:
            self._proximal_term.add_gradient()
        self._optimizer.step()
        return loss.detach()

    def metrics(self) -> Mapping[str, float]:
        """Nothing beside the loss."""
        return {}


PLAIN: Method = PlainStep
