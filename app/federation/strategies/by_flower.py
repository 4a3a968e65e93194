"""Hands models to one of Flower's own strategies to aggregate, as if they were the replies of a round."""

from __future__ import annotations

from collections.abc import Iterable

from flwr.app import ArrayRecord, Message, MessageType, MetricRecord, RecordDict
from flwr.serverapp.strategy import FedAvg

from app.federation.strategies.arrays import to_array
from shared.flower import SERVER_NODE_ID


def aggregate(flower: FedAvg, server_round: int, models: Iterable[ArrayRecord]) -> ArrayRecord:
    """Flower's result for models of equal weight, in their dtypes; Flower may take the records apart.

    Only within a run: Flower's messages know theirs.
    """
    models = list(models)
    likes = dict(models[0])
    arrays, _ = flower.aggregate_train(server_round, [_reply(flower, model) for model in models])
    assert arrays is not None  # every caller has as many models as Flower asks for
    return ArrayRecord({name: to_array(arrays[name].numpy(), like) for name, like in likes.items()})


def _reply(flower: FedAvg, model: ArrayRecord) -> Message:
    content = RecordDict({"arrays": model, "metrics": MetricRecord({flower.weighted_by_key: 1})})
    return Message(content, SERVER_NODE_ID, MessageType.TRAIN)
