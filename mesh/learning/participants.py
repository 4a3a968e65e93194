"""Participants: who learns from the same base, how far each is, to whom to send, and for whom to wait."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from mesh.learning.base import Base
from mesh.learning.messages import News
from shared.security.key_id import KeyId

Member = TypeVar("Member")


def others_in_circle(members: Sequence[Member], me: Member, seed: int) -> list[Member]:
    """All others in the order in which they follow one in a random circle of all.

    Who sends to the next ones of a circle that all draw alike is sent to by as many: no mass gathers by
    chance, as where each draws for itself (EL-Oracle and EL-Local in de Vos et al. 2023, section 3). With
    different views of who is there, it is still random.
    """
    circle = list(members)
    random.Random(seed).shuffle(circle)
    place = circle.index(me)
    return circle[place + 1 :] + circle[:place]


@dataclass(frozen=True)
class Participant:
    """A peer as it was heard of last."""

    base: Base
    session: str
    mesh_round: int
    samples: int


class Participants:
    """The other nodes that take part, by what they have told."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._peers: dict[KeyId, Participant] = {}
        self._left: dict[KeyId, str] = {}
        """The last session of each that has ended; its news may still come."""
        self._not_waited_for: set[KeyId] = set()

    def heard(self, key: KeyId, news: News) -> bool:
        """Take in what a peer has told. Whether it is a process that was not known."""
        if news.leaving:
            self.left(key, news.session)
        told = Participant(news.base.base, news.session, news.mesh_round, news.samples)
        before = self._peers.get(key)
        if before is None or before.session != told.session:
            self._peers[key] = told
            self._not_waited_for.discard(key)
            return True
        # Messages change their order: what only grows is not taken back.
        self._peers[key] = replace(
            told,
            mesh_round=max(before.mesh_round, told.mesh_round),
        )
        return False

    def left(self, key: KeyId, session: str) -> None:
        """A peer's process takes part no longer."""
        self._left[key] = session

    def get(self, key: KeyId) -> Participant | None:
        """A peer that learns from the same base, and has not left."""
        peer = self._peers.get(key)
        if peer is None or peer.base != self._base or self._left.get(key) == peer.session:
            return None
        return peer

    def active(self, reachable: Collection[KeyId]) -> list[KeyId]:
        """Those of the reachable that take part, in the order of their keys."""
        return sorted((key for key in reachable if self.get(key)), key=lambda key: key.digest)

    def other_bases(self, reachable: Collection[KeyId]) -> dict[KeyId, Base]:
        """Those that learn from another model, which may be newer or older."""
        peers = self._peers
        return {key: peers[key].base for key in reachable if key in peers and peers[key].base != self._base}

    def samples_of_all(self) -> int:
        """Of all that have ever been heard of in this base: no mass can be more, with one's own."""
        return sum(peer.samples for peer in self._peers.values() if peer.base == self._base)

    def receivers(
        self, me: KeyId, count: int, reachable: Collection[KeyId], busy: Collection[KeyId], seed: int
    ) -> list[KeyId]:
        """At most `count` of those that take part and are not busy, whatever their distance: the next in the
        round's circle."""
        members = sorted({me, *self.active(reachable)}, key=lambda key: key.digest)
        return [key for key in others_in_circle(members, me, seed) if key not in busy][:count]

    def behind(self, mesh_round: int, reachable: Collection[KeyId]) -> list[KeyId]:
        """Those who are worth waiting for, as they have not done this round yet."""
        behind = self._behind(mesh_round, reachable)
        self._not_waited_for &= set(behind)  # the others have caught up
        return [key for key in behind if key not in self._not_waited_for]

    def gave_up_on(self, mesh_round: int, reachable: Collection[KeyId]) -> None:
        """Nobody waits again for those that are behind, until they have caught up."""
        self._not_waited_for = set(self._behind(mesh_round, reachable))

    def _behind(self, mesh_round: int, reachable: Collection[KeyId]) -> list[KeyId]:
        return [key for key in self.active(reachable) if self._peers[key].mesh_round < mesh_round]
