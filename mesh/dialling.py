"""Dialling: to which members a node connects, when, and where. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from random import Random

from mesh.members import Member
from shared.address import Address
from shared.security.key_id import KeyId

WANTED_LINKS = 8
"""With more members than that, a node chooses: random graphs of this degree are connected, and few hops
wide."""
AT_ONCE = 4
"""Attempts that are under way."""
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 15.0


@dataclass
class _Attempts:
    failed: int = 0
    again_at: float = 0.0
    at: Address | None = None
    """Where it was tried last."""


@dataclass
class Dialling:
    """What works is kept; what does not is tried at longer and longer intervals, which differ between nodes
    so that they do not all come at once."""

    rng: Random
    wanted: int = WANTED_LINKS
    _attempts: dict[KeyId, _Attempts] = field(default_factory=dict)
    _under_way: set[KeyId] = field(default_factory=set)

    def choose(
        self,
        members: Mapping[KeyId, Member],
        linked: Collection[KeyId],
        unreachable: Collection[KeyId],
        now: float,
    ) -> list[tuple[KeyId, Address]]:
        """Whom to connect to now. Members that cannot be reached are tried also by a node that has links
        enough: that is how halves of a network find together again."""
        places = AT_ONCE - len(self._under_way)
        due = [
            peer
            for peer, member in members.items()
            if member.addresses
            and peer not in linked
            and peer not in self._under_way
            and self._of(peer).again_at <= now
        ]
        self.rng.shuffle(due)
        due.sort(key=lambda peer: peer not in unreachable)
        lacking = self.wanted - len(linked) - len(self._under_way)
        chosen = [peer for number, peer in enumerate(due) if peer in unreachable or number < lacking]
        return [(peer, self._begin(peer, members[peer].addresses)) for peer in chosen[: max(0, places)]]

    def succeeded(self, peer: KeyId) -> None:
        """There is a connection; whether it lasts, will be seen."""
        self._under_way.discard(peer)

    def forgive(self, peer: KeyId) -> None:
        """Connections to it last: what failed before does not count."""
        self._attempts.pop(peer, None)

    def failed(self, peer: KeyId, now: float) -> None:
        """There is none, or it is gone."""
        self._under_way.discard(peer)
        attempts = self._of(peer)
        longest = min(FIRST_WAIT_S * 2**attempts.failed, LONGEST_WAIT_S)
        attempts.failed = min(attempts.failed + 1, 16)
        attempts.again_at = now + longest * self.rng.uniform(0.5, 1.0)

    def _begin(self, peer: KeyId, addresses: tuple[Address, ...]) -> Address:
        """The newest address first, then one after the other."""
        attempts = self._of(peer)
        if attempts.at in addresses and attempts.failed:
            attempts.at = addresses[addresses.index(attempts.at) - 1]
        else:
            attempts.at = addresses[-1]
        self._under_way.add(peer)
        return attempts.at

    def _of(self, peer: KeyId) -> _Attempts:
        return self._attempts.setdefault(peer, _Attempts())
