"""Nodes learn together over a mesh that loses, delays and cuts, and each ends in order."""

from __future__ import annotations

import asyncio
import gc
import math
import weakref
from dataclasses import replace

import pytest

from mesh.gossip import GossipSettings, Learned
from mesh.holder import Patience
from mesh.learning.base import Base
from shared.errors import FedLoomError
from tests.support.in_loop import in_loop
from tests.support.mesh_gossip import BASE, QUICK, Crew, optima, until
from tests.support.mesh_in_memory import Faults, MemoryNetwork
from tests.support.mesh_trainers import STEPS, Drawn

Outcomes = dict[str, Learned]


def mass_of(outcomes: Outcomes) -> float:
    return math.fsum(each.contribution.mass for each in outcomes.values())


def values_of(outcomes: Outcomes) -> list[float]:
    return [float(each.contribution.model["w"][0]) for each in outcomes.values()]


@in_loop
async def test_all_end_with_nearly_the_same_model_at_the_mean_of_all_optima_by_samples() -> None:
    trainers = {
        name: Drawn(value, samples, rate=0.3)
        for name, value, samples in (("a", 0.0, 10), ("b", 6.0, 20), ("c", 12.0, 30), ("d", 3.0, 20))
    }
    outcomes = await Crew(MemoryNetwork(), trainers).run(20, mixing_rounds=6, finish_s=30)
    assert mass_of(outcomes) == pytest.approx(80)
    values = values_of(outcomes)
    assert max(values) - min(values) < 0.05
    assert values[0] == pytest.approx((6 * 20 + 12 * 30 + 3 * 20) / 80, abs=1.5)
    for learned in outcomes.values():
        assert learned.failure is None
        assert learned.lost_mass == 0
        assert learned.contribution.base == BASE
        assert learned.contribution.mesh_rounds == 26
        assert learned.contribution.steps == pytest.approx(20 * STEPS, rel=0.1)


@in_loop
async def test_what_a_round_came_to_is_told() -> None:
    trainers = optima(0, 1, 2, 3, 4)
    crew = Crew(MemoryNetwork(), trainers)
    await crew.run_when_met(6, trainers)
    told = crew.rounds["a"]
    assert [each.mesh_round for each in told] == [1, 2, 3, 4, 5, 6]
    keys = {mesh.me for name, mesh in crew.meshes.items() if name != "a"}
    before_the_end = told[:-2]  # then the first leave
    assert all(len(each.sent_to) == 3 and keys.issuperset(each.sent_to) for each in before_the_end)
    assert any(each.averaged_with for each in told)
    assert all((each.divergence is None) == (not each.averaged_with) for each in told)
    assert all(each.peers == 4 for each in before_the_end)
    assert told[-1].evaluated is not None
    assert told[-1].loss is not None
    assert not told[-1].refused


@pytest.mark.parametrize("seed", range(3))
@in_loop
async def test_a_network_that_loses_and_delays_costs_no_mass(seed: int) -> None:
    network = MemoryNetwork(seed, Faults(loss=0.15, unsure=0.15, max_delay_s=0.02))
    settings = replace(QUICK, patience_s=0.5, patience=Patience(answer_s=0.1, settle_s=60))
    trainers = optima(0, 1, 2, 3, 4, 5)
    outcomes = await Crew(network, trainers, settings).run_when_met(6, trainers)
    assert mass_of(outcomes) + math.fsum(each.lost_mass for each in outcomes.values()) <= 60 * (1 + 1e-9)
    assert mass_of(outcomes) == pytest.approx(60)


@in_loop
async def test_who_is_slow_holds_nobody_up_and_comes_in_later() -> None:
    trainers = optima(0, 1, 2, 3)
    trainers["d"].gate.clear()
    crew = Crew(MemoryNetwork(), trainers, replace(QUICK, patience_s=0.3))
    running = {name: asyncio.create_task(node.run(8)) for name, node in crew.nodes.items()}
    fast = {name: await running[name] for name in "abc"}
    assert all(learned.contribution.mesh_rounds == 8 for learned in fast.values())
    assert crew.rounds["d"] == []
    trainers["d"].gate.set()
    late = await running["d"]
    assert late.contribution.mesh_rounds == 8
    assert mass_of(fast) + late.contribution.mass == pytest.approx(40)


@in_loop
async def test_it_ends_on_demand_in_the_middle_of_a_training_with_its_mass_settled() -> None:
    trainers = optima(0, 1, 2, 3)
    crew = Crew(MemoryNetwork(), trainers)
    running = [asyncio.create_task(node.run()) for node in crew.nodes.values()]
    await until(lambda: all(len(told) >= 3 for told in crew.rounds.values()), "all have done three rounds")
    for trainer in trainers.values():
        trainer.gate.clear()
    await until(lambda: all(node._is_training for node in crew.nodes.values()), "all train")
    for node in crew.nodes.values():
        node.stop()
    outcomes = dict(zip(crew.nodes, await asyncio.gather(*running), strict=True))
    assert mass_of(outcomes) == pytest.approx(40)
    for name, learned in outcomes.items():
        assert learned.contribution.mesh_rounds == len(crew.rounds[name]), "the one that was cut counts not"
        assert learned.failure is None


@in_loop
async def test_a_peer_that_dies_takes_its_mass_along_and_the_others_go_on() -> None:
    network = MemoryNetwork(4)
    crew = Crew(network, optima(0, 1, 2, 3, 4), replace(QUICK, patience=Patience(0.1, 5.0, settle_s=0.5)))
    running = {name: asyncio.create_task(node.run(10)) for name, node in crew.nodes.items()}
    await until(lambda: len(crew.rounds["e"]) >= 3, "e has done three rounds")
    network.leave(crew.meshes["e"])
    running.pop("e").cancel()
    outcomes = {name: await task for name, task in running.items()}
    assert all(len(crew.rounds[name]) == 10 for name in "abcd")
    assert 0 < mass_of(outcomes) + sum(each.lost_mass for each in outcomes.values()) <= 50 * (1 + 1e-9)
    assert max(values_of(outcomes)) <= 4


@in_loop
async def test_a_peer_that_starts_anew_is_another_process_and_what_it_held_is_lost_not_doubled() -> None:
    network = MemoryNetwork(2, Faults(max_delay_s=0.01))
    trainers = optima(0, 1, 2)
    crew = Crew(network, trainers, replace(QUICK, patience_s=1.0))
    running = {name: asyncio.create_task(node.run(12)) for name, node in crew.nodes.items()}
    await until(lambda: len(crew.rounds["c"]) >= 2, "c has done two rounds")
    running.pop("c").cancel()
    again = Crew(network, {"c": Drawn(2.0)})
    reborn = await again.nodes["c"].run(4)
    outcomes = {name: await task for name, task in running.items()} | {"c": reborn}
    assert all(len(crew.rounds[name]) == 12 for name in "ab")
    assert reborn.contribution.mesh_rounds == 4
    assert mass_of(outcomes) <= 40 * (1 + 1e-9), "three nodes with 10 samples, one of which entered twice"


@in_loop
async def test_two_halves_learn_on_and_meet_when_the_cut_heals() -> None:
    """Healing, the largest deviation falls below 1 % of that at the end of the cut."""
    network = MemoryNetwork(7)
    trainers = optima(0, 0, 0, 10, 10, 10, rate=0.0)
    for value, trainer in zip((0, 0, 0, 10, 10, 10), trainers.values(), strict=True):
        trainer.optimum, trainer.rate = float(value), 1.0
    crew = Crew(network, trainers)
    left, right = list(crew.meshes.values())[:3], list(crew.meshes.values())[3:]
    network.cut(left, right)
    running = [asyncio.create_task(node.run(24)) for node in crew.nodes.values()]
    await until(lambda: all(len(told) >= 3 for told in crew.rounds.values()), "both halves have learned")
    for trainer in trainers.values():
        trainer.rate = 0.0
    network.heal()
    outcomes = dict(zip(crew.nodes, await asyncio.gather(*running), strict=True))
    values = values_of(outcomes)
    assert max(values) - min(values) < 0.1
    assert values[0] == pytest.approx(5, abs=0.2)
    assert mass_of(outcomes) == pytest.approx(60)


@in_loop
async def test_a_training_that_fails_ends_its_node_in_order_and_no_other() -> None:
    trainers = optima(0, 1, 2)
    trainers["b"].fails_in = 3
    outcomes = await Crew(MemoryNetwork(), trainers).run(6)
    assert isinstance(outcomes["b"].failure, FedLoomError)
    assert outcomes["b"].contribution.mesh_rounds == 2
    assert outcomes["a"].contribution.mesh_rounds == 6
    assert mass_of(outcomes) == pytest.approx(30)


@in_loop
async def test_a_node_alone_learns_on() -> None:
    outcomes = await Crew(MemoryNetwork(), optima(8.0)).run(5)
    assert values_of(outcomes) == pytest.approx([8 * (1 - 0.5**5)])
    assert mass_of(outcomes) == 10


@in_loop
async def test_models_of_another_base_are_not_mixed_and_their_base_is_known() -> None:
    network = MemoryNetwork()
    newer = Base("run", 2, 5, bytes(32))
    crew = Crew(network, optima(0, 0))
    others = Crew(network, {"y": Drawn(100.0), "z": Drawn(100.0)}, base=newer)
    running = asyncio.gather(crew.run(6), others.run(6))
    await until(lambda: len(crew.nodes["a"].other_bases) == 2, "a has heard of the others")
    assert set(crew.nodes["a"].other_bases.values()) == {newer}
    ours, theirs = await running
    assert max(values_of(ours)) == 0
    assert min(values_of(theirs)) > 90


@in_loop
async def test_a_run_that_is_cancelled_leaves_no_thread_training() -> None:
    trainers = optima(1.0)
    trainers["a"].gate.clear()
    crew = Crew(MemoryNetwork(), trainers)
    running = asyncio.create_task(crew.nodes["a"].run())
    await asyncio.to_thread(trainers["a"].started.wait, 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert crew.nodes["a"]._ended.is_set(), "which a training asks for"


@in_loop
async def test_nothing_of_a_session_stays_in_memory() -> None:
    crew = Crew(MemoryNetwork(), optima(0, 1))
    node = weakref.ref(crew.nodes["a"])
    await crew.run(2)
    crew.nodes.clear()
    gc.collect()
    assert node() is None


@in_loop
async def test_fifty_nodes_in_one_process() -> None:
    trainers = {str(place): Drawn(float(place % 5), samples=1 + place % 9) for place in range(50)}
    settings = GossipSettings(patience_s=60, patience=Patience(answer_s=2.0, settle_s=60))
    outcomes = await Crew(MemoryNetwork(9), trainers, settings).run(3, mixing_rounds=7, finish_s=60)
    assert mass_of(outcomes) == pytest.approx(sum(trainer.samples() for trainer in trainers.values()))
    values = values_of(outcomes)
    assert max(values) - min(values) < 0.2
