"""Push-sum: no share of the mass is lost or doubled whatever the network does, and all agree in the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.learning.push_sum import LARGEST_RATIO, Portion, PushSum
from tests.support.mesh_trainers import a_model
from tests.support.push_sum_world import World, are_equal

places = st.integers(0, 1_000)
actions = st.one_of(
    st.tuples(st.just("send"), places),
    st.tuples(st.just("deliver"), places),
    st.tuples(st.just("double"), places),
    st.tuples(st.just("drop"), places),
    st.tuples(st.just("ask"), st.just(0)),
    st.tuples(st.just("cut"), st.integers(0, 2**50)),
)


def play(world: World, action: str, number: int) -> None:
    match action:
        case "send":
            world.send(number % len(world.nodes))
        case "deliver":
            world.deliver(number)
        case "double":
            world.deliver(number, keep=True)
        case "drop":
            world.drop(number)
        case "ask":
            world.ask()
        case "cut":
            world.sides = [number >> place & 1 for place in range(len(world.nodes))]


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 50), min_size=2, max_size=50), st.lists(actions, max_size=150), st.integers(0, 99)
)
def test_no_mass_is_lost_or_doubled_by_loss_delay_doubling_reordering_and_cuts(
    samples: list[int], steps: list[tuple[str, int]], seed: int
) -> None:
    world = World(samples, seed)
    for action, number in steps:
        play(world, action, number)
        assert world.held_mass <= world.total_mass * (1 + 1e-9)
        assert world.held_mass + world.open_mass >= world.total_mass * (1 - 1e-9)
    world.settle()
    assert are_equal(world.held_mass, world.total_mass)
    assert are_equal(world.mean * world.held_mass, world.total_value)


@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_fifty_nodes_agree_on_the_mean_by_samples(loss: float) -> None:
    world = World([1 + place % 7 for place in range(50)], seed=3)
    at_start = world.spread
    for _ in range(40):
        for place in range(50):
            world.send(place)
        while world.bag:
            place = world.random.randrange(len(world.bag))
            if world.random.random() < loss:
                world.drop(place)
            else:
                world.deliver(place)
        world.ask()
    world.settle()
    assert world.spread < 1e-3 * at_start
    assert are_equal(world.mean, world.total_value / world.total_mass)


def test_a_mass_stays_about_as_large_as_the_nodes_samples() -> None:
    """Which is what makes a training count by samples."""
    samples = [10, 20, 40, 80]
    world = World(samples, seed=5)
    means = np.zeros(4)
    for _ in range(400):
        for place in range(4):
            world.send(place)
        while world.bag:
            world.deliver(0)
        means += [node.sum.held.mass for node in world.nodes]
    assert means / 400 == pytest.approx(samples, rel=0.15)


def test_what_peers_that_are_dead_have_taken_is_missing_and_the_living_agree() -> None:
    world = World([10] * 8, seed=1)
    for _ in range(30):
        for place in range(8):
            world.send(place)
        world.sides = [0] * 5 + [1, 2, 3]
        while world.bag:
            world.deliver(0)
        world.ask()
    living = world.nodes[:5]
    values = [float(node.sum.held.model["w"][0]) for node in living]
    assert max(values) - min(values) < 1e-3
    held = sum(node.sum.held.mass for node in living)
    unsure = sum(transfer.portion.mass for node in living for transfer in node.outgoing)
    assert are_equal(held + unsure, 50)
    assert all(len(node.outgoing) <= 3 for node in living), "one unsure share for each of the dead, at most"


def test_a_share_is_a_model_with_a_part_of_the_mass() -> None:
    node = PushSum(a_model(1.0))
    assert node.held == Portion(node.held.model, 0.0, 0.0)
    node.trained(a_model(3.0), steps=4, samples=30)
    portions = node.split(30, {"a": 10, "b": 20})
    assert {peer: portion.mass for peer, portion in portions.items()} == {"a": 5, "b": 10}
    assert portions["a"].model["w"] == pytest.approx([3])
    assert node.held.mass == 15

    node.take([Portion(a_model(9.0), 45.0, steps=8.0)])
    assert node.held.mass == 60
    assert node.held.model["w"] == pytest.approx([7.5])
    assert node.held.steps == pytest.approx(7.0)

    node.trained(a_model(8.0), steps=4, samples=30)
    assert (node.held.mass, node.held.steps) == (60, 11)


def test_what_comes_before_the_first_training_does_not_replace_ones_own_samples() -> None:
    node = PushSum(a_model(0.0))
    node.take([Portion(a_model(2.0), 5.0)])
    assert node.held.model["w"] == pytest.approx([2])
    node.trained(a_model(4.0), steps=1, samples=10)
    assert node.held.mass == 15


def test_a_peer_gets_no_more_for_claiming_more_samples_than_there_can_be() -> None:
    node = PushSum(a_model(0.0))
    node.trained(a_model(1.0), steps=1, samples=10)
    portions = node.split(10, {"liar": 10**12})
    assert portions["liar"].mass == pytest.approx(10 * LARGEST_RATIO / (LARGEST_RATIO + 1))
    assert node.held.mass > 0.9


def test_to_take_nothing_changes_nothing() -> None:
    node = PushSum(a_model(1.0))
    node.take([])
    node.take([Portion(a_model(5.0), 0.0)])
    assert node.held.mass == 0
    assert node.held.model["w"].tolist() == [1]
