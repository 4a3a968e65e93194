"""The work of `round`, the same for FedLoom, for bare processes and for the peer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.crew import BenchFailed
from bench.images import write_images
from shared.names import DatasetName, ModelName
from shared.run_spec import RunSpec

DATA_DIR = "FEDLOOM_DATA_DIR"

CLIENTS = 3
SAMPLES = 1_000
HELD_OUT = 111
"""A client holds out a tenth of its 1,111 samples for its own evaluation and trains on the other 1,000."""

TEST_SAMPLES = 1_000
LEARNING_RATE = 0.01
"""So small that each step lowers the loss: a larger one multiplies the last bits of a sum round by round."""

SAME_LOSS = 0.01
"""How far final losses may lie apart, as a share of the smallest: sums are rounded in another order."""


@dataclass(frozen=True)
class Rhythm:
    """From the second round on, when everything is warm; medians, seconds.

    `interval`: from one round to the next. `apart`: what of it is neither the longest training nor the
    longest evaluation of a client.
    """

    interval: float
    apart: float


@dataclass(frozen=True)
class Outcome:
    """What one system needed for the rounds after the initial evaluation, and its final test loss.

    A FedLoom server also knows the loss that the clients had in the end, and the rhythm of its rounds where
    there were three. Of an app in its own processes it does not know the test loss.
    """

    seconds: float
    loss: float | None
    client_loss: float | None = None
    rhythm: Rhythm | None = None


@contextmanager
def images() -> Iterator[Path]:
    """A data directory with the generated data set, while the block lasts.

    All processes that are started in it find the data there: an app's own are told of no directory.
    """
    before = os.environ.get(DATA_DIR)
    with TemporaryDirectory(prefix="fedloom-bench-") as folder:
        write_images(Path(folder), CLIENTS * (SAMPLES + HELD_OUT), TEST_SAMPLES)
        os.environ[DATA_DIR] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ[DATA_DIR]
            else:
                os.environ[DATA_DIR] = before


def spec(num_rounds: int) -> RunSpec:
    """One local epoch of batches of 32 on equal parts."""
    return RunSpec.model_validate(
        {
            "dataset": DatasetName.MNIST,
            "model": ModelName.CNN,
            "num_rounds": num_rounds,
            "min_clients": CLIENTS,
            "num_partitions": CLIENTS,
            "local_epochs": 1,
            "batch_size": 32,
            "lr": LEARNING_RATE,
            "alpha": None,
            "seed": 1,
        }
    )


def check_same_work(outcomes: dict[str, Outcome]) -> None:
    """All train the same model on the same batches, so it must come out the same. Raises BenchFailed."""
    for losses in (
        {name: outcome.loss for name, outcome in outcomes.items() if outcome.loss is not None},
        {name: outcome.client_loss for name, outcome in outcomes.items() if outcome.client_loss is not None},
    ):
        if losses and max(losses.values()) > (1 + SAME_LOSS) * min(losses.values()):
            raise BenchFailed(f"The systems did not do the same work: their final losses are {losses}.")
