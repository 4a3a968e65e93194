"""The proximal term of FedProx (Li et al. 2020, arXiv:1812.06127), which holds clients near the global model.

The client minimises F(w) + mu / 2 * ||w - w_global||^2, where w_global are the weights that it was sent.
"""

from __future__ import annotations

import torch
from torch import nn


class ProximalTerm:
    """The term over a model's trainable weights; w_global are those that the model has at this moment."""

    def __init__(self, model: nn.Module, mu: float) -> None:
        self._mu = mu
        self._weights = [weight for weight in model.parameters() if weight.requires_grad]
        self._global_weights = [weight.detach().clone() for weight in self._weights]

    @torch.no_grad()
    def add_gradient(self) -> None:
        """Add mu * (w - w_global) to the gradients: what `backward` gives when the loss has the term."""
        for weight, global_weight in zip(self._weights, self._global_weights, strict=True):
            if weight.grad is not None:  # None: the loss does not depend on it, so it has not moved
                weight.grad.add_(weight - global_weight, alpha=self._mu)
