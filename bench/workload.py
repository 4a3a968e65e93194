"""The work of `round`, the same for FedLoom, for bare processes and for the peer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.crew import BenchFailed
from bench.images import write_images
from shared.names import DatasetName, ModelName
from shared.run_spec import RunSpec

CLIENTS = 3
SAMPLES = 1_000
HELD_OUT = 111
"""A client holds out a tenth of its 1,111 samples for its own evaluation and trains on the other 1,000."""

TEST_SAMPLES = 1_000
SAME_LOSS = 1e-3


@dataclass(frozen=True)
class Outcome:
    """What one system needed for the rounds after the initial evaluation, and its final test loss."""

    seconds: float
    loss: float


@contextmanager
def images() -> Iterator[Path]:
    """A data directory with the generated data set, while the block lasts."""
    with TemporaryDirectory(prefix="fedloom-bench-") as folder:
        write_images(Path(folder), CLIENTS * (SAMPLES + HELD_OUT), TEST_SAMPLES)
        yield Path(folder)


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
            "alpha": None,
            "seed": 1,
        }
    )


def check_same_work(outcomes: dict[str, Outcome]) -> None:
    """All train the same model on the same batches, so it must come out the same. Raises BenchFailed."""
    losses = {name: outcome.loss for name, outcome in outcomes.items()}
    if max(losses.values()) - min(losses.values()) > SAME_LOSS:
        raise BenchFailed(f"The systems did not do the same work: their final losses are {losses}.")
