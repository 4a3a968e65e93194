"""What an enemy sends into a simulated mesh: messages as somebody makes them who does as they like."""

from __future__ import annotations

from collections.abc import Iterable

from mesh.protocol.counts import Reason
from mesh.protocol.envelope import Envelope, Kinds, Sealed, seal
from mesh.protocol.topology import LinkState
from tests.support.mesh_world import World, mesh_key


def flood(
    sender: int, sequence: int, *, epoch: int = 1, body: bytes = b"evil", signed_by: int | None = None
) -> Sealed:
    """A flood as somebody makes it who does as they like."""
    key = mesh_key(sender if signed_by is None else signed_by)
    return seal(Envelope(Kinds.FLOOD, mesh_key(sender).public.id, epoch, sequence, body, "test"), key)


def direct(
    sender: int, receiver: int, sequence: int, *, receiver_epoch: int = 1, number: int = 1_000
) -> Sealed:
    return seal(
        Envelope(
            Kinds.DIRECT,
            mesh_key(sender).public.id,
            1,
            sequence,
            b"evil",
            "test",
            mesh_key(receiver).public.id,
            receiver_epoch,
            number,
        ),
        mesh_key(sender),
    )


def link_state(sender: int, sequence: int, links: Iterable[int]) -> bytes:
    """A node's word on its links, which need not be true."""
    body = LinkState({mesh_key(number).public.id: 0.000_001 for number in links}).encode()
    return seal(Envelope(Kinds.LINKS, mesh_key(sender).public.id, 1, sequence, body), mesh_key(sender)).frame(
        0
    )


def dropped(world: World, number: int, reason: Reason, by: int | None = None) -> int:
    counts = world.nodes[number].node.counts
    return (counts.dropped if by is None else counts.dropped_of(world.id(by))).get(reason, 0)
