"""Episode: one time of learning without the server, from one global model."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from client.offline.memory import Learned
from client.offline.rounds import MeshRounds
from client.offline.runtime_trainer import RuntimeTrainer
from client.offline.signed_model import SignedModel
from mesh.gossip import Gossip, GossipSettings, MeshRound
from mesh.gossip import Learned as Outcome
from mesh.learning.base import Base
from mesh.learning.merge import Contribution
from mesh.learning.trainer import Trainer
from mesh.node import Mesh
from shared.errors import Cancelled, FedLoomError
from shared.mesh_contribution import MAX_NUMBER
from shared.mesh_progress import MeshProgress

log = logging.getLogger(__name__)


class ClientTrainer(Trainer, Protocol):
    """The trainer of one place in a run; and what its trainings have spent of the data's privacy."""

    @property
    def epsilon(self) -> float | None:
        """In all; None: nothing is accounted for."""

    @property
    def epsilon_of_run(self) -> float | None:
        """In this run."""


@dataclass(frozen=True)
class Progress:
    """What this client has learned so far, under a number at random: from which base, in how many rounds."""

    number: int
    base: Base
    rounds: int


class Episode:
    """In the event loop."""

    def __init__(
        self,
        mesh: Mesh,
        model: SignedModel,
        before: Contribution | None,
        trainer: ClientTrainer,
        queue: Callable[[Callable[[], None]], None],
        settings: GossipSettings | None,
        on_round: Callable[[MeshProgress], None],
        gone: MeshRounds,
    ) -> None:
        """`before`: what was learned from the same model in earlier times. `queue`: as RuntimeTrainer has it.
        `gone`: where its rounds are kept for people to see.

        Raises ModelInvalid for a model that cannot be averaged.
        """
        self.model = model
        self._number = secrets.randbelow(MAX_NUMBER) + 1
        self._before = before
        self._trainer = trainer
        self._in_runtime = RuntimeTrainer(trainer, queue)
        self._on_round = on_round
        self._gone = gone
        self._rounds = 0
        self._loss: float | None = None
        self._task: asyncio.Task[Outcome] | None = None
        self._gossip = Gossip(
            mesh,
            self._in_runtime,
            model.base,
            model.weights() if before is None else before.model,
            settings,
            on_round=self._round_done,
        )

    @property
    def progress(self) -> Progress | None:
        """So far; None: nothing."""
        return Progress(self._number, self.model.base, self._rounds) if self._rounds else None

    def start(self, rounds: int, ended: Callable[[Learned | None], None]) -> None:
        """Learn for so many rounds; `ended` is called with what has come of it."""
        self._task = asyncio.get_running_loop().create_task(self._gossip.run(rounds))
        self._task.add_done_callback(lambda task: ended(self._outcome(task)))

    def stop(self) -> None:
        """End in order."""
        self._in_runtime.give_up()
        self._gossip.stop()

    async def give_up(self) -> None:
        """End at once: the client ends."""
        self._in_runtime.give_up()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _round_done(self, done: MeshRound) -> None:
        self._rounds = done.mesh_round
        self._loss = done.loss if done.loss is not None else self._loss
        accuracy = None if done.evaluated is None else done.evaluated.accuracy
        log.info(
            "mesh round %d: averaged with %d of %d peers%s%s%s",
            done.mesh_round,
            len(set(done.averaged_with)),
            done.peers,
            "" if accuracy is None else f", accuracy {accuracy:.4f}",
            "" if done.divergence is None else f", divergence {done.divergence:.1e}",
            f", clipped {done.clipped} models" if done.clipped else "",
        )
        base = self.model.base
        self._gone.add(base, 0 if self._before is None else self._before.mesh_rounds, done)
        self._on_round(
            MeshProgress(run=base.run, base_round=base.round, rounds=self._rounds, accuracy=accuracy)
        )

    def _outcome(self, task: asyncio.Task[Outcome]) -> Learned | None:
        """What is to be contributed; None: nothing was learned."""
        if task.cancelled() or isinstance(error := task.exception(), Cancelled):
            return None
        if error is not None:
            is_known = isinstance(error, FedLoomError)
            log.error("the learning over the mesh has ended: %s", error, exc_info=None if is_known else error)
            return None
        outcome = task.result()
        if outcome.failure is not None:
            log.error("the learning over the mesh has ended: %s", outcome.failure)
        contribution = outcome.contribution
        if not contribution.mesh_rounds or contribution.steps <= 0 or contribution.mass <= 0:
            return None
        if (before := self._before) is not None:
            contribution = replace(
                contribution,
                steps=contribution.steps + before.steps,
                mesh_rounds=contribution.mesh_rounds + before.mesh_rounds,
            )
        log.info("has learned in %d mesh rounds without the server", contribution.mesh_rounds)
        return Learned(
            self._number,
            contribution,
            self._in_runtime.known_samples,
            self._loss,
            self._trainer.epsilon,
            self._trainer.epsilon_of_run,
        )
