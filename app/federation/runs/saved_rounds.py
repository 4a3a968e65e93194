"""SavedRounds: the rounds of a built-in run as they happen: shown, saved, and taken up again after a cut."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from flwr.app import ArrayRecord, Message
from numpy.typing import NDArray

from app.federation.rounds.built_in_replies import BuiltInReplies
from app.federation.rounds.callbacks import ResumePoint
from app.federation.rounds.merging import MeshBook
from app.federation.runs import words
from app.federation.runs.accounts import Accounts
from app.federation.runs.kind import RunParts
from app.federation.runs.mesh_book import RunMeshBook
from app.federation.runs.services import Services
from app.federation.strategies.base import Update
from app.records import PrivacySpent, Run, WaitingFor, WaitKind
from app.store.checkpoints import best_round
from shared.mesh_contribution import objection
from shared.secagg.packing import Summed
from shared.training import EvalResult

FLUSH_S = 10.0
"""How long a database that keeps nothing may hold a run up."""


class SavedRounds:
    """The built-in ServerApp's RunCallbacks: results go to the tracker, models into checkpoints."""

    def __init__(
        self, run: Run, parts: RunParts, replies: BuiltInReplies, accounts: Accounts, services: Services
    ) -> None:
        self._run_id = run.id
        self._accounts = accounts
        self._spec = run.spec
        self._parts = parts
        self._replies = replies
        self._book = services.book
        self._writer = services.writer
        self._checkpoints = services.checkpoints
        learns_without = objection(run.spec) is None
        self._mesh = RunMeshBook(run, replies, accounts, services) if learns_without else None
        self._changes = 0
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run.id})

    def resume_point(self) -> ResumePoint | None:
        """The newest checkpoint; the clients have evaluated it if its round was over."""
        checkpoint = self._checkpoints.newest(self._run_id)
        if self._mesh is not None:
            self._mesh.begin(0 if checkpoint is None else checkpoint.round)
            self._writer.flush(FLUSH_S)  # no two servers' models are of one generation
        if checkpoint is None:
            return None
        rounds = {round_.round: round_ for round_ in self._book.rounds(self._run_id)}
        cut = rounds.get(checkpoint.round)
        if cut is not None:
            self._parts.tracker.reopen(cut)
        self._log.info("run %s goes on after round %d", self._run_id, checkpoint.round)
        return ResumePoint(
            round=checkpoint.round,
            arrays=checkpoint.arrays,
            state=checkpoint.state,
            evaluated=cut is not None and cut.complete,
        )

    def mesh(self) -> MeshBook | None:
        """As the run's settings have it."""
        return self._mesh

    def prepared(self) -> None:
        """The data is there."""
        self._parts.tracker.begin(0)
        self._parts.shown.waits(WaitingFor(kind=WaitKind.MODEL))

    def breathe(self) -> None:
        """Hear of a stop or a pause while the server computes."""
        self._parts.grid.breathe()

    def before_round(self, server_round: int) -> None:
        """Wait until enough clients are there; or end here, if the server is to end."""
        if self._parts.no_further_round.is_set():
            self._parts.grid.stop(words.SHUT_DOWN, interrupts=True)
            self._parts.grid.breathe()
        self._parts.tracker.start_over()
        self._replies.forget()
        self._accounts.begin()
        self._parts.wait_for_clients()
        self._changes = self._parts.grid.changes

    def update(self, reply: Message) -> Update:
        """As it was read when it came in."""
        return self._replies.update(reply)

    def folded(self, update: Update) -> None:
        """Its place counts, for who recomputes the round."""
        self._accounts.folded(update.node_id, update.metrics.num_examples)

    def summed(self, server_round: int, nodes: Iterable[int], summed: Summed) -> None:
        """Whose updates are in a sum is known, and nothing else of them."""
        for node in nodes:
            self._accounts.folded(node, None)
        self._parts.tracker.summed(summed)

    def releases(self) -> int:
        """As the store has it, which outlasts checkpoints.

        A run that was cut before this was counted has paid at least once for each round that it began.
        """
        run = self._book.run(self._run_id)
        counted = None if run.privacy is None else run.privacy.releases
        return run.round if counted is None else counted

    def spent(self, privacy: PrivacySpent) -> None:
        """On the disk when this returns: the same number never stands for two models that somebody saw."""
        self._parts.tracker.spent(privacy.epsilon)
        self._book.update(self._run_id, privacy=privacy)
        self._writer.flush(FLUSH_S)

    def made(self, server_round: int, sent: ArrayRecord, arrays: ArrayRecord) -> None:
        """Enter it, so that it is kept with what the round has come to."""
        self._accounts.aggregated(server_round, sent, arrays)

    def short_of_updates(self, server_round: int, reason: str) -> None:
        """Wait until a client comes or goes, or until somebody says to try again."""
        self._parts.shown.waits(WaitingFor(kind=WaitKind.RETRY), reason)
        self._parts.grid.wait_for_change(self._changes)

    def aggregated(self, server_round: int, arrays: ArrayRecord, state: Mapping[str, NDArray[Any]]) -> None:
        """Save all that it takes to go on from here.

        First what the round has come to so far: nobody would compute it again once its checkpoint exists.
        """
        self._writer.flush(FLUSH_S)
        self._checkpoints.save(
            self._run_id,
            server_round,
            arrays,
            state,
            {"model": str(self._spec.model), "dataset": str(self._spec.dataset)},
            self._accounts.digest(arrays),
        )

    def evaluated(self, server_round: int, result: EvalResult) -> None:
        """The global model was evaluated."""
        self._parts.tracker.evaluated(server_round, result)

    def finished(self, server_round: int) -> None:
        """The round is over; old checkpoints go."""
        self._parts.tracker.finished(server_round)
        best = best_round(self._book.rounds(self._run_id))
        self._checkpoints.prune(self._run_id, self._spec.keep_checkpoints, best)
