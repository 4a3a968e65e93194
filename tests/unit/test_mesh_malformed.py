"""What is no message, or one that no honest node makes: refused, counted, and of no effect."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.node import MAX_BODY_BYTES
from mesh.protocol import mesh_pb2
from mesh.protocol.counts import Reason
from mesh.protocol.effects import Disconnect
from mesh.protocol.envelope import Envelope, Kinds, seal
from mesh.protocol.limits import MAX_FRAME_BYTES, MAX_HOPS
from shared.security.statement import Purpose, statement
from tests.support.mesh_enemies import dropped
from tests.support.mesh_world import World, line, mesh_key


@pytest.fixture
def world() -> World:
    """0, 1 and 2 in a line."""
    world = World(3, line(3))
    world.run(1)
    return world


def unchecked(envelope: Envelope, signer: int) -> bytes:
    """A frame with an envelope that `seal` would not make, well signed."""
    good = seal(Envelope(Kinds.FLOOD, envelope.sender, 1, 1, b"", "test"), mesh_key(signer))
    message = mesh_pb2.Envelope.FromString(good.data)
    message.kind = envelope.kind
    message.epoch, message.sequence = envelope.epoch, envelope.sequence
    message.body, message.topic = envelope.body, envelope.topic
    message.receiver = envelope.receiver.digest if envelope.receiver else b""
    message.number = envelope.number
    data = message.SerializeToString()
    signature = mesh_key(signer).sign(statement(Purpose.MESH_ENVELOPE, data))
    signed = mesh_pb2.SignedEnvelope(envelope=data, signature=signature, hops_left=MAX_HOPS)
    return mesh_pb2.Frame(envelope=signed).SerializeToString()


def like(**changes: object) -> Envelope:
    fields: dict[str, object] = {
        "kind": Kinds.FLOOD,
        "sender": mesh_key(0).public.id,
        "epoch": 1,
        "sequence": 900,
        "body": b"evil",
        "topic": "test",
    }
    return Envelope(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "envelope",
    [
        like(kind=Kinds.NONE),
        like(kind=99),
        like(sequence=0),
        like(epoch=0),
        like(epoch=2**63),
        like(sequence=2**64 - 1),
        like(topic=""),
        like(topic="Not a topic"),
        like(receiver=mesh_key(2).public.id),
        like(number=7),
        like(kind=Kinds.DIRECT, receiver=mesh_key(2).public.id),
        like(kind=Kinds.DIRECT, number=7),
        like(kind=Kinds.LINKS),
    ],
)
def test_fields_that_do_not_belong_together_are_refused(world: World, envelope: Envelope) -> None:
    world.put(1, 0, unchecked(envelope, 0))

    assert world.received(1) == []
    assert dropped(world, 1, Reason.MALFORMED, by=0) == 1


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    world.put(1, 0, unchecked(like(body=bytes(MAX_BODY_BYTES + 1)), 0))

    assert world.received(1) == []
    assert dropped(world, 1, Reason.TOO_LARGE, by=0) == 1


@pytest.mark.parametrize("frame", [b"", b"\xff\xff", bytes(MAX_FRAME_BYTES + 1), b"\x08\x01"])
def test_who_sends_what_is_no_frame_is_cut_off(world: World, frame: bytes) -> None:
    world.put(1, 0, frame)

    assert frozenset((0, 1)) not in world.links
    assert dropped(world, 1, Reason.MALFORMED) + dropped(world, 1, Reason.TOO_LARGE) == 1


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_any_bytes_are_taken_or_refused_and_nothing_is_delivered(frame: bytes) -> None:
    world = World(2, line(2))
    world.put(1, 0, frame)

    assert world.nodes[1].received == []


@given(
    st.sampled_from([Kinds.LINKS, Kinds.CHUNK, Kinds.CHUNK_REQUEST, Kinds.CONFIRMATION, Kinds.DIRECT]),
    st.binary(max_size=300),
)
@settings(max_examples=100)
def test_any_body_that_a_member_signs_is_taken_or_refused(kind: Kinds.Kind, body: bytes) -> None:
    world = World(2, line(2))
    receiver = None if kind == Kinds.LINKS else mesh_key(1).public.id
    envelope = like(
        kind=kind,
        body=body,
        topic="test" if kind == Kinds.DIRECT else "",
        receiver=receiver,
        receiver_epoch=1,
        number=9 if kind in (Kinds.DIRECT, Kinds.CONFIRMATION) else 0,
    )

    world.put(1, 0, seal(envelope, mesh_key(0)).frame(MAX_HOPS))
    world.run(0.5)

    assert world.nodes[1].confirmed == []
    assert world.nodes[1].fetched == {}


def test_what_belongs_to_the_handshake_is_refused_later(world: World) -> None:
    world.put(1, 0, mesh_pb2.Frame(welcome=mesh_pb2.Welcome(epoch=5)).SerializeToString())

    assert any(isinstance(effect, Disconnect) for effect in world.nodes[1].effects)
