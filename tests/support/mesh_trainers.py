"""Trainers for tests of learning over a mesh: what they learn can be computed by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mesh.learning.arrays import Arrays
from mesh.learning.trainer import Evaluated, Trained
from shared.errors import Cancelled, FedLoomError

STEPS = 4
"""Of a training."""


def a_model(*values: float) -> dict[str, NDArray[np.float64]]:
    """A model of one array, in float64, so that sums can be compared."""
    return {"w": np.array(values, np.float64)}


class Drawn:
    """Goes a part of the way to its own optimum in each training: gradient descent on a parabola. The mean of
    all optima by samples is that of the whole."""

    def __init__(self, optimum: float, samples: int = 10, rate: float = 0.5) -> None:
        self.optimum = optimum
        self.rate = rate
        self.rounds: list[int] = []
        self.fails_in: int | None = None
        self.gate = threading.Event()
        """While it is not set, a training goes on."""
        self.gate.set()
        self.started = threading.Event()
        self._samples = samples

    def samples(self) -> int:
        """As Trainer has it."""
        return self._samples

    def train(self, model: Arrays, mesh_round: int, should_stop: Callable[[], bool]) -> Trained:
        """As Trainer has it."""
        self.rounds.append(mesh_round)
        self.started.set()
        while not self.gate.wait(0.01):
            if should_stop():
                raise Cancelled("the training was given up")
        if mesh_round == self.fails_in:
            raise FedLoomError("this training fails")
        moved = {name: values + self.rate * (self.optimum - values) for name, values in model.items()}
        return Trained(moved, STEPS, loss=abs(self.optimum - float(moved["w"][0])))

    def evaluate(self, model: Arrays) -> Evaluated:
        """As Trainer has it."""
        loss = abs(self.optimum - float(model["w"][0]))
        return Evaluated(accuracy=1 / (1 + loss), loss=loss, samples=self._samples)
