"""strategyexample: A Flower app with a custom strategy."""

import numpy as np
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

# Flower ClientApp
app = ClientApp()


def target(context: Context):
    """The point that this client pulls the model to."""
    return np.full(5, 1.0 + context.node_config["partition-id"])


@app.train()
def train(msg: Message, context: Context):
    """One step of gradient descent."""
    lr = msg.content["config"]["lr"]
    (point,) = msg.content["arrays"].to_numpy_ndarrays()
    point = point - lr * (point - target(context))
    metrics = {"lr": lr, "train_loss": float(np.mean((point - target(context)) ** 2)), "num-examples": 1}
    content = RecordDict({"arrays": ArrayRecord([point]), "metrics": MetricRecord(metrics)})
    return Message(content=content, reply_to=msg)


@app.evaluate()
def evaluate(msg: Message, context: Context):
    """How far the model is from this client's point."""
    (point,) = msg.content["arrays"].to_numpy_ndarrays()
    metrics = {"eval_loss": float(np.mean((point - target(context)) ** 2)), "num-examples": 1}
    return Message(content=RecordDict({"metrics": MetricRecord(metrics)}), reply_to=msg)
