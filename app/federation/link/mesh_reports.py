"""What a client says of its node in the mesh, as it is shown: its word, and no more than that."""

from __future__ import annotations

import math

from app.records import (
    ClientMesh,
    MeshBlocked,
    MeshFolder,
    MeshNow,
    MeshPeer,
    MeshProgress,
    MeshRefusal,
    MeshRound,
    MeshStory,
    MeshWay,
)
from app.records.mesh import (
    MAX_ADDRESSES,
    MAX_AVERAGED_WITH,
    MAX_FOLDERS,
    MAX_MESH_ROUNDS,
    MAX_PEERS,
    MAX_REFUSALS,
)
from mesh.files.settings import FOLDER_ID
from mesh.refusals import OTHER, WORDS
from shared.address import parse_address
from shared.errors import WireError
from shared.mesh_contribution import MAX_NUMBER
from shared.proto.link_pb2 import MeshBlocked as BlockedFrame
from shared.proto.link_pb2 import MeshFolder as FolderFrame
from shared.proto.link_pb2 import MeshNow as NowFrame
from shared.proto.link_pb2 import MeshPeer as PeerFrame
from shared.proto.link_pb2 import MeshProgress as ProgressFrame
from shared.proto.link_pb2 import MeshRefusal as RefusalFrame
from shared.proto.link_pb2 import MeshReport
from shared.proto.link_pb2 import MeshRound as RoundFrame
from shared.proto.link_pb2 import MeshWay as WayFrame
from shared.run_spec import MAX_ROUNDS
from shared.security.key_id import ID_BYTES, KeyId

MAX_NAME = 100
"""Characters; names are checked where nodes are paired, not here."""

_FOLDER_NUMBERS = (
    "files",
    "in_sync",
    "bytes",
    "conflicts",
    "coming",
    "chunks",
    "of_chunks",
    "refused",
    "peers",
    "alike",
)
_THERE = frozenset({"online", "rejoined"})
_STATES = _THERE | {"stale", "offline"}


def mesh_of(report: MeshReport) -> ClientMesh:
    """Raises WireError for what no client says."""
    if len(report.addresses) > MAX_ADDRESSES or len(report.peers) > MAX_PEERS:
        raise WireError("It reports more of the mesh than is taken.")
    try:
        addresses = tuple(str(parse_address(text)) for text in report.addresses)
    except ValueError as error:
        raise WireError(f"It reports an address in the mesh that is none: {error}") from error
    return ClientMesh(
        addresses=addresses,
        progress=_progress(report.progress) if report.HasField("progress") else None,
        rounds=min(len(report.rounds), MAX_MESH_ROUNDS),
        online=sum(peer.state in _THERE for peer in report.peers),
    )


def peers_of(report: MeshReport) -> tuple[MeshPeer, ...]:
    """The others as a client sees them. Raises WireError for what no client says.

    They are not in the client's record, which is published whenever anything of it changes.
    """
    return tuple(map(_peer, report.peers))


def story_of(report: MeshReport) -> MeshStory:
    """Raises WireError for what no client says."""
    if len(report.rounds) > MAX_MESH_ROUNDS or len(report.blocked) > MAX_PEERS:
        raise WireError("It reports more of its time in the mesh than is taken.")
    return MeshStory(rounds=tuple(map(_round, report.rounds)), blocked=tuple(map(_blocked, report.blocked)))


def now_of(report: NowFrame, at: float) -> MeshNow:
    """`at`: when it came. Raises WireError for what no client says."""
    if (
        len(report.ways) > MAX_PEERS
        or len(report.folders) > MAX_FOLDERS
        or len(report.refused) > MAX_REFUSALS
    ):
        raise WireError("It reports more of the mesh than is taken.")
    return MeshNow(
        time=at,
        ways=tuple(map(_way, report.ways)),
        folders=tuple(map(_folder, report.folders)),
        refused=tuple(map(_refusal, report.refused)),
    )


def _way(frame: WayFrame) -> MeshWay:
    rates = {
        name: getattr(frame, name) if frame.HasField(name) else None
        for name in ("sent_per_s", "received_per_s")
    }
    told = [frame.latency_s, *(rate for rate in rates.values() if rate is not None)]
    if not all(math.isfinite(number) and number >= 0 for number in told):
        raise WireError("It reports a way in the mesh that cannot be.")
    return MeshWay(key=_key(frame.key), latency_s=frame.latency_s or None, **rates)


def _folder(frame: FolderFrame) -> MeshFolder:
    numbers = {name: getattr(frame, name) for name in _FOLDER_NUMBERS}
    is_one = max(numbers.values()) <= MAX_NUMBER and frame.in_sync <= frame.files
    if not is_one or not FOLDER_ID.fullmatch(frame.id):
        raise WireError("It reports a folder in the mesh that cannot be.")
    return MeshFolder(id=frame.id, receive_only=frame.receive_only, failed=frame.failed, **numbers)


def _refusal(frame: RefusalFrame) -> MeshRefusal:
    """A reason that a later FedLoom knows is one of those that are not known here."""
    if not 1 <= frame.count <= MAX_NUMBER:
        raise WireError("It reports a refusal in the mesh that cannot be.")
    reason = frame.reason if frame.reason in WORDS else OTHER
    key = _key(frame.key) if frame.key else None
    return MeshRefusal(key=key, reason=reason, words=WORDS[reason], count=frame.count)


def _progress(frame: ProgressFrame) -> MeshProgress:
    numbers = frame.contribution, frame.generation
    is_one = all(1 <= number <= MAX_NUMBER for number in numbers)
    if not is_one or frame.base_round > MAX_ROUNDS or not frame.rounds:
        raise WireError("It reports progress in the mesh that cannot be.")
    return MeshProgress(
        run_id=f"{frame.run_id:08x}",
        contribution=frame.contribution,
        generation=frame.generation,
        base_round=frame.base_round,
        rounds=frame.rounds,
    )


def _round(frame: RoundFrame) -> MeshRound:
    numbers = {
        name: getattr(frame, name) if frame.HasField(name) else None
        for name in ("loss", "accuracy", "divergence")
    }
    told = [number for number in (frame.time, *numbers.values()) if number is not None]
    is_one = frame.number >= 1 and frame.base_round <= MAX_ROUNDS and all(map(math.isfinite, told))
    if not is_one or len(frame.averaged_with) > MAX_AVERAGED_WITH:
        raise WireError("It reports a round in the mesh that cannot be.")
    return MeshRound(
        run_id=f"{frame.run_id:08x}",
        base_round=frame.base_round,
        number=frame.number,
        time=frame.time,
        averaged_with=tuple(map(_key, frame.averaged_with)),
        **numbers,
    )


def _blocked(frame: BlockedFrame) -> MeshBlocked:
    return MeshBlocked(key=_key(frame.key), name=frame.name[:MAX_NAME])


def _key(digest: bytes) -> str:
    if len(digest) != ID_BYTES:
        raise WireError("It reports a key in the mesh that is none.")
    return str(KeyId(digest))


def _peer(frame: PeerFrame) -> MeshPeer:
    if frame.state not in _STATES or not math.isfinite(frame.latency_s):
        raise WireError("It reports a peer in the mesh that cannot be.")
    return MeshPeer(
        key=_key(frame.key),
        state=frame.state,
        hops=frame.hops or None,
        latency_s=frame.latency_s or None,
    )
