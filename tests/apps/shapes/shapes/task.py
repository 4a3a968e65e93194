"""A model of five numbers, which each client pulls to a point of its own. Nothing in it is random."""

import numpy as np
from flwr.app import Array, ArrayRecord, Context, Message, MessageType, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid

LEARNING_RATE = 0.4


def initial_arrays() -> ArrayRecord:
    """The model before the first round."""
    return ArrayRecord([np.zeros(5)])


def partition(context: Context) -> int:
    """Which part of the data this client has."""
    return int(context.node_config["partition-id"])


def target(part: int) -> np.ndarray:
    """Where a client wants the model to be."""
    return np.linspace(1.0, 2.0, 5) * (1 + part)


def examples(part: int) -> int:
    """How much a client counts."""
    return 10 * (1 + part)


def loss(point: np.ndarray, part: int) -> float:
    """How far the model is from there."""
    return float(np.mean((point - target(part)) ** 2))


def step(point: np.ndarray, part: int) -> np.ndarray:
    """The model after training at a client."""
    return point - LEARNING_RATE * (point - target(part))


def trained(msg: Message, context: Context, metrics=None) -> Message:
    """A reply to training: the new model, and numbers about it, more of them if need be."""
    part = partition(context)
    (point,) = msg.content["arrays"].to_numpy_ndarrays()
    point = step(point, part)
    numbers = {"train_loss": loss(point, part), "num-examples": examples(part), **(metrics or {})}
    return Message(
        RecordDict({"arrays": ArrayRecord([point]), "metrics": MetricRecord(numbers)}), reply_to=msg
    )


def evaluated(msg: Message, context: Context, metrics=None) -> Message:
    """A reply to evaluation."""
    part = partition(context)
    (point,) = msg.content["arrays"].to_numpy_ndarrays()
    numbers = {"eval_loss": loss(point, part), "num-examples": examples(part), **(metrics or {})}
    return Message(RecordDict({"metrics": MetricRecord(numbers)}), reply_to=msg)


def plain_client_app(**options) -> ClientApp:
    """A ClientApp that trains and evaluates."""
    app = ClientApp(**options)
    app.train()(trained)
    app.evaluate()(evaluated)
    return app


def message(node_id: int, kind: str, content: RecordDict | None = None, group: str = "") -> Message:
    """One message for one client."""
    return Message(content or RecordDict(), dst_node_id=node_id, message_type=kind, group_id=group)


def to_all(grid: Grid, kind: str, content: RecordDict | None = None, group: str = "") -> list[Message]:
    """One message for each client."""
    return [message(node_id, kind, content, group) for node_id in grid.get_node_ids()]


def mean_of(replies) -> ArrayRecord:
    """The mean of the models in the replies, weighted by their examples."""
    contents = [reply.content for reply in replies]
    weights = np.array([content["metrics"]["num-examples"] for content in contents], dtype=float)
    points = [content["arrays"].to_numpy_ndarrays()[0] for content in contents]
    mean = sum(weight * point for weight, point in zip(weights / weights.sum(), points, strict=True))
    return ArrayRecord({"0": Array(np.asarray(mean))})


def global_evaluation(server_round: int, arrays: ArrayRecord) -> MetricRecord:
    """What a ServerApp computes of the global model on data of its own, as Flower's examples do."""
    (point,) = arrays.to_numpy_ndarrays()
    return MetricRecord({"loss": loss(point, 0), "accuracy": 1 / (1 + loss(point, 0))})


TRAIN, EVALUATE, QUERY = MessageType.TRAIN, MessageType.EVALUATE, MessageType.QUERY
