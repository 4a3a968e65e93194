"""What a site's policy says of a run that another node proposes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from client.learner import Site
from client.mesh_runs import MeshRuns, MeshSite
from client.site.policy import Policy
from mesh.gossip import GossipSettings
from mesh.holder import Patience
from mesh.learning.arrays import distance, norm
from mesh.learning.proposal import AgreedRun, in_order
from mesh.learning.transfers import Outcome
from shared import paths
from shared.errors import FedLoomError
from shared.run_spec import RunSpec
from tests.support.in_loop import in_loop
from tests.support.mesh_gossip import Rogue, until
from tests.support.mesh_in_memory import MemoryNetwork, key_of
from tests.support.mesh_learners import initial_model

PLAIN = RunSpec.model_validate({"dataset": "synthetic", "model": "linear", "num_rounds": 2})
PRIVATE = PLAIN.with_changes(dp={"noise_multiplier": 1.0})
QUICK = GossipSettings(patience_s=0.1, patience=Patience(answer_s=0.1, settle_s=1.0))


def runs(folder: Path, policy: str = "{}") -> MeshRuns:
    site = MeshSite(
        Site(paths.data_dir(), device="cpu"), Policy.model_validate_json(policy), folder, "client", folder
    )
    return MeshRuns(MemoryNetwork().node("a"), site, QUICK)


@pytest.mark.parametrize(
    ("policy", "spec", "rule"),
    [
        ("{}", PLAIN, None),
        ('{"mesh": "off"}', PRIVATE, "mesh = off"),
        ('{"mesh": "dp-only"}', PLAIN, "mesh = dp-only"),
        ('{"mesh": "dp-only"}', PRIVATE, None),
        ('{"minimum_cohort": 4}', PLAIN, "minimum_cohort"),
        ('{"minimum_cohort": 3}', PLAIN, None),
        ('{"models": ["cnn"]}', PLAIN, "models"),
        ('{"require": ["dp"]}', PLAIN, "require"),
        ('{"privacy_budget": 1.0}', PLAIN, "privacy_budget"),
        ('{"privacy_budget": 1.0}', PRIVATE, None),
        ('{"confirm": true}', PLAIN, "confirm"),
        ('{"rounds_a_day": 5}', PLAIN, "rounds_a_day"),
    ],
)
def test_the_policy_decides(tmp_path: Path, policy: str, spec: RunSpec, rule: str | None) -> None:
    why = runs(tmp_path, policy).objection(key_of("proposer"), "0" * 16, spec, members=3)
    assert (why is None) if rule is None else (why is not None and why.startswith(rule))


def test_a_site_with_another_data_set_says_so(tmp_path: Path) -> None:
    site = MeshSite(Site(paths.data_dir(), "mnist"), Policy(), tmp_path, "client", tmp_path)
    mnist = MeshRuns(MemoryNetwork().node("a"), site, QUICK)

    why = mnist.objection(key_of("proposer"), "0" * 16, PLAIN, members=3)
    assert why == "its site has the data set mnist alone"
    assert mnist.objection(key_of("proposer"), "0" * 16, PLAIN.with_changes(dataset="mnist"), 3) is None


@pytest.mark.parametrize("radius", [None, 0.2])
@in_loop
async def test_the_clipping_radius_of_the_site_bounds_what_a_poisoned_model_does(
    tmp_path: Path, radius: float | None
) -> None:
    network = MemoryNetwork()
    policy = Policy(mesh_clipping_radius=radius)
    site = MeshRuns(
        network.node("a"),
        MeshSite(Site(paths.data_dir(), device="cpu"), policy, tmp_path, "a", tmp_path),
        QUICK,
    )
    rogue = Rogue(network.node("rogue"), samples=1_000)
    members = in_order({key_of("a"), key_of("rogue")})
    spec = PLAIN.with_changes(num_rounds=1, lr=1e-6)  # its own training moves it by nearly nothing
    agreed = AgreedRun("0" * 16, spec, site.initial_model(spec), members)
    start = initial_model(spec)
    poison = {name: np.full_like(values, norm(start)) for name, values in start.items()}
    poison = {name: values * (8 * norm(start) / norm(poison)) for name, values in poison.items()}

    running = asyncio.create_task(site.carry_out(agreed))
    await until(lambda: key_of("a") in rogue.sessions, "the rogue has heard of the node")
    rogue.join(agreed.base)
    outcome = await rogue.send(key_of("a"), poison, mass=500, base=agreed.base)
    await running

    assert outcome is Outcome.TAKEN
    far = distance(start, load_file(site.model_file(agreed.run))) / norm(start)
    assert far > 0.5 if radius is None else far < radius


@in_loop
async def test_a_node_keeps_the_model_that_it_has_learned(tmp_path: Path) -> None:
    site = runs(tmp_path)
    told: list[int] = []
    site.watch(lambda run, done: told.append(done.mesh_round))
    agreed = AgreedRun("0" * 16, PLAIN, site.initial_model(PLAIN), in_order({key_of("a"), key_of("b")}))
    await site.carry_out(agreed)
    kept = load_file(site.model_file(agreed.run))
    start = initial_model(PLAIN)
    assert {name: values.shape for name, values in kept.items()} == {
        name: values.shape for name, values in start.items()
    }
    assert any((kept[name] != start[name]).any() for name in kept)
    assert told[:2] == [1, 2]
    assert site.model_file(agreed.run).stat().st_mode & 0o077 == 0


@in_loop
async def test_a_spent_budget_ends_the_node_and_says_so(tmp_path: Path) -> None:
    site = runs(tmp_path, '{"privacy_budget": 1e-9}')
    agreed = AgreedRun("0" * 16, PRIVATE, site.initial_model(PRIVATE), (key_of("a"),))
    with pytest.raises(FedLoomError, match="privacy_budget"):
        await site.carry_out(agreed)
