"""BuiltInRun: a run of the built-in ServerApp, which is saved each round and can go on after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flwr.app import ArrayRecord, Context, Message, UserConfig
from numpy.typing import NDArray

from app.federation.grid.instruction import Instruction
from app.federation.rounds import server_app
from app.federation.rounds.built_in_replies import check_reply
from app.federation.rounds.server_app import ResumePoint
from app.federation.runs.active import ActiveRun, Services
from app.federation.runs.tracker import read_built_in
from app.federation.strategies import build_strategy
from app.records import Run, WaitingFor, WaitKind
from app.store.checkpoints import best_round
from shared.datasets import dataset_info
from shared.training import EvalResult

BESIDE_THE_MODEL = 256 << 10
"""Bytes in a reply that are not the model, or in one that has none: a few numbers, or a traceback."""

FLUSH_S = 10.0
"""How long a database that keeps nothing may hold a run up."""


class BuiltInRun(ActiveRun):
    """It is the built-in ServerApp's RunCallbacks: results go to the tracker, models into checkpoints."""

    def __init__(self, run: Run, services: Services) -> None:
        super().__init__(run, services, read_built_in)
        self._changes = 0
        self._secret = services.store.secret(run.id)
        self._minimum_updates = build_strategy(run.spec, self._secret).minimum_updates

    # ActiveRun

    def run_config(self) -> UserConfig:
        """The spec, as the built-in apps take it."""
        return self.spec.to_run_config()

    def call_server_app(self, context: Context) -> None:
        """Carry out the run."""
        self._book.update(self.run_id, classes=dataset_info(self.spec.dataset).class_names)
        self.waits(WaitingFor(kind=WaitKind.DATA), self.spec.dataset)
        server_app.build(self, self._secret)(self.grid, context)

    def check(self, instruction: Instruction, reply: Message) -> None:
        """The reply must be sane, and an update must fit the model."""
        check_reply(instruction, reply)

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """A model like the one that was sent; one of wider numbers is still taken, and refused in words."""
        return 2 * sent_bytes + BESIDE_THE_MODEL

    def required(self, kind: str, asked: int) -> int:
        """A round needs updates; it can do without the clients' own evaluation."""
        if kind != "train":
            return 0
        return min(max(self.spec.required_replies(asked), self._minimum_updates), asked)

    def can_start_over(self, kind: str) -> bool:
        """A round of training can be tried again with whoever is there."""
        return kind == "train" and self.has_enough_clients()

    # app.federation.rounds.server_app.RunCallbacks

    def resume_point(self) -> ResumePoint | None:
        """The newest checkpoint; the clients have evaluated it if its round was over."""
        checkpoint = self._services.checkpoints.newest(self.run_id)
        if checkpoint is None:
            return None
        rounds = {round_.round: round_ for round_ in self._book.rounds(self.run_id)}
        cut = rounds.get(checkpoint.round)
        if cut is not None:
            self.tracker.reopen(cut)
        self._log.info("run %s goes on after round %d", self.run_id, checkpoint.round)
        return ResumePoint(
            round=checkpoint.round,
            arrays=checkpoint.arrays,
            state=checkpoint.state,
            evaluated=cut is not None and cut.complete,
        )

    def prepared(self) -> None:
        """The data is there."""
        self.tracker.begin(0)
        self.waits(WaitingFor(kind=WaitKind.MODEL))

    def breathe(self) -> None:
        """Hear of a stop or a pause while the server computes."""
        self.grid.breathe()

    def before_round(self, server_round: int) -> None:
        """Wait until enough clients are there."""
        self.tracker.start_over()
        self.wait_for_clients()
        self._changes = self.grid.changes

    def short_of_updates(self, server_round: int, reason: str) -> None:
        """Wait until a client comes or goes, or until somebody says to try again."""
        self.waits(WaitingFor(kind=WaitKind.RETRY), reason)
        self.grid.wait_for_change(self._changes)

    def aggregated(self, server_round: int, arrays: ArrayRecord, state: Mapping[str, NDArray[Any]]) -> None:
        """Save all that it takes to go on from here.

        First what the round has come to so far: nobody would compute it again once its checkpoint exists.
        """
        self._services.writer.flush(FLUSH_S)
        self._services.checkpoints.save(
            self.run_id,
            server_round,
            arrays,
            state,
            {"model": str(self.spec.model), "dataset": str(self.spec.dataset)},
        )

    def evaluated(self, server_round: int, result: EvalResult) -> None:
        """The global model was evaluated."""
        self.tracker.evaluated(server_round, result)

    def finished(self, server_round: int) -> None:
        """The round is over; old checkpoints go."""
        self.tracker.finished(server_round)
        best = best_round(self._book.rounds(self.run_id))
        self._services.checkpoints.prune(self.run_id, self.spec.keep_checkpoints, best)
