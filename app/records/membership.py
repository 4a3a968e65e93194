"""Who may join, and by which invitation."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from app.records.base import Record


class MembershipState(StrEnum):
    """Whether a key may join under a name."""

    PENDING = "pending"
    """it waits until an administrator approves or rejects it"""
    ADMITTED = "admitted"
    REJECTED = "rejected"
    """an administrator did not want it"""
    REVOKED = "revoked"
    """it was admitted, and is no longer"""


class Member(Record):
    """What was decided on a key: that of one client, under one name."""

    key: str = Field(description="its id, in groups")
    client_id: str
    state: MembershipState
    invitation: str | None = Field(default=None, description="id of the invitation that it came by")
    ephemeral: bool = Field(default=False, description="it is forgotten when it leaves")
    since: float


class InvitationKind(StrEnum):
    ONE_OFF = "one-off"
    """for one client"""
    REUSABLE = "reusable"
    """for any number of clients, or as many as it says"""
    EPHEMERAL = "ephemeral"
    """the same, for clients that are forgotten when they leave"""


class InvitationState(StrEnum):
    OPEN = "open"
    USED_UP = "used-up"
    EXPIRED = "expired"
    REVOKED = "revoked"


class IssuedInvitation(Record):
    """An invitation as the server knows it: without its secret, of which only a hash is kept."""

    id: str
    kind: InvitationKind
    label: str = Field(default="", description="for whom it is, in words")
    max_uses: int | None = Field(default=None, description="clients that may join by it; null: any number")
    uses: int = Field(default=0, description="clients that have joined by it")
    created_at: float
    expires_at: float | None = Field(default=None, description="null: never")
    revoked_at: float | None = None

    def state(self, now: float) -> InvitationState:
        """Whether somebody may join by it."""
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        if self.max_uses is not None and self.uses >= self.max_uses:
            return InvitationState.USED_UP
        if self.expires_at is not None and now >= self.expires_at:
            return InvitationState.EXPIRED
        return InvitationState.OPEN
