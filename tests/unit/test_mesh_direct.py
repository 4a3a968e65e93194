"""Direct messages come once, over however many hops, or their sender is told that they may not have."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.protocol.counts import Reason
from mesh.protocol.effects import Deliver, Transmit
from mesh.protocol.mesh_pb2 import Envelope, Frame
from tests.support.mesh_world import Weather, World, full, islands, line, ring


def test_a_message_goes_over_the_fewest_hops_and_is_confirmed() -> None:
    world = World(6, ring(6))
    world.run(1)

    message = world.send(0, 2, b"hello")
    world.run(1)

    assert world.received(2) == [b"hello"]
    assert world.nodes[0].confirmed == [message]
    assert world.hops(0) == {1: 1, 2: 2, 3: 3, 4: 2, 5: 1}


@given(
    size=st.integers(3, 7),
    loss=st.floats(0.0, 0.3),
    messages=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=10),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=40)
def test_over_a_bad_network_every_message_comes_at_most_once_and_what_is_confirmed_has_come(
    size: int, loss: float, messages: list[tuple[int, int]], seed: int
) -> None:
    weather = Weather(delay=(0.0, 0.4), loss=loss, doubled=0.2, reorder=True)
    world = World(size, ring(size), seed=seed, weather=weather)
    world.run(8)
    sent = [
        (one % size, other % size, b"%d" % number)
        for number, (one, other) in enumerate(messages)
        if one % size != other % size
    ]

    numbers = [world.send(one, other, body, timeout_s=20) for one, other, body in sent]
    world.run(25)

    for number in range(size):
        received = world.received(number)
        assert len(set(received)) == len(received)
        assert set(received) <= {body for _, other, body in sent if other == number}
    for (one, other, body), message in zip(sent, numbers, strict=True):
        sender = world.nodes[one]
        assert (message in sender.confirmed) is not (message in sender.expired)
        if message in sender.confirmed:
            assert body in world.received(other)


def test_without_loss_every_message_is_confirmed() -> None:
    world = World(8, ring(8), weather=Weather(delay=(0.0, 0.2), reorder=True))
    world.run(3)

    numbers = {one: [world.send(one, (one + step) % 8, b"x") for step in range(1, 8)] for one in range(8)}
    world.run(15)

    assert all(sorted(world.nodes[one].confirmed) == numbers[one] for one in range(8))


def test_a_message_to_another_island_expires_in_words() -> None:
    world = World(6, islands(6))
    world.run(1)

    message = world.send(0, 5, timeout_s=3)
    world.run(4)

    assert world.nodes[0].expired == {message: "it was not confirmed in time."}


def test_a_message_that_waits_for_a_way_goes_when_there_is_one() -> None:
    world = World(2)
    message = world.send(0, 1, b"late", timeout_s=10)
    world.run(2)

    world.link(0, 1)
    world.run(1)

    assert world.received(1) == [b"late"]
    assert world.nodes[0].confirmed == [message]


def test_a_message_takes_another_way_when_the_first_is_cut_unnoticed() -> None:
    """Nobody has said that the link 1-2 is gone, and the pings have not found out."""
    world = World(4, [(0, 1), (1, 2), (0, 3), (3, 2)])
    world.run(3)
    first = world.nodes[0].node.next_hop(world.id(2))
    assert first is not None
    over = world.ids[first]
    world.cut(over, 2, noticed=False)

    message = world.send(0, 2, b"hello")
    world.run(2.5)  # less than it takes to miss the pings

    assert world.received(2) == [b"hello"]
    assert world.nodes[0].confirmed == [message]


def test_a_message_whose_confirmation_is_lost_is_confirmed_again_and_not_delivered_again() -> None:
    world = World(2, line(2))
    world.run(1)
    message = world.send(0, 1, b"once")
    receiver = world.nodes[1].node
    receiver.receive(world.id(0), _next_attempt(world, 0), world.now)
    lost = receiver.take()

    world.run(1)  # the first attempt comes now

    assert [effect.received.body for effect in lost if isinstance(effect, Deliver)] == [b"once"]
    assert world.received(1) == []
    assert world.nodes[0].confirmed == [message]


def _next_attempt(world: World, sender: int) -> bytes:
    """The message once more, as its sender sends it when it was not confirmed."""
    node = world.nodes[sender].node
    node.tick(world.now + 1.5)
    frames = [effect.frame for effect in node.take() if isinstance(effect, Transmit)]
    return next(frame for frame in frames if _kind(frame) == Envelope.DIRECT)


def _kind(data: bytes) -> int:
    frame = Frame.FromString(data)
    return Envelope.FromString(frame.envelope.envelope).kind if frame.HasField("envelope") else 0


def test_a_message_is_not_delivered_again_to_a_later_start_of_its_receiver() -> None:
    """The receiver may have had it before it was killed; what it did then, nobody knows."""
    world = World(2, line(2))
    world.run(1)
    message = world.send(0, 1, b"once")
    world.kill(1)
    world.drain()

    world.start_again(1)
    world.link(0, 1)
    world.run(2)

    assert world.received(1) == []
    assert world.nodes[0].expired == {message: "its receiver was started anew before it confirmed it."}


def test_a_message_for_a_former_member_is_given_up() -> None:
    world = World(2)
    message = world.send(0, 1)
    world.nodes[0].members.remove(world.id(1))

    world.nodes[0].node.members_changed(world.now)
    world.settle(0)

    assert world.nodes[0].expired == {message: "its receiver is not trusted any more."}


@pytest.mark.parametrize("topic", ["", "Upper", "with blank", "a" * 65, "9", "zeilen\n"])
def test_what_is_no_topic_is_refused_where_it_is_used(topic: str) -> None:
    world = World(2)

    with pytest.raises(ValueError, match="topic"):
        world.flood(0, topic)
    with pytest.raises(ValueError, match="topic"):
        world.nodes[0].node.send(world.id(1), topic, b"", world.now, 1)


def test_a_body_that_is_too_large_is_refused_where_it_is_used() -> None:
    world = World(2)

    with pytest.raises(ValueError, match="65,536"):
        world.flood(0, "test", bytes((64 << 10) + 1))


def test_with_all_links_gone_no_message_is_under_way_for_ever() -> None:
    world = World(5, full(5))
    world.run(1)
    for one, other in full(5):
        world.cut(one, other)

    messages = [world.send(0, other, timeout_s=2) for other in range(1, 5)]
    world.run(3)

    assert sorted(world.nodes[0].expired) == messages
    assert Reason.NO_ROUTE not in world.nodes[0].node.counts.dropped
