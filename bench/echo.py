"""The work of `overhead`: clients that return at once, so that only moving, packing and averaging is left."""

from __future__ import annotations

import time

from flwr.app import ArrayRecord, ConfigRecord, Message, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg

from app.federation.server_app import in_order
from bench.crew import BenchFailed
from shared.models import build_model
from shared.names import DatasetName, ModelName
from shared.results import EvaluateMetrics, TrainMetrics

CLIENTS = 3

app = ClientApp()


@app.train()
def train(message: Message, _: object) -> Message:
    """Return the arrays as they came."""
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


def rounds(grid: Grid, warm_up: int, count: int) -> list[float]:
    """Seconds of each of `count` rounds of train and evaluate with FedAvg, after `warm_up` others."""
    strategy = FedAvg(min_train_nodes=CLIENTS, min_evaluate_nodes=CLIENTS, min_available_nodes=CLIENTS)
    arrays = initial_arrays()
    seconds = []
    for server_round in range(1, warm_up + count + 1):
        started = time.perf_counter()
        arrays = _round(grid, strategy, arrays, server_round)
        seconds.append(time.perf_counter() - started)
    return seconds[warm_up:]


def _round(grid: Grid, strategy: FedAvg, arrays: ArrayRecord, server_round: int) -> ArrayRecord:
    messages = strategy.configure_train(server_round, arrays, ConfigRecord(), grid)
    replies = in_order(grid.send_and_receive(messages))
    new_arrays, _ = strategy.aggregate_train(server_round, replies)
    if new_arrays is None or any(reply.has_error() for reply in replies):
        raise BenchFailed(f"Round {server_round}: a client did not return its arrays.")
    messages = strategy.configure_evaluate(server_round, new_arrays, ConfigRecord(), grid)
    strategy.aggregate_evaluate(server_round, in_order(grid.send_and_receive(messages)))
    return new_arrays
