"""The work of `bench/echo.py` as a Flower app that knows nothing of FedLoom, for processes of its own."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

client, server = ClientApp(), ServerApp()


@client.train()
def train(message: Message, _: Context) -> Message:
    """Return the arrays as they came."""
    metrics = MetricRecord({"num-examples": 1, "train_loss": 0.0})
    arrays = message.content.array_records["arrays"]
    return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=message)


@client.evaluate()
def evaluate(message: Message, _: Context) -> Message:
    """Return metrics alone."""
    metrics = MetricRecord({"num-examples": 1, "loss": 0.0, "accuracy": 0.0})
    return Message(RecordDict({"metrics": metrics}), reply_to=message)


@server.main()
def main(grid: Grid, context: Context) -> None:
    """Write into the file `out` how many seconds each round took."""
    config = context.run_config
    shapes = json.loads(str(config["shapes"]))
    arrays = ArrayRecord([np.zeros(shape, np.float32) for shape in shapes])
    warm_up, count = int(config["warm-up"]), int(config["count"])
    strategy = FedAvg()
    seconds = []
    for server_round in range(1, warm_up + count + 1):
        started = time.perf_counter()
        asked = strategy.configure_train(server_round, arrays, ConfigRecord(), grid)
        averaged, _ = strategy.aggregate_train(server_round, grid.send_and_receive(asked))
        assert averaged is not None, "no client has answered"
        arrays = averaged
        asked = strategy.configure_evaluate(server_round, arrays, ConfigRecord(), grid)
        strategy.aggregate_evaluate(server_round, grid.send_and_receive(asked))
        seconds.append(time.perf_counter() - started)
    Path(str(config["out"])).write_text(json.dumps(seconds[warm_up:]), encoding="utf-8")
