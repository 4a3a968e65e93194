"""Merging: makes the next global model of what clients have learned in the mesh while the server was away.

It takes the place of a round's training. By the one rule (`mesh.learning.merge`), the clients' models and the
server's own are branches of one history, and what comes of them is a mean. A strategy that needs no more of a
round's updates than their mean takes it as that, so that a server optimiser steps along the pseudo-gradient.
One that looks at each update by itself gets each client's branch, merged with the server's, as that client's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord, Message, RecordDict
from flwr.serverapp import Grid
from numpy.typing import NDArray

from app.federation.strategies.arrays import floating, to_array
from app.federation.strategies.base import RoundStrategy, Update
from mesh.learning import merge as rule
from mesh.learning.base import Base
from shared.error_line import error_line
from shared.errors import ReplyInvalid
from shared.flower import is_unavailable
from shared.mesh_contribution import GENERATION, MERGED, MESH_UPDATE, ContributionMetrics
from shared.results import TrainMetrics

MAX_NAMED = 1_000
"""Merged contributions, the newest, that clients are told of."""

SUM = 0
"""The number of the node that a mean of branches is said to be of: no client's."""

_REFUSED: Mapping[rule.NotMerged, str] = {
    rule.NotMerged.UNKNOWN_BASE: "it began with a model that is not in this server's history of the run: "
    "another server has made it, or this one has an older state than its clients",
    rule.NotMerged.MASS: "it claims to stand for more samples than the run has, or for none",
    rule.NotMerged.STEPS: "no training is behind it",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Contribution:
    """What one client has learned: its model, and how it came about."""

    node_id: int
    arrays: ArrayRecord
    metrics: ContributionMetrics


class MeshBook(Protocol):
    """What is known of a run in the mesh. Used in the run thread."""

    @property
    def run(self) -> str:
        """Its id."""

    @property
    def generation(self) -> int:
        """The number of this server's turn with the run, above those of the turns before."""

    def waiting(self) -> Mapping[int, int]:
        """By the nodes that say they have learned something: its number."""

    def merged_before(self, server_round: int) -> Sequence[int]:
        """The numbers of the contributions that are in the models of earlier rounds, oldest first."""

    def contribution(self, reply: Message) -> Contribution:
        """What a reply holds that was read when it came in. Raises ReplyInvalid."""

    def since(self, base: Base, done: int) -> rule.Progress | None:
        """What the server has done from a base to a round; None: its history has no such model."""

    def samples(self, contributions: Sequence[Contribution]) -> float:
        """How many there are in all, of the clients that the run has had and of these."""

    def folded(self, contribution: Contribution) -> None:
        """It was taken in, after those before."""

    def merged(
        self, server_round: int, contributions: Sequence[Contribution], sent: ArrayRecord, made: ArrayRecord
    ) -> None:
        """These have made the global model of a round of the one that was sent, in place of its training."""


class Merging:
    """Of one run, in its thread."""

    def __init__(self, grid: Grid, strategy: RoundStrategy, book: MeshBook, *, takes_sums: bool) -> None:
        """`takes_sums`: whether the mean of the updates is all that the strategy needs of them."""
        self._grid = grid
        self._strategy = strategy
        self._book = book
        self._takes_sums = takes_sums
        self._refused: set[int] = set()

    def config(self, server_round: int) -> ConfigRecord:
        """What goes with a global model in a round."""
        merged = list(self._book.merged_before(server_round))[-MAX_NAMED:]
        return ConfigRecord({GENERATION: self._book.generation, **({MERGED: merged} if merged else {})})

    def merge(self, arrays: ArrayRecord, server_round: int) -> ArrayRecord | None:
        """The next global model; None: no client has anything for it, and the round is to be trained."""
        waiting = self._waiting(server_round)
        if not waiting:
            return None
        contributions = self._usable(self._ask(waiting, arrays, server_round), server_round - 1)
        if not contributions:
            return None
        if (minimum := self._strategy.minimum_updates) > len(contributions):
            words = f"the strategy needs {minimum} updates, and {len(contributions)} came from the mesh"
            self._leave_out(contributions, words)
            return None
        return self._fold(contributions, arrays, server_round)

    def _waiting(self, server_round: int) -> dict[int, int]:
        """By the nodes that are to be asked: the number of what they have."""
        waiting = self._book.waiting()
        if not waiting:
            return {}
        done = {*self._refused, *self._book.merged_before(server_round)}
        nodes = self._grid.get_node_ids()
        return {node: waiting[node] for node in nodes if node in waiting and waiting[node] not in done}

    def _ask(self, waiting: Mapping[int, int], arrays: ArrayRecord, server_round: int) -> list[Contribution]:
        config = ConfigRecord({"server-round": server_round, **self.config(server_round)})
        content = RecordDict({"arrays": arrays, "config": config})
        messages = [Message(content, node, MESH_UPDATE, group_id=str(server_round)) for node in waiting]
        contributions: dict[int, Contribution] = {}
        for reply in self._grid.send_and_receive(messages):
            if reply.has_error():
                log.warning("no contribution from the mesh: %s", error_line(reply.error.reason))
                if not is_unavailable(reply):  # who is lost keeps it, and is asked again
                    self._refused.add(waiting[reply.metadata.src_node_id])
                continue
            try:
                contribution = self._book.contribution(reply)
            except ReplyInvalid as error:
                log.warning("a contribution from the mesh cannot be used: %s", error)
            else:
                contributions[contribution.node_id] = contribution
        # in their order, whoever was first: the mean depends on it in its last bits
        return [contributions[node] for node in waiting if node in contributions]

    def _usable(self, contributions: Sequence[Contribution], done: int) -> list[Contribution]:
        total = self._book.samples(contributions)
        usable = []
        for contribution in contributions:
            branch = self._branch(contribution)
            reason = rule.objection(branch, lambda base: self._book.since(base, done), total)
            if reason is None:
                usable.append(contribution)
            else:
                self._leave_out([contribution], _REFUSED[reason])
        return usable

    def _branch(self, contribution: Contribution) -> rule.Contribution:
        metrics = contribution.metrics
        return rule.Contribution(
            base=Base(self._book.run, metrics.generation, metrics.base_round, b""),
            model=_weights(contribution.arrays),
            mass=metrics.mass,
            steps=metrics.steps,
            mesh_rounds=metrics.mesh_rounds,
        )

    def _leave_out(self, contributions: Sequence[Contribution], words: str) -> None:
        """Contributions that are not asked for again."""
        for contribution in contributions:
            self._refused.add(contribution.metrics.contribution)
            log.warning("a contribution from the mesh is left out: %s", words)

    def _fold(
        self, contributions: Sequence[Contribution], arrays: ArrayRecord, server_round: int
    ) -> ArrayRecord | None:
        fold = self._strategy.begin(server_round, arrays)
        taken: list[Contribution] = []
        if self._takes_sums:
            fold.add(Update(SUM, self._merged(contributions, arrays, server_round), _of_all(contributions)))
            taken.extend(contributions)
        else:
            for contribution in contributions:
                merged = self._merged([contribution], arrays, server_round)
                try:
                    fold.add(Update(contribution.node_id, merged, _of_all([contribution])))
                except ReplyInvalid as error:
                    self._leave_out([contribution], str(error))
                else:
                    taken.append(contribution)
        if len(taken) < max(self._strategy.minimum_updates, 1):
            return None
        for contribution in taken:
            self._book.folded(contribution)
        made = fold.finish()
        self._book.merged(server_round, taken, arrays, made)
        return made

    def _merged(
        self, contributions: Sequence[Contribution], arrays: ArrayRecord, server_round: int
    ) -> ArrayRecord:
        """What the rule makes of these branches and the server's own."""
        merged = rule.merge(
            _weights(arrays),
            [self._branch(contribution) for contribution in contributions],
            lambda base: self._book.since(base, server_round - 1),
        )
        return ArrayRecord(
            {
                name: to_array(merged.model[name], array) if name in merged.model else array
                for name, array in arrays.items()
            }
        )


def _weights(arrays: ArrayRecord) -> dict[str, NDArray[np.floating]]:
    """The arrays of real numbers; counters are as they were."""
    return {name: array.numpy() for name, array in floating(arrays).items()}


def _of_all(contributions: Sequence[Contribution]) -> TrainMetrics:
    """How the training behind them went, as that of one client."""
    told = [contribution.metrics for contribution in contributions]
    losses = [(metrics.train_loss, metrics.mass) for metrics in told if metrics.train_loss is not None]
    loss = sum(loss * mass for loss, mass in losses) / (sum(mass for _, mass in losses) or 1.0)
    return TrainMetrics(
        num_examples=max(round(sum(metrics.mass for metrics in told)), 1),
        train_loss=loss,  # 0 in a private run, where strategies that look at it are refused
        duration_s=max(metrics.duration_s for metrics in told),
    )


def config_of(merging: Merging | None, server_round: int) -> ConfigRecord:
    """What clients are told beside the model, if they may go on without the server."""
    return ConfigRecord() if merging is None else merging.config(server_round)
