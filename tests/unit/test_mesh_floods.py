"""Floods reach everybody once, and end, whatever the network looks like."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.protocol.counts import Reason
from tests.support.mesh_world import Weather, World, full, islands, line, ring, star

Shape = Callable[[int], Sequence[tuple[int, int]]]
SHAPES: dict[str, Shape] = {"ring": ring, "line": line, "star": star, "full": full, "islands": islands}


@pytest.mark.parametrize("shape", SHAPES)
@given(size=st.integers(2, 8), sender=st.integers(0, 7), seed=st.integers(0, 1_000))
@settings(max_examples=15)
def test_a_flood_reaches_all_that_can_be_reached_once_and_ends(
    shape: str, size: int, sender: int, seed: int
) -> None:
    size = max(size, 4) if shape == "islands" else size
    world = World(size, SHAPES[shape](size), seed=seed)
    world.drain()
    sender %= size

    world.flood(sender, "test", b"hello")
    frames = world.drain(2 * len(world.links) + 1)

    reachable = world.distances(sender)
    for number in range(size):
        expected = [b"hello"] if number in reachable and number != sender else []
        assert world.received(number) == expected
    assert frames >= len(reachable) - 1


@given(
    size=st.integers(2, 8),
    chords=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=10),
    floods=st.lists(st.integers(0, 7), min_size=1, max_size=12),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=40)
def test_no_flood_comes_twice_when_frames_are_doubled_and_overtake_each_other(
    size: int, chords: list[tuple[int, int]], floods: list[int], seed: int
) -> None:
    links = {tuple(sorted((one % size, other % size))) for one, other in [*ring(size), *chords]}
    weather = Weather(delay=(0.0, 1.0), doubled=0.5, reorder=True)
    world = World(size, [(one, other) for one, other in links if one != other], seed=seed, weather=weather)

    for number, sender in enumerate(floods):
        world.flood(sender % size, "test", b"%d" % number)
    world.drain()

    for number in range(size):
        expected = sorted(b"%d" % flood for flood, sender in enumerate(floods) if sender % size != number)
        assert sorted(world.received(number)) == expected


def test_a_flood_crosses_fifty_nodes_in_a_line() -> None:
    world = World(50, line(50))
    world.drain()

    world.flood(0, "test", b"far")
    world.drain()

    assert world.received(49) == [b"far"]


def test_a_flood_costs_each_link_two_frames_at_most() -> None:
    world = World(8, full(8))
    world.drain()

    world.flood(0, "test")

    assert world.drain() <= 2 * len(world.links)


def test_what_a_node_floods_does_not_come_back_to_it() -> None:
    world = World(3, ring(3))
    world.drain()

    world.flood(0, "test", b"mine")
    world.drain()

    assert world.received(0) == []


def test_whom_a_relay_does_not_trust_it_does_not_pass_on() -> None:
    """Trust is not passed on: 3 trusts 0, but all that comes to it comes over 2, which does not."""
    world = World(4, line(4), trust=lambda one, other: {one, other} != {0, 2})
    world.drain()

    world.flood(0, "test", b"hello")
    world.drain()

    assert world.received(1) == [b"hello"]
    assert world.received(2) == world.received(3) == []
    assert world.nodes[2].node.counts.dropped[Reason.UNKNOWN_SENDER] > 0
