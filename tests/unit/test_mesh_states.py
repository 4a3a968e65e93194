"""Every node knows who is there and how far away, within seconds of what happens."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.node import PeerState
from mesh.protocol.effects import Disconnect
from mesh.protocol.limits import Pace
from tests.support.mesh_world import Weather, World, full, islands, line, ring

RIGHT_S = 5.0
"""By which states are to be right."""


def is_right(world: World) -> bool:
    """Whether everybody who lives sees whom it can reach, over as few hops as there are."""
    living = [number for number in range(world.size) if number not in world.dead]
    return all(
        {other for other, state in world.states(number).items() if state is not PeerState.OFFLINE}
        == world.distances(number).keys() - {number}
        and all(hops == world.distances(number).get(other) for other, hops in world.hops(number).items())
        for number in living
    )


steps = st.lists(
    st.tuples(
        st.sampled_from(["link", "cut", "silent cut", "kill", "start"]), st.integers(0, 6), st.integers(0, 6)
    ),
    max_size=8,
)


@given(size=st.integers(2, 7), steps=steps, seed=st.integers(0, 10_000))
@settings(max_examples=60)
def test_states_and_hops_are_right_within_five_seconds_of_whatever_happens(
    size: int, steps: list[tuple[str, int, int]], seed: int
) -> None:
    world = World(size, ring(size), seed=seed, weather=Weather(delay=(0.0, 0.05)))
    for what, one, other in steps:
        one, other = one % size, other % size
        link, living = frozenset((one, other)), {one, other}.isdisjoint(world.dead)
        match what:
            case "link" if one != other and living and link not in world.links:
                world.link(one, other)
            case "cut" | "silent cut" if link in world.links:
                world.cut(one, other, noticed=what == "cut")
            case "kill" if one not in world.dead:
                world.kill(one)
            case "start" if one in world.dead:
                world.start_again(one)
        world.run(world.rng.uniform(0, 2))
    world.run(RIGHT_S)

    assert is_right(world)


@given(
    size=st.integers(10, 50),
    chords=st.lists(st.tuples(st.integers(0, 49), st.integers(0, 49)), max_size=10),
    cuts=st.sets(st.integers(0, 49), max_size=4),
    senders=st.lists(st.tuples(st.integers(0, 49), st.integers(0, 49)), min_size=1, max_size=5),
    loss=st.floats(0, 0.05),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=3)
def test_a_large_network_in_bad_weather_is_cut_and_heals(
    size: int,
    chords: list[tuple[int, int]],
    cuts: set[int],
    senders: list[tuple[int, int]],
    loss: float,
    seed: int,
) -> None:
    """Loss, delay, duplication, reordering and cuts, up to fifty nodes."""
    weather = Weather(delay=(0.0, 0.1), loss=loss, doubled=0.1, reorder=True)
    extra = {(min(one % size, other % size), max(one % size, other % size)) for one, other in chords}
    links = {*ring(size), *(link for link in extra if link[0] != link[1] and link not in ring(size))}
    world = World(size, sorted(links), seed=seed, weather=weather)
    world.run(3)
    broken = [ring(size)[cut % size] for cut in cuts]
    for link in broken:
        world.cut(*link, noticed=False)
    world.run(RIGHT_S)
    for link in broken:
        if frozenset(link) not in world.links:
            world.link(*link)
    world.run(RIGHT_S + 3)
    sent = {
        (one % size, world.send(one % size, other % size, b"%d" % number, timeout_s=30)): (
            other % size,
            b"%d" % number,
        )
        for number, (one, other) in enumerate(senders)
        if one % size != other % size
    }
    world.run_until(lambda: all(_is_settled(world, *which) for which in sent), 31)

    assert is_right(world)
    for (sender, message), (receiver, body) in sent.items():
        assert world.received(receiver).count(body) <= 1
        if message in world.nodes[sender].confirmed:
            assert body in world.received(receiver)
        else:
            assert message in world.nodes[sender].expired


def _is_settled(world: World, sender: int, message: int) -> bool:
    node = world.nodes[sender]
    return message in node.confirmed or message in node.expired


@given(seed=st.integers(0, 1_000), loss=st.floats(0, 0.1))
@settings(max_examples=10)
def test_with_some_loss_they_are_right_too(seed: int, loss: float) -> None:
    world = World(6, [*ring(6), (0, 3)], seed=seed, weather=Weather(loss=loss, doubled=0.1, reorder=True))
    world.run(10)

    assert is_right(world)


def test_fifty_nodes_know_each_other() -> None:
    links = [*ring(50), *((number, (number + 19) % 50) for number in range(0, 50, 5))]
    world = World(50, links)
    world.run(RIGHT_S)

    assert is_right(world)
    assert {*world.states(7).values()} == {PeerState.ONLINE}


def test_a_node_that_falls_silent_is_stale_at_most_until_it_is_offline() -> None:
    world = World(3, line(3))
    world.run(3)

    world.cut(1, 2, noticed=False)
    world.run(RIGHT_S)

    assert world.states(0)[2] is PeerState.OFFLINE
    assert any(
        isinstance(effect, Disconnect) and "Nothing was heard" in effect.why
        for effect in world.nodes[1].effects
    )


def test_a_node_whose_word_does_not_come_though_there_is_a_way_is_stale() -> None:
    """Everybody states the links, but nothing was heard of 2 itself."""
    world = World(3, line(3), pace=Pace(links_s=100))
    world.run(2)
    assert world.states(0)[2] is PeerState.ONLINE

    world.run(6)

    assert world.states(0) == {1: PeerState.ONLINE, 2: PeerState.STALE}


def test_who_comes_back_is_shown_as_such_for_a_while() -> None:
    world = World(3, line(3))
    world.run(2)
    world.cut(1, 2)
    world.run(2)
    assert world.states(0)[2] is PeerState.OFFLINE

    world.link(1, 2)
    world.run(1)

    assert world.states(0) == {1: PeerState.ONLINE, 2: PeerState.REJOINED}
    world.run(Pace().rejoined_s + 1)
    assert world.states(0)[2] is PeerState.ONLINE


def test_a_restart_that_nobody_saw_is_shown() -> None:
    world = World(3, line(3))
    world.run(2)
    world.kill(2)
    world.start_again(2)
    world.link(1, 2)
    world.run(1)

    assert world.states(0)[2] is PeerState.REJOINED
    assert world.states(2)[0] is PeerState.ONLINE, "for a new process all others are new"


def test_islands_that_are_joined_know_each_other_at_once() -> None:
    """The nodes that were linked tell each other all that they know, and pass it on."""
    world = World(8, islands(8))
    world.run(3)
    assert world.states(0)[6] is PeerState.OFFLINE

    world.link(1, 5)
    world.run(1)

    assert is_right(world)


def test_a_pause_of_the_whole_process_is_not_held_against_its_neighbours() -> None:
    """A laptop that slept, or a machine that had no time: what has come meanwhile is still to be read."""
    world = World(2, line(2))
    world.run(2)

    world.now += 60
    world.nodes[0].node.tick(world.now)
    world.settle(0)

    assert not any(isinstance(effect, Disconnect) for effect in world.nodes[0].effects)


def test_who_is_no_member_any_more_is_cut_off_and_forgotten() -> None:
    world = World(3, full(3))
    world.run(2)
    world.nodes[0].members.remove(world.id(1))

    world.nodes[0].node.members_changed(world.now)
    world.settle(0)
    world.run(1)

    assert frozenset((0, 1)) not in world.links
    assert world.states(0) == {2: PeerState.ONLINE}
    assert world.states(2)[0] is PeerState.ONLINE


def test_latency_is_measured_along_the_way() -> None:
    world = World(3, line(3), weather=Weather(delay=(0.02, 0.02)))
    world.run(6)

    (near, far) = sorted(world.nodes[0].node.peers(world.now), key=lambda view: view.hops or 0)

    assert near.latency_s is not None
    assert 0.039 < near.latency_s < 0.045
    assert far.latency_s is not None
    assert 0.079 < far.latency_s < 0.09
