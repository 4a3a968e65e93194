"""A strategy's run in this process, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.serverapp import Grid
from flwr.serverapp.strategy import Result

Told = list[tuple[str, int | None, dict[str, float]]]

ARRAYS = ArrayRecord([np.zeros(2, np.float32)])


class Reporting:
    """A Report that writes down, or fails."""

    def __init__(self) -> None:
        self.told: Told = []
        self.error: Exception | None = None

    def evaluated(self, number: int | None, metrics: Mapping[str, float]) -> None:
        self.aggregated("server", number, metrics)

    def aggregated(self, kind: str, number: int | None, metrics: Mapping[str, float]) -> None:
        if self.error is not None:
            raise self.error
        self.told.append((kind, number, dict(metrics)))


class TwoClients(Grid):
    """Answers each message with what the strategies want to see."""

    def set_run(self, run: Any) -> None:
        raise NotImplementedError

    @property
    def run(self) -> Any:
        raise NotImplementedError

    def create_message(self, *args: Any, **kwargs: Any) -> Message:
        raise NotImplementedError

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        raise NotImplementedError

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        raise NotImplementedError

    def get_node_ids(self) -> list[int]:
        return [2, 3]

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> list[Message]:
        return [self._reply(message) for message in messages]

    def _reply(self, message: Message) -> Message:
        loss = {2: 0.25, 3: 0.75}[message.metadata.dst_node_id]
        content = RecordDict({"metrics": MetricRecord({"num-examples": 1, "loss": loss})})
        if message.metadata.message_type == "train":
            content["arrays"] = ArrayRecord([np.ones(2, np.float32)])
        return Message(content, reply_to=message)


def evaluate(server_round: int, arrays: ArrayRecord) -> MetricRecord | None:
    return MetricRecord({"auc": 0.5 + server_round / 10})


def start(strategy: Any, *args: Any, **kwargs: Any) -> Result:
    result: Result = strategy.start(TwoClients(), ARRAYS, 1, *args, **kwargs)
    return result


CLIENTS_RESULTS: Told = [("train", 1, {"loss": 0.5}), ("evaluate", 1, {"loss": 0.5})]
ALL_RESULTS: Told = [("server", 0, {"auc": 0.5}), *CLIENTS_RESULTS, ("server", 1, {"auc": 0.6})]
