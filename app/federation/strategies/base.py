"""A strategy as the round loop sees it: asks, folds the replies together as they come, keeps its state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message
from flwr.serverapp import Grid
from flwr.serverapp.strategy import FedAvg
from numpy.typing import NDArray

from app.records import PrivacySpent
from shared.errors import CheckpointInvalid, ReplyInvalid, RoundFailed
from shared.results import TrainMetrics, records_of

State = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Update:
    """What one client returned from training: its model, and how the training went."""

    node_id: int
    arrays: ArrayRecord
    metrics: TrainMetrics

    @classmethod
    def from_reply(cls, reply: Message) -> Self:
        """Read a reply that nobody has read. Raises ReplyInvalid unless it holds one model and the metrics of
        training."""
        metrics = TrainMetrics.from_reply(reply)
        records = list(records_of(reply.content, ArrayRecord).values())
        if len(records) != 1:
            raise ReplyInvalid(f"The reply holds {len(records)} models, not one.")
        return cls(reply.metadata.src_node_id, records[0], metrics)


class Fold(Protocol):
    """The aggregation of one round."""

    @property
    def updates(self) -> int:
        """How many updates were added."""

    def add(self, update: Update) -> None:
        """Take in a client's update. Raises ReplyInvalid, and takes in nothing, when it cannot be used."""

    def finish(self) -> ArrayRecord:
        """The new global model, once; names, shapes and dtypes are those of the model that was sent.

        The strategy's own state moves on with it. Raises RoundFailed when there are too few updates.
        """


class RoundFold(ABC):
    """A fold that counts its updates."""

    def __init__(self, minimum_updates: int = 1) -> None:
        self._minimum = minimum_updates
        self.updates = 0

    def add(self, update: Update) -> None:
        """As Fold has it."""
        self._add(update)
        self.updates += 1

    def finish(self) -> ArrayRecord:
        """As Fold has it."""
        if self.updates < self._minimum:
            raise RoundFailed(
                f"The strategy needs at least {self._minimum} updates in a round, and got {self.updates}. "
                "The model stays as it was."
            )
        return self._finish()

    @abstractmethod
    def _add(self, update: Update) -> None: ...

    @abstractmethod
    def _finish(self) -> ArrayRecord: ...


class RoundStrategy(ABC):
    """How a run's rounds are asked for and put together. Lives in the run's thread."""

    def __init__(self, *, minimum_updates: int = 1, sender: FedAvg | None = None) -> None:
        """`minimum_updates`: with fewer, a round cannot be aggregated.

        `sender`: Flower's strategy that asks. `releases` counts the models that a strategy with differential
        privacy has made; what goes on with a run sets it, also where a checkpoint was lost.
        """
        self.minimum_updates = minimum_updates
        self.releases = 0
        self._sender = sender or FedAvg(min_train_nodes=1, min_evaluate_nodes=1, min_available_nodes=1)

    def configure_train(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """The messages that ask every node on the grid to train the model."""
        return self._sender.configure_train(server_round, arrays, config, grid)

    def configure_evaluate(
        self, server_round: int, arrays: ArrayRecord, config: ConfigRecord, grid: Grid
    ) -> Iterable[Message]:
        """The messages that ask every node on the grid to evaluate the model."""
        return self._sender.configure_evaluate(server_round, arrays, config, grid)

    @abstractmethod
    def begin(self, server_round: int, arrays: ArrayRecord) -> Fold:
        """Start to aggregate a round (from 1) for which the clients got `arrays`.

        A round that is tried again begins again; a fold that is not finished leaves no trace.
        """

    def privacy(self) -> PrivacySpent | None:
        """What the models made so far have spent; None: nothing is promised."""
        return None

    def state(self) -> dict[str, NDArray[Any]]:
        """What the strategy remembers from round to round, by name: part of a checkpoint."""
        return {}

    def load_state(self, state: State) -> None:
        """Go on from a checkpoint's `state`, bit by bit as if nothing had happened.

        Raises CheckpointInvalid.
        """
        if state:
            raise CheckpointInvalid(
                f"The checkpoint holds {min(state)!r}, of which this run's strategy knows nothing: "
                "it was written with another strategy."
            )


def check_finite(name: str, values: NDArray[Any]) -> None:
    """Raise CheckpointInvalid unless `values` are real numbers, and finite."""
    if not np.issubdtype(values.dtype, np.floating) or not np.isfinite(values).all():
        raise CheckpointInvalid(
            f"The checkpoint is damaged: the strategy's {name!r} holds no finite numbers."
        )
