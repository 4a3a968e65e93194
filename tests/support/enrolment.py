"""Members and invitations in memory alone, for tests that are about something else."""

from __future__ import annotations

from app.enrolment.enrolment import Enrolment
from app.records import IssuedInvitation, Member
from app.store.enrolment import NotOpen
from shared.security.server_identity import ServerIdentity


class InMemory:
    """As `app.store.enrolment.EnrolmentStore`; `test_enrolment_store.py` holds both to the same."""

    def __init__(self) -> None:
        self._members: dict[str, Member] = {}
        self._invitations: dict[str, IssuedInvitation] = {}

    def members(self) -> list[Member]:
        return sorted(self._members.values(), key=lambda member: (member.since, member.key))

    def invitations(self) -> dict[str, IssuedInvitation]:
        return dict(self._invitations)

    def put(self, *members: Member) -> None:
        self._members |= {member.key: member for member in members}

    def join(self, member: Member) -> None:
        if member.invitation is not None:
            hashed, invitation = self._find(member.invitation)
            spent = invitation.max_uses is not None and invitation.uses >= invitation.max_uses
            if spent or invitation.revoked_at is not None:
                raise NotOpen
            self._invitations[hashed] = invitation.changed(uses=invitation.uses + 1)
        self._members[member.key] = member

    def forget(self, key: str) -> None:
        self._members.pop(key, None)

    def add(self, invitation: IssuedInvitation, token_hash: str) -> None:
        self._invitations[token_hash] = invitation

    def revoke(self, invitation_id: str, at: float) -> None:
        hashed, invitation = self._find(invitation_id)
        self._invitations[hashed] = invitation.changed(revoked_at=at)

    def _find(self, invitation_id: str) -> tuple[str, IssuedInvitation]:
        return next(each for each in self._invitations.items() if each[1].id == invitation_id)


def an_enrolment(identity: ServerIdentity) -> Enrolment:
    """Of a server to which nobody has been invited but by its local invitation."""
    return Enrolment(InMemory(), identity.is_invited)
