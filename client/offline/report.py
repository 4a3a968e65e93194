"""What a client tells its server of its node in the mesh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from types import MappingProxyType

from client.offline.episode import Progress
from client.offline.rounds import GoneRound
from mesh.node import PeerView
from shared.address import Address
from shared.proto.link_pb2 import MeshBlocked, MeshPeer, MeshProgress, MeshReport, MeshRound
from shared.security.key_id import KeyId

MAX_PEERS = 1_000
MAX_AVERAGED_WITH = 100
"""Of one round."""


def report(
    addresses: Sequence[Address],
    peers: Sequence[PeerView],
    progress: Progress | None,
    rounds: Sequence[GoneRound] = (),
    blocked: Mapping[KeyId, str] = MappingProxyType({}),
) -> MeshReport:
    """As it travels."""
    return MeshReport(
        addresses=[str(address) for address in addresses],
        peers=[_peer(peer) for peer in peers[:MAX_PEERS]],
        progress=None if progress is None else _progress(progress),
        rounds=map(_round, rounds),
        blocked=[MeshBlocked(key=key.digest, name=name) for key, name in islice(blocked.items(), MAX_PEERS)],
    )


def _round(gone: GoneRound) -> MeshRound:
    return MeshRound(
        run_id=int(gone.base.run, 16),
        base_round=gone.base.round,
        number=gone.number,
        time=gone.time,
        loss=gone.loss,
        accuracy=gone.accuracy,
        divergence=gone.divergence,
        averaged_with=[key.digest for key in gone.averaged_with[:MAX_AVERAGED_WITH]],
    )


def but_for_latency(told: MeshReport) -> bytes:
    """A report without what changes all the time, so that two can be compared."""
    lasting = MeshReport()
    lasting.CopyFrom(told)
    for peer in lasting.peers:
        peer.ClearField("latency_s")
    return lasting.SerializeToString(deterministic=True)


def _peer(peer: PeerView) -> MeshPeer:
    return MeshPeer(
        key=peer.key.digest, state=peer.state, hops=peer.hops or 0, latency_s=peer.latency_s or 0.0
    )


def _progress(progress: Progress) -> MeshProgress:
    base = progress.base
    return MeshProgress(
        run_id=int(base.run, 16),
        contribution=progress.number,
        generation=base.generation,
        base_round=base.round,
        rounds=progress.rounds,
    )
