"""What changes all the time of a client's node: how far the others are, what goes over each link, how far its
shared folders are, and what it has refused. Told to the server apart from the rest, which is long and seldom
changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from client.offline.report import MAX_PEERS
from mesh.connection import Traffic
from mesh.files.states import FileCondition, FolderView
from mesh.node import PeerView
from mesh.refusals import Refusal
from shared.proto.link_pb2 import MeshFolder, MeshNow, MeshRefusal, MeshWay
from shared.security.key_id import KeyId

MAX_FOLDERS = 100
MAX_REFUSALS = 500
"""The most frequent."""


class Rates:
    """Bytes a second over each link, since they were asked for last. Times are monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at = clock()
        self._before: Mapping[KeyId, Traffic] = {}
        self._rates: Mapping[KeyId, tuple[float, float]] = {}

    @property
    def newest(self) -> Mapping[KeyId, tuple[float, float]]:
        """Sent and received, as `measure` has found them last."""
        return self._rates

    def measure(self, traffics: Mapping[KeyId, Traffic]) -> None:
        """`traffics`: of each link, since it is there. One that was made anew counts from nothing."""
        now = self._clock()
        passed = max(now - self._at, 1e-3)
        self._rates = {
            peer: _rate(traffic, self._before.get(peer), passed) for peer, traffic in traffics.items()
        }
        self._at, self._before = now, dict(traffics)


def now_frame(
    peers: Sequence[PeerView],
    rates: Mapping[KeyId, tuple[float, float]],
    folders: Sequence[FolderView],
    refused: Sequence[Refusal] = (),
) -> MeshNow:
    """As it travels."""
    reached = [peer for peer in peers if peer.hops is not None][:MAX_PEERS]
    return MeshNow(
        ways=[_way(peer, rates.get(peer.key)) for peer in reached],
        folders=[_folder(view) for view in folders[:MAX_FOLDERS]],
        refused=[_refusal(each) for each in refused[:MAX_REFUSALS]],
    )


def _rate(now: Traffic, before: Traffic | None, passed: float) -> tuple[float, float]:
    if before is None or now.sent < before.sent or now.received < before.received:
        before = Traffic(0, 0)
    return (now.sent - before.sent) / passed, (now.received - before.received) / passed


def _way(peer: PeerView, rates: tuple[float, float] | None) -> MeshWay:
    sent, received = rates or (None, None)
    return MeshWay(
        key=peer.key.digest, latency_s=peer.latency_s or 0.0, sent_per_s=sent, received_per_s=received
    )


def _refusal(refusal: Refusal) -> MeshRefusal:
    key = b"" if refusal.peer is None else KeyId.parse(refusal.peer).digest
    return MeshRefusal(key=key, reason=refusal.reason, count=refusal.count)


def _folder(view: FolderView) -> MeshFolder:
    coming = [state for state in view.not_in_sync if state.condition is FileCondition.COMING]
    return MeshFolder(
        id=view.id,
        receive_only=view.receive_only,
        files=view.files,
        in_sync=view.in_sync,
        bytes=view.bytes,
        conflicts=len(view.conflicts),
        coming=len(coming),
        chunks=sum(state.chunks for state in coming),
        of_chunks=sum(state.of_chunks for state in coming),
        refused=sum(each.count for each in view.refused),
        peers=view.peers,
        alike=min(view.alike, view.peers),
        failed=bool(view.problem),
    )
