"""A holder of content that lies about it: it is asked no more, and what it says is not taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mesh.protocol import mesh_pb2
from mesh.protocol.counts import Reason
from mesh.protocol.effects import Transmit
from mesh.protocol.envelope import Envelope, Kinds, seal
from mesh.protocol.limits import MAX_HOPS
from shared.security.key_id import KeyId
from tests.support.mesh_enemies import dropped
from tests.support.mesh_world import World, line, mesh_key


def tampered(chunk: mesh_pb2.Chunk) -> None:
    chunk.data = chunk.data[:-1] + bytes([chunk.data[-1] ^ 1])


def moved(chunk: mesh_pb2.Chunk) -> None:
    chunk.index = 1 - chunk.index


def shortened(chunk: mesh_pb2.Chunk) -> None:
    chunk.data = chunk.data[:-1]


def unproven(chunk: mesh_pb2.Chunk) -> None:
    del chunk.proof[:]


def _make_lie(world: World, number: int, change: Callable[[mesh_pb2.Chunk], None]) -> None:
    """Have a node change every chunk that it sends, and sign that."""
    node = world.nodes[number].node
    take = node.take

    def lie() -> list[object]:
        return [_changed(effect, number, change) for effect in take()]

    node.take = lie  # type: ignore[method-assign, assignment]


def _changed(effect: object, number: int, change: Callable[[mesh_pb2.Chunk], None]) -> object:
    if not isinstance(effect, Transmit):
        return effect
    frame = mesh_pb2.Frame.FromString(effect.frame)
    envelope = mesh_pb2.Envelope.FromString(frame.envelope.envelope)
    if envelope.kind != Kinds.CHUNK:
        return effect
    chunk = mesh_pb2.Chunk.FromString(envelope.body)
    change(chunk)
    sealed = seal(
        Envelope(
            Kinds.CHUNK,
            KeyId(envelope.sender),
            envelope.epoch,
            envelope.sequence,
            chunk.SerializeToString(),
            receiver=KeyId(envelope.receiver),
            receiver_epoch=envelope.receiver_epoch,
        ),
        mesh_key(number),
    )
    return Transmit(effect.peer, sealed.frame(MAX_HOPS), effect.is_bulk)


@pytest.mark.parametrize("change", [tampered, moved, shortened, unproven])
def test_a_holder_that_sends_wrong_chunks_is_asked_no_more(
    change: Callable[[mesh_pb2.Chunk], None],
) -> None:
    """0 fetches from 1, which lies, and from 2, which does not."""
    world = World(3, [(0, 1), (0, 2)])
    world.run(1)
    data = bytes(range(256)) * 2_000
    content = world.offer(data, 1, 2)
    _make_lie(world, 1, change)

    fetch = world.fetch(0, content, [1, 2])
    world.run(10)

    assert world.content(0, fetch) == data
    assert world.nodes[0].fetched == {fetch: ""}
    assert dropped(world, 0, Reason.WRONG_CHUNK) == 1


def test_content_that_only_a_liar_has_is_not_had() -> None:
    world = World(2, line(2))
    world.run(1)
    content = world.offer(bytes(600_000), 1)
    _make_lie(world, 1, tampered)

    fetch = world.fetch(0, content, [1])
    world.run(1)

    assert world.nodes[0].stored == {}
    assert "none of those" in world.nodes[0].fetched[fetch]


def test_a_wrong_chunk_is_put_down_to_who_has_signed_it_and_not_to_who_passes_it_on() -> None:
    world = World(3, line(3))
    world.run(1)
    content = world.offer(bytes(600_000), 2)
    _make_lie(world, 2, tampered)

    world.fetch(0, content, [2])
    world.run(5)

    assert dropped(world, 0, Reason.WRONG_CHUNK, by=2) == 1
    assert dropped(world, 0, Reason.WRONG_CHUNK, by=1) == 0


def test_a_chunk_that_nobody_asked_for_is_dropped() -> None:
    world = World(2, line(2))
    world.run(1)
    body = mesh_pb2.Chunk(root=bytes(32), index=0, data=b"x").SerializeToString()
    envelope = Envelope(Kinds.CHUNK, world.id(0), 1, 900, body, receiver=world.id(1), receiver_epoch=1)
    world.put(1, 0, seal(envelope, mesh_key(0)).frame(MAX_HOPS))

    assert dropped(world, 1, Reason.NOT_ASKED) == 1
