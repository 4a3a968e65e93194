"""Decided: what the audit log tells of decisions on who may join, on whom the server vouches for, and on its
key.

Of an invitation's secret it tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from app.audit.entry import Kind
from app.records import Client, IssuedInvitation, Member, MeshBlock
from shared.proto.link_pb2 import NextKey
from shared.security.keys import PublicKey


@dataclass(frozen=True)
class Decision:
    """An entry, but for who has decided."""

    kind: Kind
    fields: Mapping[str, Any]

    @classmethod
    def on(cls, kind: Kind, member: Member) -> Self:
        """On a key that was approved, rejected or revoked."""
        return cls(kind, {"client": member.client_id, "key": member.key})

    @classmethod
    def readmitted(cls, member: Member, before: Member | None) -> Self:
        """A key is let in again, or in the place of another."""
        about = {"client": member.client_id, "key": member.key}
        return cls(Kind.CLIENT_READMITTED, {**about, "before": None if before is None else before.key})

    @classmethod
    def forgotten(cls, client: Client) -> Self:
        """A client that is gone was forgotten."""
        return cls(Kind.CLIENT_FORGOTTEN, {"client": client.id, "key": client.key})

    @classmethod
    def invited(cls, invitation: IssuedInvitation) -> Self:
        """An invitation was made."""
        about = {
            "invitation": invitation.id,
            "type": invitation.kind,
            "label": invitation.label,
            "max_uses": invitation.max_uses,
            "expires_at": invitation.expires_at,
        }
        return cls(Kind.INVITATION_MADE, about)

    @classmethod
    def not_invited_any_more(cls, invitation: IssuedInvitation) -> Self:
        """An invitation was revoked."""
        return cls(Kind.INVITATION_REVOKED, {"invitation": invitation.id, "label": invitation.label})

    @classmethod
    def blocked_in_mesh(cls, block: MeshBlock) -> Self:
        """The server does not vouch for a key any more."""
        about = {"client": block.client, "key": block.key, "reason": block.reason}
        return cls(Kind.MESH_BLOCKED, about)

    @classmethod
    def unblocked_in_mesh(cls, block: MeshBlock) -> Self:
        """It does again."""
        return cls(Kind.MESH_UNBLOCKED, {"client": block.client, "key": block.key})

    @classmethod
    def on_next_key(cls, notice: NextKey) -> Self:
        """The server's next key was announced."""
        following = PublicKey(notice.public_key)
        about = {"key": str(following.id), "public_key": following.der.hex()}
        return cls(Kind.NEXT_KEY_ANNOUNCED, {**about, "signature": notice.signature.hex()})
