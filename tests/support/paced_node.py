"""A node of the mesh that trains when a test says so, and shows each model that it comes to.

Run as `python -m tests.support.paced_node node …`. All else is `python -m mesh node`. In its home, the file
`may-train` holds the number of the last round that it may train in, and `models` its models after each round.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import client.mesh_runs
from client.mesh_trainer import LearnerTrainer
from mesh.__main__ import main
from mesh.learning.arrays import Arrays, encoded
from mesh.learning.trainer import Evaluated, Trained
from shared import paths
from shared.errors import Cancelled
from shared.security.files import write_whole

MAY_TRAIN = "may-train"
MODELS = "models"
INTERVAL_S = 0.05


class PacedTrainer(LearnerTrainer):
    """Waits before each round until the test allows it."""

    def train(self, model: Arrays, mesh_round: int, should_stop: Callable[[], bool]) -> Trained:
        """As Trainer has it."""
        while _allowed() < mesh_round:
            if should_stop():
                raise Cancelled("the test has ended the training")
            time.sleep(INTERVAL_S)
        return super().train(model, mesh_round, should_stop)

    def evaluate(self, model: Arrays) -> Evaluated | None:
        """As Trainer has it; it is called once after each round."""
        folder = paths.home_dir() / MODELS
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{len(list(folder.iterdir())) + 1}.safetensors", encoded(model))
        return super().evaluate(model)


def _allowed() -> int:
    file = paths.home_dir() / MAY_TRAIN
    return int(file.read_text()) if file.exists() else 0


def model_file(home: Path, mesh_round: int) -> Path:
    """Where the node in this home shows its model after a round."""
    return home / MODELS / f"{mesh_round}.safetensors"


def allow(home: Path, mesh_round: int) -> None:
    """Have the node in this home train up to this round."""
    write_whole(home / MAY_TRAIN, str(mesh_round).encode())


if __name__ == "__main__":
    with mock.patch.object(client.mesh_runs, "LearnerTrainer", PacedTrainer):
        sys.exit(main())
