"""A model that is bytes and grows, with FedXgbBagging: quickstart-xgboost, xgboost-comprehensive."""

import json

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedXgbBagging

from shapes.task import examples, partition

client_app = ClientApp()
server_app = ServerApp()


def booster(trees: list) -> bytes:
    """Trees in the format in which XGBoost saves them."""
    counts = {"num_trees": str(len(trees)), "num_parallel_tree": "1"}
    model = {
        "gbtree_model_param": counts,
        "iteration_indptr": list(range(len(trees) + 1)),
        "tree_info": [0] * len(trees),
        "trees": trees,
    }
    return json.dumps({"learner": {"gradient_booster": {"model": model}}}).encode()


def trees_of(arrays: ArrayRecord) -> list:
    """The trees of the global model."""
    model = arrays["0"].numpy().tobytes()
    return json.loads(model)["learner"]["gradient_booster"]["model"]["trees"] if model else []


@client_app.train()
def train(msg: Message, context: Context) -> Message:
    tree = {"id": 0, "leaf": 0.5 + partition(context) + len(trees_of(msg.content["arrays"]))}
    arrays = ArrayRecord([np.frombuffer(booster([tree]), dtype=np.uint8)])
    metrics = MetricRecord({"num-examples": examples(partition(context))})
    return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=msg)


@client_app.evaluate()
def evaluate(msg: Message, context: Context) -> Message:
    leaves = [tree["leaf"] for tree in trees_of(msg.content["arrays"])]
    auc = sum(leaves) / (sum(leaves) + 1 + partition(context))
    metrics = MetricRecord({"auc": auc, "trees": len(leaves), "num-examples": examples(partition(context))})
    return Message(RecordDict({"metrics": metrics}), reply_to=msg)


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    FedXgbBagging().start(
        grid,
        ArrayRecord([np.frombuffer(b"", dtype=np.uint8)]),
        num_rounds=context.run_config["num-server-rounds"],
    )
