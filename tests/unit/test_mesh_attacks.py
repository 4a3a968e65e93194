"""What an enemy within reach, or a member that has turned bad, can send: refused, counted, and of no
effect."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.node import PeerState
from mesh.protocol import mesh_pb2
from mesh.protocol.counts import Reason
from mesh.protocol.envelope import Envelope, Kinds, seal
from mesh.protocol.limits import MAX_HOPS, Limits, Pace
from mesh.protocol.topology import LinkState
from shared.security.key_id import KeyId
from tests.support.mesh_enemies import direct, dropped, flood, link_state
from tests.support.mesh_world import World, full, line, mesh_key, ring

STRANGER = 40
"""The number of a node that nobody trusts."""


@pytest.fixture
def world() -> World:
    """0, 1 and 2 in a line."""
    world = World(3, line(3))
    world.run(1)
    return world


def test_what_somebody_else_has_signed_is_no_word_of_a_member(world: World) -> None:
    world.put(2, 1, flood(0, 900, signed_by=1).frame(0))

    assert world.received(2) == []
    assert dropped(world, 2, Reason.BAD_SIGNATURE, by=1) == 1


@given(st.data())
@settings(max_examples=60)
def test_an_envelope_in_which_a_byte_was_changed_has_no_effect(data: st.DataObject) -> None:
    world = World(3, line(3))
    world.drain()
    sealed = flood(0, 900)
    signed = mesh_pb2.SignedEnvelope(envelope=sealed.data, signature=sealed.signature)
    name = data.draw(st.sampled_from(["envelope", "signature"]))
    changed = bytearray(getattr(signed, name))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    setattr(signed, name, bytes(changed))

    world.put(2, 1, mesh_pb2.Frame(envelope=signed).SerializeToString())
    world.drain()

    assert world.received(2) == []
    assert sum(world.nodes[2].node.counts.dropped.values()) == 1


def test_a_stranger_is_not_heard_though_a_member_passes_it_on(world: World) -> None:
    world.put(2, 1, flood(STRANGER, 1).frame(0))

    assert world.received(2) == []
    assert dropped(world, 2, Reason.UNKNOWN_SENDER) == 1


def test_what_was_recorded_and_is_played_again_has_no_effect(world: World) -> None:
    sealed = flood(0, 900)
    for _ in range(5):
        world.put(1, 0, sealed.frame(0))
        world.put(2, 1, sealed.frame(0))
    world.drain()

    assert world.received(1) == world.received(2) == [b"evil"]
    assert world.nodes[1].node.counts.duplicates >= 4


def test_a_direct_message_that_is_played_again_is_counted_as_such(world: World) -> None:
    recorded = direct(0, 2, 900)
    for _ in range(3):
        world.put(2, 1, recorded.frame(MAX_HOPS))

    assert world.received(2) == [b"evil"]
    assert dropped(world, 2, Reason.REPLAY, by=1) == 2


def test_a_message_with_the_number_of_one_that_came_is_not_delivered(world: World) -> None:
    world.put(2, 1, direct(0, 2, 900).frame(MAX_HOPS))
    world.put(2, 1, direct(0, 2, 901).frame(MAX_HOPS))

    assert world.received(2) == [b"evil"]


def test_what_a_node_took_is_not_taken_by_its_next_start(world: World) -> None:
    recorded = [flood(0, 900), flood(0, 890)]
    world.put(2, 1, recorded[0].frame(0))
    assert world.received(2) == [b"evil"]
    world.kill(2)

    world.start_again(2)
    world.link(1, 2)
    for sealed in recorded:
        world.put(2, 1, sealed.frame(0))

    assert world.received(2) == []


def test_a_direct_message_is_good_for_one_start_of_its_receiver(world: World) -> None:
    recorded = direct(0, 2, 900)
    world.kill(2)
    world.start_again(2)
    world.link(1, 2)

    world.put(2, 1, recorded.frame(MAX_HOPS))

    assert world.received(2) == []
    assert dropped(world, 2, Reason.OLDER_EPOCH) == 1


def test_a_word_of_an_older_start_is_not_taken(world: World) -> None:
    world.kill(0)
    world.start_again(0)
    world.link(0, 1)
    world.run(1)

    world.put(2, 1, flood(0, 10_000, epoch=1).frame(0))

    assert world.received(2) == []
    assert dropped(world, 2, Reason.OLDER_EPOCH, by=1) == 1


def test_one_cannot_speak_for_the_node_itself(world: World) -> None:
    world.put(2, 1, flood(2, 5, epoch=99, signed_by=1).frame(0))
    world.flood(2, "test", b"still mine")
    world.drain()

    assert world.received(0) == [b"still mine"]
    assert world.received(2) == []


def test_a_message_whose_hops_are_used_up_goes_no_further(world: World) -> None:
    world.put(1, 0, direct(0, 2, 900).frame(0))
    world.drain()

    assert world.received(2) == []
    assert dropped(world, 1, Reason.HOPS, by=0) == 1


def test_what_is_passed_on_never_goes_back_to_where_it_came_from() -> None:
    """In a ring of five, the best way from 1 to 4 leads over 0, which has given it to 1."""
    world = World(5, ring(5))
    world.run(1)
    assert world.nodes[1].node.next_hop(world.id(4)) == world.id(0)

    world.put(1, 0, direct(0, 4, 900).frame(MAX_HOPS))
    world.drain()

    assert world.received(4) == [b"evil"]


def test_an_envelope_that_is_sent_in_circles_stops_where_it_was_before() -> None:
    """Every node routes it on, since its receiver is far; whoever has it a second time drops it."""
    world = World(5, ring(5))
    world.run(1)
    circling = direct(0, 4, 900)
    before = sum(inhabitant.frames for inhabitant in world.nodes)
    for place in (1, 2, 3, 1, 2, 3):
        world.put(place, (place - 1) % 5, circling.frame(2**31))
    world.drain()

    assert world.received(4) == [b"evil"]
    assert sum(inhabitant.frames for inhabitant in world.nodes) - before < 12
    assert dropped(world, 1, Reason.REPLAY) + dropped(world, 2, Reason.REPLAY) >= 2


def test_a_relay_cannot_stop_a_flood_by_the_hops_that_it_counts() -> None:
    """It comes first with no hop left; it goes on all the same, since hops are not looked at in floods."""
    world = World(3, line(3))
    world.drain()

    world.put(1, 0, flood(0, 900).frame(0))
    world.drain()

    assert world.received(2) == [b"evil"]


def test_a_member_that_floods_is_heard_as_often_as_it_may_and_the_others_as_before() -> None:
    limits = Limits(floods_per_s=10, burst_s=2)
    world = World(3, line(3), limits=limits)
    world.run(1)
    for sequence in range(900, 1_100):
        world.put(1, 0, flood(0, sequence).frame(0))
    world.flood(2, "test", b"honest")
    world.drain()

    assert len(world.received(2)) <= 20
    assert dropped(world, 1, Reason.RATE, by=0) >= 180
    assert b"honest" in world.received(1)


def test_a_neighbour_that_sends_too_many_frames_costs_no_verification() -> None:
    world = World(3, line(3), limits=Limits(frames_per_s=100, burst_s=1))
    world.run(1)
    for number in range(500):
        world.put(1, 0, flood(2, number + 5, signed_by=0).frame(0) if number < 5 else b"\x2a\x00")

    assert dropped(world, 1, Reason.RATE, by=0) >= 395
    world.flood(2, "test", b"honest")
    world.drain()
    assert world.received(1) == [b"honest"]


def test_a_link_that_one_end_claims_is_no_link() -> None:
    """0 - 1 - 2 - 3: 0 says that it is linked with 3, and 3 does not."""
    world = World(4, line(4))
    world.run(1)

    world.put(1, 0, link_state(0, 900, [1, 3]))
    world.drain()

    assert world.hops(1) == {0: 1, 2: 1, 3: 2}
    assert world.hops(2) == {0: 2, 1: 1, 3: 1}
    claimed = [{one, other} for one, other, _ in world.nodes[2].node.topology.one_sided()]
    assert claimed == [{world.id(0), world.id(3)}]


def test_a_liar_draws_no_traffic_that_has_a_shorter_way() -> None:
    world = World(4, line(4))
    world.run(1)
    world.put(1, 0, link_state(0, 900, [1, 2, 3]))
    world.drain()

    world.send(1, 3, b"hello")
    world.drain()

    assert world.received(3) == [b"hello"]


def test_who_has_left_cannot_be_kept_in_by_others_words() -> None:
    """2 is dead; 0 goes on to claim a link to it, as 2's last word did to 0."""
    world = World(3, full(3))
    world.run(1)
    world.kill(2)
    world.run(1)
    assert world.states(1)[2] is PeerState.OFFLINE

    world.put(1, 0, link_state(0, 900, [1, 2]))

    # Both ends have stated it. That lasts as long as the last word of the dead one.
    assert world.hops(1)[2] == 2
    world.run(Pace().stale_s)
    world.put(1, 0, link_state(0, 950, [1, 2]))
    assert world.states(1)[2] is PeerState.STALE
    world.run(Pace().forget_s)
    world.put(1, 0, link_state(0, 999, [1, 2]))
    assert world.states(1)[2] is PeerState.OFFLINE


def test_a_link_state_with_too_many_links_is_refused(world: World) -> None:
    links = {KeyId(number.to_bytes(32, "big")): None for number in range(65)}
    sealed = seal(Envelope(Kinds.LINKS, world.id(0), 1, 900, LinkState(links).encode()), mesh_key(0))
    world.put(1, 0, sealed.frame(0))

    assert dropped(world, 1, Reason.MALFORMED, by=0) == 1


def test_an_old_link_state_does_not_replace_a_newer_one(world: World) -> None:
    newer, older = link_state(0, 901, [1]), link_state(0, 900, [])
    world.put(1, 0, newer)
    world.put(1, 0, older)
    world.drain()

    assert world.hops(2)[0] == 2
