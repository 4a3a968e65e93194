"""What a node shows of itself and of its network, as values that go into JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mesh.connection import Traffic
from mesh.members import Member
from mesh.node import PeerView
from mesh.protocol.counts import Reason
from mesh.protocol.node import Node
from mesh.refused_models import RefusedModels
from shared.security.key_id import KeyId


@dataclass(frozen=True)
class PeerStatus:
    """A member. Keys are as people write them (`KeyId`)."""

    key: str
    name: str
    origin: str
    state: str
    hops: int | None
    latency_s: float | None
    age_s: float | None
    """Since something of it came; None: nothing has, since this node was started."""
    addresses: Sequence[str]
    sent_bytes: int
    """Over the link to it, whoever it was for; 0 without a link."""
    received_bytes: int
    dropped: Mapping[str, int]
    """Of what it has signed, and of what came by it from nobody who could be told, by reason."""
    refused_models: Mapping[str, int]
    """Of its own, that were not averaged, by reason."""


@dataclass(frozen=True)
class LinkStatus:
    """A link between two nodes, by the word of both."""

    one: str
    other: str
    latency_s: float | None


@dataclass(frozen=True)
class MeshStatus:
    """At one moment."""

    key: str
    name: str
    epoch: int
    listening: Sequence[str]
    peers: Sequence[PeerStatus]
    links: Sequence[LinkStatus]
    one_sided: Sequence[LinkStatus]
    """Links that do not count: `one` states them, `other` does not. Where links come and go, that is so for a
    moment; for longer, `one` lies."""
    dropped: Mapping[str, int]
    """By reason, since the node was started."""
    refused: Mapping[str, int]
    """Connections that were not taken, by reason."""
    refused_models: Mapping[str, int]
    """That were not averaged, by reason, since the node was started."""
    duplicates: int
    sent_bytes: int
    received_bytes: int

    def to_json(self) -> dict[str, Any]:
        """As values of JSON."""
        return asdict(self)


def peer_statuses(
    node: Node,
    members: Mapping[KeyId, Member],
    traffics: Mapping[KeyId, Traffic],
    models: RefusedModels,
    now: float,
) -> list[PeerStatus]:
    """All members, as a node sees them."""
    return [
        _peer(node, view, members[view.key], traffics.get(view.key), models, now) for view in node.peers(now)
    ]


def link_statuses(node: Node) -> list[LinkStatus]:
    """All links that count."""
    return [
        LinkStatus(str(one), str(other), latency_s)
        for (one, other), latency_s in node.topology.links().items()
    ]


def one_sided(node: Node) -> list[LinkStatus]:
    """Links that one end alone states."""
    return [
        LinkStatus(str(one), str(other), latency_s) for one, other, latency_s in node.topology.one_sided()
    ]


def by_name(dropped: Mapping[Reason, int]) -> dict[str, int]:
    """Counts, for JSON."""
    return {reason.value: number for reason, number in dropped.items()}


def _peer(
    node: Node, view: PeerView, member: Member, traffic: Traffic | None, models: RefusedModels, now: float
) -> PeerStatus:
    heard_at = node.heard_at(view.key)
    return PeerStatus(
        key=str(view.key),
        name=view.name,
        origin=member.origin.value,
        state=view.state.value,
        hops=view.hops,
        latency_s=view.latency_s,
        age_s=None if heard_at is None else now - heard_at,
        addresses=[str(address) for address in member.addresses],
        sent_bytes=traffic.sent if traffic else 0,
        received_bytes=traffic.received if traffic else 0,
        dropped=by_name(node.counts.dropped_of(view.key)),
        refused_models=models.of(view.key),
    )
