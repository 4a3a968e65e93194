"""A member that learns together with real nodes and sends them what is no model of the run: it is refused,
and they learn on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from mesh.agreement import Agreement
from mesh.learning.arrays import Arrays, decoded, digest_of, encoded, is_finite
from mesh.learning.proposal import AgreedRun
from mesh.learning.transfers import Outcome
from mesh.running import NodeSettings, running_node
from mesh.trust.invitation import MeshInvitation
from shared.names import DatasetName, ModelName
from shared.run_spec import RunSpec
from shared.security.key_id import KeyId
from tests.support.hostile_member import Victim
from tests.support.mesh_crew import pair, seen_by, wait_until_they_see
from tests.support.mesh_gossip import Rogue
from tests.support.mesh_learners import accuracy_of, initial_model
from tests.support.mesh_network import until
from tests.support.mesh_nodes import MeshNode
from tests.support.paced_node import allow, model_file
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(300)

PACED = "-m tests.support.paced_node"
ROUNDS = 6
SPEC = ("--dataset", "digits", "--model", "linear", "--rounds", str(ROUNDS), "--min-nodes", "3", "--iid")


@dataclass
class Accomplice:
    """As `mesh.agreement.Site`: takes part in whatever is proposed, and only tells what was agreed on."""

    agreed: asyncio.Future[AgreedRun] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def initial_model(self, spec: RunSpec) -> bytes:
        """As Site has it."""
        return digest_of(initial_model(spec))

    def objection(self, proposer: KeyId, run: str, spec: RunSpec, members: int) -> str | None:
        """As Site has it."""
        return None

    async def carry_out(self, agreed: AgreedRun) -> None:
        """As Site has it."""
        self.agreed.set_result(agreed)


@dataclass(frozen=True)
class Met:
    """A hostile learner in a run of two honest nodes."""

    ana: Victim
    rogue: Rogue
    agreed: AgreedRun

    async def send(self, model: Arrays | bytes, **changed: object) -> Outcome:
        """What Ana says became of a share of it."""
        base = {"base": self.agreed.base, **changed}
        return await self.rogue.send(self.ana.id, model, **base)  # type: ignore[arg-type]


def poisoned(good: Arrays) -> dict[Outcome, Arrays | bytes]:
    """What is no model of the run, by why it is refused."""
    first = next(iter(good))
    return {
        Outcome.NOT_FINITE: {name: np.full_like(values, np.nan) for name, values in good.items()},
        Outcome.NORM: {name: np.full_like(values, 1e6) for name, values in good.items()},
        Outcome.ARRAYS: {("x" * len(name) if name == first else name): good[name] for name in good},
        Outcome.SIZE: {**good, "more": np.ones(1, np.float32)},
        Outcome.UNREADABLE: b"cos\nsystem\n(S'true'\ntR.".ljust(len(encoded(good)), b"."),
    }


def test_poisoned_models_are_refused_and_the_others_learn_on(tmp_path: Path, ending: ExitStack) -> None:
    honest = [MeshNode(name, tmp_path / name, script=PACED) for name in ("ana", "ben")]
    for node in honest:
        ending.callback(node.end)
    pair(honest)
    wait_until_they_see(honest, honest)

    asyncio.run(_attack(honest, tmp_path / "mallory", ending))

    for node in honest:
        assert "Traceback" not in node.output
        [kept] = (node.home / "mesh" / node.called / "models").iterdir()
        model = decoded(kept.read_bytes())
        assert is_finite(model)
        assert accuracy_of(RunSpec(dataset=DatasetName.DIGITS, model=ModelName.LINEAR), model) > 0.8


async def _attack(honest: Sequence[MeshNode], home: Path, ending: ExitStack) -> None:
    """While both are in their first training, and in one in the middle of the run."""
    ana, ben = honest
    async with running_node(NodeSettings("mallory", home, host="127.0.0.1")) as mallory:
        for node in honest:
            invitation = await asyncio.to_thread(node.invite)
            await mallory.pairing.join(MeshInvitation.parse(invitation))
        everybody = {"ana", "ben", "mallory"}
        await until(lambda: seen_by(ana) | {"ana"} == everybody == seen_by(ben) | {"ben"}, "all are there")
        site = Accomplice()
        agreement = Agreement(mallory.network, site)
        agreement.open()
        run = ana.start_command("run", *SPEC)
        ending.callback(run.end)
        met = Met(Victim(ana), Rogue(mallory.network), await asyncio.wait_for(site.agreed, 60.0))
        await until(lambda: met.ana.id in met.rogue.sessions, "Ana has told that she takes part")
        met.rogue.join(met.agreed.base)
        for last in (ROUNDS // 2, ROUNDS):
            await _send_poison(met)
            for node in honest:
                allow(node.home, last)
            for node in honest:
                await asyncio.to_thread(_wait_for_model, node, last)
        assert await asyncio.to_thread(run.wait_for_exit, 120.0) == 0, run
        await agreement.close()


def _wait_for_model(node: MeshNode, mesh_round: int) -> None:
    wait_until(model_file(node.home, mesh_round).exists, f"{node} has done its rounds", 120.0)


async def _send_poison(met: Met) -> None:
    """Each for its reason, and what is a model of another run, or has more mass than there is."""
    good = initial_model(met.agreed.spec)
    for why, model in poisoned(good).items():
        assert await met.send(model) is why
    assert await met.send(good, base=replace(met.agreed.base, digest=bytes(32))) is Outcome.OTHER_BASE
    assert await met.send(good, mass=1e6) is Outcome.MASS
