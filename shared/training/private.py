"""DP-SGD (Abadi et al. 2016, arXiv:1607.00133): a step along the clipped sum of gradients, with noise.

Each step takes each sample with the same probability, by itself (Poisson sampling), as the accounting has it.
A lot may be empty: noise is added all the same, since that it was empty is nobody's business. The sum is
divided by the run's batch size, neither by the lot's own size nor by the expected one: that depends on how
many samples there are, and one more or less would show in every weight (Opacus' issue 819).

The momentum, the weight decay and FedProx's proximal term come after the noise and know nothing of the data
but what has been released: they cost nothing. The loss that is told is not covered by any of this.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.privacy.per_sample import ClippedSum
from shared.privacy.randomness import ReleaseRandomness
from shared.proximal import ProximalTerm
from shared.training.step import Method, Step, TrainConfig

PHYSICAL_BATCH = 256
"""Samples whose gradients are in memory at once. It changes nothing but the order in which they are added."""


@dataclass(frozen=True)
class LotSize:
    """How a part of so many samples is trained on: the same for the training and for what it costs."""

    samples: int
    batch_size: int
    local_epochs: int

    @property
    def sample_rate(self) -> float:
        """The probability with which a sample is in a lot."""
        return min(1.0, self.batch_size / self.samples)

    @property
    def steps(self) -> int:
        """As many as plain SGD has."""
        return self.local_epochs * math.ceil(self.samples / self.batch_size)


def private(noise_multiplier: float, clipping_norm: float, randomness: ReleaseRandomness) -> Method:
    """DP-SGD with this much noise, for one training: the randomness is used up by it."""

    def begin(model: nn.Module, config: TrainConfig) -> Step:
        return PrivateStep(model, config, noise_multiplier, clipping_norm, randomness)

    return begin


class PrivateStep:
    """DP-SGD on Poisson lots; the momentum starts at zero."""

    def __init__(
        self,
        model: nn.Module,
        config: TrainConfig,
        noise_multiplier: float,
        clipping_norm: float,
        randomness: ReleaseRandomness,
    ) -> None:
        """Raises PrivacyImpossible for a model that cannot be trained so."""
        self._config = config
        self._gradients = ClippedSum(model, clipping_norm)
        self._deviation = noise_multiplier * clipping_norm
        self._lots = randomness.keystream("lots")
        self._noise = randomness.keystream("noise")
        self._parameters = list(model.parameters())
        self._optimizer = torch.optim.SGD(
            self._parameters,
            lr=config.lr,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self._proximal_term = ProximalTerm(model, config.proximal_mu) if config.proximal_mu else None

    def num_lots(self, samples: int) -> int:
        """As many as plain SGD has batches."""
        return self._size(samples).steps

    def lots(self, samples: int, shuffle: torch.Generator) -> Iterator[Tensor]:
        """Poisson samples, from the client's secret: who knows the seed could otherwise know them."""
        size = self._size(samples)
        for _ in range(size.steps):
            yield (self._lots.uniform(samples) < size.sample_rate).nonzero().flatten()

    def take(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """One step; the mean loss of the lot is told without the proximal term, 0 for an empty one."""
        self._gradients.clear()
        loss = torch.zeros((), device=self._parameters[0].device)
        if len(labels):
            batches = zip(inputs.split(PHYSICAL_BATCH), labels.split(PHYSICAL_BATCH), strict=True)
            loss = torch.stack([self._gradients.add(*batch) for batch in batches]).sum() / len(labels)
        self._set_gradients()
        if self._proximal_term is not None:
            self._proximal_term.add_gradient()
        self._optimizer.step()
        return loss

    def metrics(self) -> Mapping[str, float]:
        """Nothing beside the loss."""
        return {}

    def _size(self, samples: int) -> LotSize:
        return LotSize(samples, self._config.batch_size, self._config.local_epochs)

    @torch.no_grad()
    def _set_gradients(self) -> None:
        """The noisy sum in float64, which is then rounded once; but on a GPU all is in float32."""
        for parameter in self._parameters:
            total = self._gradients.sums[parameter]
            noise = self._noise.normal(parameter.numel()).view(parameter.shape).mul_(self._deviation)
            if total.device.type == "cpu":
                noise.add_(total).div_(self._config.batch_size)
            else:
                noise = total.add(noise.to(total)).div_(self._config.batch_size)
            parameter.grad = total.copy_(noise)  # in the layout that the weights have in memory
