"""MeshRuns: what a site does in runs of the mesh alone, by its policy: trains, evaluates, keeps the model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from client.learner import Learner, Place, Site
from client.ledger.ledger import Ledger
from client.mesh_trainer import LearnerTrainer, model_of
from client.privacy import Privacy, secret_of
from client.site.mesh_runs import mesh_objection
from client.site.policy import Policy
from mesh.commands.run import OnRound
from mesh.gossip import Gossip, GossipSettings, Learned, MeshRound
from mesh.learning.arrays import Arrays, digest_of, encoded
from mesh.learning.proposal import AgreedRun
from mesh.node import Mesh
from shared.errors import FedLoomError
from shared.models import build_model
from shared.names import StrategyName
from shared.run_spec import RunSpec
from shared.security.files import make_private_folder, write_whole
from shared.security.key_id import KeyId
from shared.seeds import derive_seed

FOLDER = "models"
"""In the node's own: the models of runs, by their ids."""

FINISH_S = 120.0
"""How long a node that has done its rounds waits for those who have not."""

MIXING_ROUNDS = 8
"""Rounds of averaging alone, after which the models of 20 nodes differ by less than 1 % of before: that takes
6 to 8."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MeshSite:
    """Where a node trains. `client`: its name; `folder`: its own, for models."""

    site: Site
    policy: Policy
    home: Path
    client: str
    folder: Path


class MeshRuns:
    """Of one node. As `mesh.commands.run.TrainingSite`."""

    def __init__(self, mesh: Mesh, site: MeshSite, settings: GossipSettings | None = None) -> None:
        self.run: AgreedRun | None = None
        """The one in which this node takes part, or did last."""
        self.is_learning = False
        self._watchers: list[OnRound] = []
        self._mesh = mesh
        self._site = site
        self._settings = replace(settings or GossipSettings(), clipping=site.policy.mesh_clipping_radius)
        self._learner = Learner(site.site)

    def initial_model(self, spec: RunSpec) -> bytes:
        """As Site has it."""
        return digest_of(_initial_model(spec.model, spec.dataset, spec.seed))

    def objection(self, proposer: KeyId, run: str, spec: RunSpec, members: int) -> str | None:
        """As Site has it: by the policy, and by what this site has."""
        own = self._site.site.dataset
        if own not in (None, spec.dataset):
            return f"its site has the data set {own} alone"
        return mesh_objection(self._site.policy, str(proposer), run, spec, members)

    def watch(self, on_round: OnRound) -> Callable[[], None]:
        """As TrainingSite has it."""
        self._watchers.append(on_round)
        return lambda: self._watchers.remove(on_round)

    async def carry_out(self, agreed: AgreedRun) -> None:
        """As Site has it. Raises FedLoomError where this node could not go on; its model is kept all the
        same."""
        self.run, self.is_learning = agreed, True
        try:
            await self._learn(agreed)
        finally:
            self.is_learning = False

    async def _learn(self, agreed: AgreedRun) -> None:
        spec = agreed.spec
        place = Place(spec, agreed.part_of(self._mesh.me), len(agreed.members))
        log.info("takes part in run %s: part %d of %d", agreed.run, place.part, place.parts)
        gossip = Gossip(
            self._mesh,
            self._trainer(agreed.run, place),
            agreed.base,
            _initial_model(spec.model, spec.dataset, spec.seed),
            self._settings,
            on_round=partial(self._tell, agreed),
        )
        learned = await gossip.run(spec.num_rounds, finish_s=FINISH_S, mixing_rounds=MIXING_ROUNDS)
        log.info("keeps the model of run %s in %s", agreed.run, self._keep(agreed.run, learned))
        if learned.failure is not None:
            raise learned.failure

    def model_file(self, run: str) -> Path:
        """Where the model of a run is kept."""
        return self._site.folder / FOLDER / f"{run}.safetensors"

    def _trainer(self, run: str, place: Place) -> LearnerTrainer:
        spec, site = place.spec, self._site
        privacy = None
        if spec.dp is not None:
            ledger = Ledger(site.home, spec.dataset, site.client, site.policy.budget_for(spec.dataset))
            privacy = Privacy(secret_of(site.home), run, ledger)
        return LearnerTrainer(
            self._learner,
            place,
            proximal_mu=_proximal_mu(spec),
            privacy=privacy,
            tells_metrics=not spec.is_private or site.policy.metrics_of_private_runs,
        )

    def _tell(self, agreed: AgreedRun, done: MeshRound) -> None:
        accuracy = "" if done.evaluated is None else f", accuracy {done.evaluated.accuracy:.3f}"
        clipped = f", clipped {done.clipped} models" if done.clipped else ""
        log.info(
            "run %s, mesh round %d: %d peers%s%s",
            agreed.run,
            done.mesh_round,
            done.peers,
            accuracy,
            clipped,
        )
        for on_round in tuple(self._watchers):
            on_round(agreed, done)

    def _keep(self, run: str, learned: Learned) -> Path:
        path = self.model_file(run)
        try:
            make_private_folder(path.parent)
            write_whole(path, encoded(learned.contribution.model))
        except OSError as error:
            raise FedLoomError(
                f"The model of run {run} cannot be kept in {path}: {error.strerror or error}."
            ) from error
        return path


@lru_cache(maxsize=1)
def _initial_model(model: str, dataset: str, seed: int) -> Arrays:
    """As a server begins a run with this seed."""
    return model_of(build_model(model, dataset, derive_seed(seed, "model")).state_dict())


def _proximal_mu(spec: RunSpec) -> float:
    """FedProx's, as the server's strategy has it."""
    if spec.strategy is not StrategyName.FEDPROX:
        return 0.0
    return float(spec.strategy_params.get("proximal_mu", 0.1))
