"""Real learners learn digits together over real sockets, without a server; one of them dies in the middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mesh.gossip import Gossip, GossipSettings, MeshRound
from mesh.holder import Patience
from mesh.learning.base import Base
from shared.run_spec import RunSpec
from tests.support.mesh_learners import accuracy_of, initial_model, learner_trainer
from tests.support.mesh_network import running_nodes, until
from tests.support.mesh_world import line

SPEC = RunSpec(seed=3)
BASE = Base("run", 1, 0, bytes(32))
SETTINGS = GossipSettings(patience_s=8.0, patience=Patience(answer_s=2.0, settle_s=30.0))


@pytest.mark.timeout(600)
def test_four_learners_in_a_line_go_on_when_one_dies(tmp_path: Path) -> None:
    async def scenario() -> None:
        rounds: list[list[MeshRound]] = [[], [], [], []]
        async with running_nodes(tmp_path, 4, line(4)) as nodes:
            await nodes.all_there()
            running = {
                number: asyncio.create_task(
                    Gossip(
                        nodes[number],
                        learner_trainer(SPEC, number, 4),
                        BASE,
                        initial_model(SPEC),
                        SETTINGS,
                        on_round=rounds[number].append,
                    ).run(10, mixing_rounds=6, finish_s=60)
                )
                for number in range(4)
            }
            await until(lambda: len(rounds[3]) >= 4, "the last has done four rounds", 120)
            running.pop(3).cancel()
            await nodes.stop(3)
            outcomes = [await task for task in running.values()]

        models = [outcome.contribution.model for outcome in outcomes]
        assert all(outcome.failure is None for outcome in outcomes)
        assert all(outcome.contribution.mesh_rounds == 16 for outcome in outcomes)
        assert any(done.averaged_with for done in rounds[0]), "the ends of the line are three hops apart"
        assert all(accuracy_of(SPEC, model) > 0.85 for model in models)
        last = rounds[0][-1].divergence
        first = max(done.divergence or 0 for done in rounds[0][:4])
        assert last is not None
        assert last < 0.1 * first
        held = sum(outcome.contribution.mass for outcome in outcomes)
        lost = sum(outcome.lost_mass for outcome in outcomes)
        assert held + lost <= _all_samples() * (1 + 1e-6)

    asyncio.run(scenario())


def _all_samples() -> int:
    return sum(learner_trainer(SPEC, number, 4).samples() for number in range(4))
