"""Trainer: what trains and evaluates at a node, as gossip sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mesh.learning.arrays import Arrays


@dataclass(frozen=True)
class Trained:
    """What came of a training. The arrays are nobody else's. `steps`: of the optimiser. `loss`: None where it
    stays at the node."""

    model: Arrays
    steps: int
    loss: float | None


@dataclass(frozen=True)
class Evaluated:
    """On what the node has held out. Accuracy is 0 to 1."""

    accuracy: float
    loss: float
    samples: int


class Trainer(Protocol):
    """Is called in threads, never twice at the same time. What it raises as FedLoomError ends the learning of
    this node in order."""

    def samples(self) -> int:
        """How many it trains on, at least 1; they are loaded if need be."""

    def train(self, model: Arrays, mesh_round: int, should_stop: Callable[[], bool]) -> Trained:
        """A round's training, from 1, with its number of steps. Raises shared.errors.Cancelled soon after
        `should_stop` says so."""

    def evaluate(self, model: Arrays) -> Evaluated | None:
        """None where the outcome is nobody's business, as in a private run."""
