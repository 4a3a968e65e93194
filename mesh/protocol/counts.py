"""What was dropped, by reason, in all and by whom it is to be put down to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from shared.security.key_id import KeyId


class Reason(StrEnum):
    """Why something was not taken."""

    MALFORMED = "malformed"
    """It does not follow the protocol."""
    TOO_LARGE = "too-large"
    UNKNOWN_SENDER = "unknown-sender"
    """It was sent by nobody that this node trusts."""
    BAD_SIGNATURE = "bad-signature"
    OLDER_EPOCH = "older-epoch"
    """Of an earlier start of its sender, or for an earlier one of this node."""
    REPLAY = "replay"
    """It has come before, or is too old to tell."""
    HOPS = "hops-used-up"
    NO_ROUTE = "no-route"
    """It was to be passed on, and there is no way to its receiver."""
    RATE = "rate"
    """More comes than may."""
    QUEUE_FULL = "queue-full"
    """It was for a neighbour that takes less than is sent to it."""
    NOT_ASKED = "not-asked"
    """A chunk, or a confirmation, that nobody waits for."""
    PEERS_NOT_ASKED = "peers-not-asked"
    """It tells where members are, and nobody has asked for it, or not for all of them."""
    WRONG_CHUNK = "wrong-chunk"
    """A chunk that is not part of the content that it was sent as."""


class Counts:
    """Of one node, since it was started. Duplicates of floods come by every link and are counted apart.

    What a member has verifiably signed is put down to it; anything else to the neighbour that it came by.
    """

    def __init__(self) -> None:
        self.duplicates = 0
        self._dropped: Counter[Reason] = Counter()
        self._by_peer: dict[KeyId, Counter[Reason]] = {}

    def drop(self, reason: Reason, peer: KeyId | None = None) -> None:
        """One more."""
        self._dropped[reason] += 1
        if peer is not None:
            self._by_peer.setdefault(peer, Counter())[reason] += 1

    def forget(self, peer: KeyId) -> None:
        """It is no member any more; the sums stay."""
        self._by_peer.pop(peer, None)

    @property
    def dropped(self) -> Mapping[Reason, int]:
        """In all."""
        return dict(self._dropped)

    def dropped_of(self, peer: KeyId) -> Mapping[Reason, int]:
        """Of what is put down to this one."""
        return dict(self._by_peer.get(peer, {}))

    @property
    def by_peer(self) -> Mapping[KeyId, Mapping[Reason, int]]:
        """The same, of all that have sent anything of the kind."""
        return self._by_peer
