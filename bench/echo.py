"""The work of `overhead` and `payload`: clients that return at once, so that only moving, packing and
averaging is left.

Each system averages with its own FedAvg, as its users get it: FedLoom's folds the replies together as they
come, Flower's takes them all at the end. Both ask with the messages of Flower's strategy.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable

from flwr.app import ArrayRecord, ConfigRecord, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg

from app.federation.strategies import build_strategy
from app.federation.strategies.base import Update
from bench.crew import BenchFailed
from shared.models import build_model
from shared.names import DatasetName, ModelName
from shared.results import EvaluateMetrics, TrainMetrics
from shared.run_spec import RunSpec

CLIENTS = 3

app = ClientApp()


@app.train()
def train(message: Message, _: object) -> Message:
    """Return the arrays as they came, as `bench/echo_app` does."""
    arrays = message.content.array_records["arrays"]
    metrics = TrainMetrics(num_examples=1, duration_s=0.0, train_loss=0.0)
    return Message(RecordDict({"arrays": arrays, "metrics": metrics.to_record()}), reply_to=message)


@app.evaluate()
def evaluate(message: Message, _: object) -> Message:
    """Return metrics alone."""
    metrics = EvaluateMetrics(num_examples=1, duration_s=0.0, loss=0.0, accuracy=0.0)
    return Message(RecordDict({"metrics": metrics.to_record()}), reply_to=message)


def initial_arrays() -> ArrayRecord:
    """The weights of the CNN for 28 x 28 images: 1.6 MB."""
    return ArrayRecord(build_model(ModelName.CNN, DatasetName.MNIST, seed=0).state_dict())


def size(arrays: ArrayRecord) -> int:
    """Bytes of a model, as it travels."""
    return sum(len(array.data) for array in arrays.values())


class Rounds(ABC):
    """The two halves of a round, with one system's FedAvg."""

    @abstractmethod
    def train(self, grid: Grid, server_round: int, arrays: ArrayRecord) -> ArrayRecord:
        """Have every node train; returns the average of what comes back."""

    @abstractmethod
    def evaluate(self, grid: Grid, server_round: int, arrays: ArrayRecord) -> None:
        """Have every node evaluate."""


class FedLoom(Rounds):
    """As `app.federation.rounds.server_app` does it."""

    def __init__(self) -> None:
        self._strategy = build_strategy(RunSpec())

    def train(self, grid: Grid, server_round: int, arrays: ArrayRecord) -> ArrayRecord:
        """Fold the replies together as they come."""
        messages = self._strategy.configure_train(server_round, arrays, ConfigRecord(), grid)
        fold = self._strategy.begin(server_round, arrays)
        for reply in grid.send_and_receive(messages):
            _require_good(server_round, [reply])
            fold.add(Update.from_reply(reply))
            del reply  # while the next is waited for, and opened
        return fold.finish()

    def evaluate(self, grid: Grid, server_round: int, arrays: ArrayRecord) -> None:
        """The replies are for whoever watches the grid."""
        messages = self._strategy.configure_evaluate(server_round, arrays, ConfigRecord(), grid)
        _require_good(server_round, grid.send_and_receive(messages))


class Flower(Rounds):
    """As `flwr.serverapp.strategy.Strategy.start` does it."""

    def __init__(self) -> None:
        self._strategy = FedAvg(
            min_train_nodes=CLIENTS, min_evaluate_nodes=CLIENTS, min_available_nodes=CLIENTS
        )

    def train(self, grid: Grid, server_round: int, arrays: ArrayRecord) -> ArrayRecord:
        """Collect the replies and aggregate them."""
        messages = self._strategy.configure_train(server_round, arrays, ConfigRecord(), grid)
        replies = list(grid.send_and_receive(messages))
        _require_good(server_round, replies)
        new_arrays, _ = self._strategy.aggregate_train(server_round, replies)
        if new_arrays is None:
            raise BenchFailed(f"Round {server_round}: there was nothing to aggregate.")
        return new_arrays

    def evaluate(self, grid: Grid, server_round: int, arrays: ArrayRecord) -> None:
        """Collect the replies and aggregate their metrics."""
        messages = self._strategy.configure_evaluate(server_round, arrays, ConfigRecord(), grid)
        replies = list(grid.send_and_receive(messages))
        _require_good(server_round, replies)
        self._strategy.aggregate_evaluate(server_round, replies)


def rounds(grid: Grid, system: Rounds, warm_up: int, count: int) -> list[float]:
    """Seconds of each of `count` rounds of train and evaluate, after `warm_up` others."""
    arrays = initial_arrays()
    seconds = []
    for server_round in range(1, warm_up + count + 1):
        started = time.perf_counter()
        arrays = system.train(grid, server_round, arrays)
        system.evaluate(grid, server_round, arrays)
        seconds.append(time.perf_counter() - started)
    return seconds[warm_up:]


def _require_good(server_round: int, replies: Iterable[Message]) -> None:
    if any(reply.has_error() for reply in replies):
        raise BenchFailed(f"Round {server_round}: a client did not answer.")
