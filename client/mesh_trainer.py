"""LearnerTrainer: the client's Learner as what gossip trains with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from client.learner import Learner, Place, Weights
from client.privacy import Privacy
from mesh.learning.arrays import Arrays
from mesh.learning.trainer import Evaluated, Trained
from shared.errors import Cancelled
from shared.spent import Spent
from shared.training import BatchProgress


@dataclass(frozen=True)
class LearnerTrainer:
    """A learner at its place in a run that goes on over the mesh.

    `first_round`: the run's rounds before, with which those of the mesh are numbered on, so that no seed is
    used again. `privacy`: what a run with differential privacy needs; every training stands in its ledger
    before its outcome is sent. `tells_metrics`: whether loss and accuracy may leave the site. `on_spent` is
    told what a training has cost.
    """

    learner: Learner
    place: Place
    first_round: int = 0
    proximal_mu: float = 0.0
    privacy: Privacy | None = None
    tells_metrics: bool = True
    on_spent: Callable[[Spent], None] = lambda spent: None

    def samples(self) -> int:
        """As Trainer has it; raises what Learner does where the data cannot be had."""
        return self.learner.samples(self.place)

    def train(self, model: Arrays, mesh_round: int, should_stop: Callable[[], bool]) -> Trained:
        """As Trainer has it; raises what Learner does."""
        steps = 0

        def on_batch(progress: BatchProgress) -> None:
            nonlocal steps
            steps = progress.done
            if should_stop():
                raise Cancelled("the mesh's training is no longer wanted")

        update = self.learner.train(
            self.place,
            weights_of(model),
            server_round=self.first_round + mesh_round,
            proximal_mu=self.proximal_mu,
            privacy=self.privacy,
            on_batch=on_batch,
        )
        if update.spent is not None:
            self.on_spent(update.spent)
        return Trained(model_of(update.weights), steps, update.result.loss if self.tells_metrics else None)

    def evaluate(self, model: Arrays) -> Evaluated | None:
        """As Trainer has it: on the samples that the learner holds out."""
        if not self.tells_metrics:
            return None
        result = self.learner.evaluate(self.place, weights_of(model))
        return Evaluated(result.accuracy, result.loss, result.examples)


def model_of(weights: Weights) -> Arrays:
    """A copy of the weights as arrays."""
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in weights.items()}


def weights_of(model: Arrays) -> Weights:
    """A copy of the arrays as weights."""
    return {name: torch.from_numpy(np.array(values)) for name, values in model.items()}
