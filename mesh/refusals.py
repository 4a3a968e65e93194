"""What a node has not taken from others, as one list: messages, connections, invitations, models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mesh.protocol.counts import Reason
from mesh.status import MeshStatus

OTHER = "other"
CONNECTION = "connection-"
MODEL = "model-"
"""What the codes of connections and of models begin with; those of messages and invitations are by
themselves."""

NO_REFUSALS = frozenset({Reason.NO_ROUTE, Reason.QUEUE_FULL})
"""Nothing is wrong with what could not be passed on."""

USUAL = frozenset(
    {
        Reason.UNKNOWN_SENDER,
        Reason.OLDER_EPOCH,
        Reason.HOPS,
        Reason.NOT_ASKED,
        f"{CONNECTION}old-epoch",
        f"{CONNECTION}full",
        f"{MODEL}unavailable",
    }
)
"""Codes of what honest nodes cause as well: where one starts anew, where a link is lost, where not all trust
all."""

WORDS: Mapping[str, str] = MappingProxyType(
    {
        Reason.MALFORMED: "a message that does not follow the protocol",
        Reason.TOO_LARGE: "a message that is larger than any may be",
        Reason.UNKNOWN_SENDER: "a message of somebody whom the node does not trust",
        Reason.BAD_SIGNATURE: "a forged message: its signature is wrong",
        Reason.OLDER_EPOCH: "a message of an earlier start of its sender, or for one of this node",
        Reason.REPLAY: "a message that has come before",
        Reason.HOPS: "a message that went on for too long, as in a circle",
        Reason.RATE: "more messages than may come",
        Reason.NOT_ASKED: "an answer for which nobody has asked",
        Reason.PEERS_NOT_ASKED: "word of where members are, for which nobody has asked",
        Reason.WRONG_CHUNK: "a chunk that is no part of its file or model",
        f"{CONNECTION}too-many": "a connection, of too many that did not say who they are",
        f"{CONNECTION}no-hello": "a connection that did not say who it is",
        f"{CONNECTION}stranger": "a connection of somebody whom the node does not trust",
        f"{CONNECTION}bad-hello": "a connection whose hello is not signed as it must be",
        f"{CONNECTION}old-epoch": "a connection of an earlier start of a member",
        f"{CONNECTION}full": "a connection more than the node takes",
        f"{CONNECTION}no-pairing": "somebody who came to pair while nobody waits for it",
        "unknown-token": "an invitation that the node has not made",
        "used-token": "an invitation that was used before",
        "expired-token": "an invitation that has expired",
        "void-token": "an invitation that is void, since somebody has tried to guess one",
        "not-taken": "somebody invited whom the node has blocked, or has no room for",
        f"{MODEL}mass": "a model that claims more weight than all who take part have",
        f"{MODEL}size": "a model of another size",
        f"{MODEL}unavailable": "a model whose bytes could not be had",
        f"{MODEL}unreadable": "bytes that are no model",
        f"{MODEL}arrays": "a model with other arrays",
        f"{MODEL}not-finite": "a model with infinite values, or with some that are no numbers",
        f"{MODEL}norm": "a model much larger than the node's own",
        OTHER: "something, for a reason that is not known here",
    }
)
"""What was refused, by the reason's code."""


@dataclass(frozen=True)
class Refusal:
    """How often a node has refused what came, for one reason."""

    peer: str | None
    """The id of the key, in groups, of the member who has signed it, or else by whom it came; None: of nobody
    who is one now."""
    reason: str
    """A code of WORDS."""
    count: int


def refusals(status: MeshStatus, invitations: Mapping[str, int]) -> list[Refusal]:
    """All of a node since it was started, the most frequent first. `invitations`: by the code."""
    found = [
        Refusal(peer, reason, count)
        for peer, counts in _by_peer(status, invitations).items()
        for reason, count in counts.items()
        if count > 0 and reason not in NO_REFUSALS
    ]
    return sorted(found, key=lambda each: (-each.count, each.peer or "", each.reason))


def _by_peer(status: MeshStatus, invitations: Mapping[str, int]) -> dict[str | None, Counter[str]]:
    nobody: Counter[str] = Counter(status.dropped)
    nobody.update({f"{CONNECTION}{reason}": count for reason, count in status.refused.items()})
    nobody.update(invitations)
    nobody.update(dict(_models(status.refused_models)))
    found: dict[str | None, Counter[str]] = {}
    for peer in status.peers:
        found[peer.key] = Counter({**peer.dropped, **dict(_models(peer.refused_models))})
        nobody.subtract(found[peer.key])
    found[None] = nobody
    return found


def _models(counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    for reason, count in counts.items():
        yield f"{MODEL}{reason}", count
