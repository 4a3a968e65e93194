"""What a run tells, and asks, whoever follows it: FedLoom's server, or nobody on another Flower grid."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flwr.app import ArrayRecord, Message
from flwr.serverapp import Grid
from numpy.typing import NDArray

from app.federation.rounds.merging import MeshBook
from app.federation.strategies.base import Update
from app.records import PrivacySpent
from shared.secagg.packing import Summed
from shared.training import EvalResult


@dataclass(frozen=True)
class ResumePoint:
    """Where a run was cut: the model after `round`, and the strategy's own state then.

    `evaluated`: whether that round was over, or its evaluation is still to be done.
    """

    round: int
    arrays: ArrayRecord
    state: Mapping[str, NDArray[Any]]
    evaluated: bool


class RunCallbacks(Protocol):
    """Told what happens in a run; called in the thread of the ServerApp."""

    def resume_point(self) -> ResumePoint | None:
        """Where to go on; None: from the beginning."""

    def prepared(self) -> None:
        """The data is loaded; the evaluation of the initial model begins."""

    def breathe(self) -> None:
        """Called now and then while the server computes; may block, or raise RunStopped to end there."""

    def before_round(self, server_round: int) -> None:
        """A round is about to begin, be tried again or be finished. May block until clients are there."""

    def short_of_updates(self, server_round: int, reason: str) -> None:
        """A round got some updates, but fewer than it needs; it will be tried again. May block until then."""

    def aggregated(self, server_round: int, arrays: ArrayRecord, state: Mapping[str, NDArray[Any]]) -> None:
        """The new global model, and the strategy's own state: all that it takes to go on from here."""

    def update(self, reply: Message) -> Update:
        """What a reply to "train" holds. Raises ReplyInvalid when that cannot be used."""

    def folded(self, update: Update) -> None:
        """An update was taken in, in its place among the others of the round."""

    def summed(self, server_round: int, nodes: Iterable[int], summed: Summed) -> None:
        """The masked updates of these nodes have come to a sum."""

    def releases(self) -> int:
        """How many models were made and paid for, in this run, before it was cut."""

    def spent(self, privacy: PrivacySpent) -> None:
        """What differential privacy has cost so far. When this returns, it is kept.

        Called before the first round, and for each new global model before anybody sees that.
        """

    def made(self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord) -> None:
        """The updates that were taken in have made the new global model of the one that was sent."""

    def evaluated(self, server_round: int, result: EvalResult) -> None:
        """The global model after a round (0: the initial one) was evaluated on the server's test set."""

    def finished(self, server_round: int) -> None:
        """A round is over."""

    def mesh(self) -> MeshBook | None:
        """What is known of the run in the mesh; None: its clients do not learn without the server."""


class WaitForNodes:
    """The callbacks on a grid that FedLoom does not own: wait for nodes by asking, report to Flower's log."""

    def __init__(self, grid: Grid, minimum: int) -> None:
        self._grid = grid
        self._minimum = minimum

    def resume_point(self) -> None:
        """Flower's runs begin at the beginning."""

    def prepared(self) -> None:
        """Nothing to do."""

    def breathe(self) -> None:
        """Nothing to do: Flower ends the process."""

    def before_round(self, server_round: int) -> None:
        """Ask the grid once a second, as Flower's strategies do."""
        while len(list(self._grid.get_node_ids())) < self._minimum:
            time.sleep(1)

    def short_of_updates(self, server_round: int, reason: str) -> None:
        """To Flower's own log; then the round is tried again."""
        logging.getLogger("flwr").warning("%s; the round is tried again", reason)

    def update(self, reply: Message) -> Update:
        """Read now: nobody has seen it before."""
        return Update.from_reply(reply)

    def folded(self, update: Update) -> None:
        """Nothing to do."""

    def summed(self, server_round: int, nodes: Iterable[int], summed: Summed) -> None:
        """Nothing to do."""

    def releases(self) -> int:
        """None: Flower's runs begin at the beginning."""
        return 0

    def spent(self, privacy: PrivacySpent) -> None:
        """To Flower's own log."""
        if privacy.releases and privacy.epsilon is not None:
            logging.getLogger("flwr").info(
                "epsilon %.3g at delta %.3g is spent, for each %s",
                privacy.epsilon,
                privacy.delta,
                privacy.protects,
            )

    def made(self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord) -> None:
        """Nothing to do."""

    def aggregated(self, server_round: int, arrays: ArrayRecord, state: Mapping[str, NDArray[Any]]) -> None:
        """Nothing to do."""

    def evaluated(self, server_round: int, result: EvalResult) -> None:
        """To Flower's own log, which `flwr run --stream` shows."""
        flower = logging.getLogger("flwr")
        flower.info(
            "round %d: accuracy %.4f, loss %.4f on the test set", server_round, result.accuracy, result.loss
        )

    def finished(self, server_round: int) -> None:
        """Nothing to do."""

    def mesh(self) -> None:
        """There is none on Flower's own grids."""
