"""Invitation: what a site needs to join, in one line of text or one QR code. It holds no private key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from shared.address import Address
from shared.security.invitation_text import MAX_CHARACTERS, InvitationInvalid, InvitationText
from shared.security.key_id import KeyId

__all__ = ["MAX_CHARACTERS", "SCHEME", "Invitation", "InvitationInvalid"]

SCHEME = "fedloom"
_BY_APPROVAL = {"join": "approval"}
"""In place of a token, so that an invitation that was cut is not taken for one without."""


@dataclass(frozen=True)
class Invitation:
    """Where the server is, which key it has, and a secret by which it knows who was invited.

    As text: `fedloom://HOST:PORT?key=…&token=…`. Without a secret, `…&join=approval`: whoever comes by that
    waits until an administrator lets them in.
    """

    address: Address
    key: KeyId
    token: str = ""
    """Empty: without a secret."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`, as InvitationText has it. Raises InvitationInvalid."""
        said = InvitationText.parse(text, SCHEME)
        token = said.fields.get("token", "")
        if not token and not said.fields.items() >= _BY_APPROVAL.items():
            raise InvitationInvalid("The invitation has no token. Copy all of it.")
        return cls(said.address, said.key, token)

    def __str__(self) -> str:
        way = {"token": self.token} if self.token else _BY_APPROVAL
        return str(InvitationText(SCHEME, self.address, self.key, way))

    def __repr__(self) -> str:
        """Without the secret, for logs and tracebacks."""
        return f"Invitation(address={self.address}, key={self.key.short}…)"
