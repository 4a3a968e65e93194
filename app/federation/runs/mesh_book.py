"""RunMeshBook: what the server keeps of a run in the mesh: its generations, and what was merged."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence

from flwr.app import ArrayRecord, Message

from app.federation.link.clients import ClientRegistry
from app.federation.rounds.built_in_replies import BuiltInReplies
from app.federation.rounds.merging import Contribution
from app.federation.runs import words
from app.federation.runs.accounts import Accounts
from app.federation.runs.services import Services
from app.records import ClientState, MeshMerge, Run, RunGeneration, RunMesh
from mesh.learning.base import Base
from mesh.learning.merge import Progress
from shared.flower import node_id_of
from shared.mesh_contribution import ContributionMetrics, common_round, generation_after

GONE = "a client that has left"
"""Stands for the name of an ephemeral one that was forgotten meanwhile."""


class RunMeshBook:
    """Of one run. As `app.federation.rounds.merging.MeshBook` has it."""

    def __init__(self, run: Run, replies: BuiltInReplies, accounts: Accounts, services: Services) -> None:
        self._run_id = run.id
        self._spec = run.spec
        self._replies = replies
        self._accounts = accounts
        self._book = services.book
        self._registry: ClientRegistry = services.registry
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run.id})

    def begin(self, done: int) -> None:
        """This server takes the run up after a round. What was merged for later ones was not kept there."""
        before = self._kept
        merges = tuple(merge for merge in before.merges if merge.round <= done)
        newest = before.generations[-1].number if before.generations else 0
        turn = RunGeneration(number=generation_after(newest), began=done)
        self._keep(RunMesh(generations=(*before.generations, turn), merges=merges))

    @property
    def run(self) -> str:
        """As MeshBook has it."""
        return self._run_id

    @property
    def generation(self) -> int:
        """As MeshBook has it."""
        return self._kept.generations[-1].number

    def waiting(self) -> Mapping[int, int]:
        """As MeshBook has it."""
        return {
            node_id_of(client.id): progress.contribution
            for client in self._registry.snapshot()
            if client.state is not ClientState.LOST
            and client.mesh is not None
            and (progress := client.mesh.progress) is not None
            and progress.run_id == self._run_id
        }

    def merged_before(self, server_round: int) -> Sequence[int]:
        """As MeshBook has it."""
        return [
            number
            for merge in self._kept.merges
            if merge.round < server_round
            for number in merge.contributions
        ]

    def contribution(self, reply: Message) -> Contribution:
        """As MeshBook has it."""
        return self._replies.contribution(reply)

    def since(self, base: Base, done: int) -> Progress | None:
        """As MeshBook has it, by the rounds that were kept."""
        numbers = [generation.number for generation in self._kept.generations]
        if base.run != self._run_id or base.generation not in numbers:
            return None
        later = self._kept.generations[numbers.index(base.generation) + 1 :]
        common = common_round(base.round, [generation.began for generation in later])
        if common > done:
            return None
        rounds = [round_ for round_ in self._book.rounds(self._run_id) if common < round_.round <= done]
        samples = [part.samples for round_ in rounds for part in round_.per_client.values() if part.samples]
        if not samples:
            return Progress(rounds=done - common)
        batches = math.ceil(sum(samples) / len(samples) / self._spec.batch_size)
        return Progress(
            rounds=done - common,
            samples=sum(samples) / len(rounds),
            steps=float((done - common) * self._spec.local_epochs * batches),
        )

    def samples(self, contributions: Sequence[Contribution]) -> float:
        """As MeshBook has it. Clients that have not said how many they have may have as many as any other."""
        known: dict[int, int] = {}
        for round_ in self._book.rounds(self._run_id):
            for name, part in round_.per_client.items():
                known[node_id_of(name)] = part.samples or known.get(node_id_of(name), 0)
        known |= {each.node_id: each.metrics.num_examples for each in contributions}
        said = [samples for samples in known.values() if samples]
        members = known.keys() | {node_id_of(name) for name in self._book.run(self._run_id).clients}
        return float(sum(said) + (len(members) - len(said)) * max(said, default=0))

    def folded(self, contribution: Contribution) -> None:
        """As MeshBook has it."""
        self._accounts.folded(contribution.node_id, contribution.metrics.num_examples)

    def merged(
        self, server_round: int, contributions: Sequence[Contribution], sent: ArrayRecord, made: ArrayRecord
    ) -> None:
        """As MeshBook has it. It is on the disk before the checkpoint, with all else that the round has come
        to (`SavedRounds.aggregated`)."""
        told = [contribution.metrics for contribution in contributions]
        self._accounts.merged(server_round, sent, made, told)
        names = {node_id_of(client.id): client.id for client in self._registry.snapshot()}
        merge = MeshMerge(
            round=server_round,
            since=min(self._common_round(metrics, server_round - 1) for metrics in told),
            mesh_rounds=max(metrics.mesh_rounds for metrics in told),
            clients=tuple(names.get(each.node_id, GONE) for each in contributions),
            contributions=tuple(metrics.contribution for metrics in told),
        )
        self._keep(self._kept.changed(merges=(*self._kept.merges, merge)))
        self._log.info("%s", words.merged(merge))

    def _common_round(self, metrics: ContributionMetrics, done: int) -> int:
        """The newest round that the run as it is and a contribution that was not refused have in common."""
        progress = self.since(Base(self._run_id, metrics.generation, metrics.base_round, b""), done)
        return done if progress is None else done - progress.rounds

    @property
    def _kept(self) -> RunMesh:
        return self._book.run(self._run_id).mesh or RunMesh()

    def _keep(self, mesh: RunMesh) -> None:
        self._book.update(self._run_id, mesh=mesh)
