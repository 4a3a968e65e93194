"""MeshInvitation: what a node needs to be paired with another, in one line of text or one QR code."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Self

from shared.address import Address
from shared.security.invitation import SCHEME as SERVER_SCHEME
from shared.security.invitation_text import InvitationInvalid, InvitationText, parse_place
from shared.security.key_id import KeyId

SCHEME = "fedmesh"
TOKEN_BYTES = 16
"""Of randomness: too many to be guessed, so that no password-authenticated key exchange is needed."""
MAX_ADDRESSES = 4


def new_token() -> str:
    """A secret for one pairing."""
    return secrets.token_urlsafe(TOKEN_BYTES)


@dataclass(frozen=True)
class MeshInvitation:
    """Where a node may be found, which key it has, and a secret that is good for one pairing.

    As text: `fedmesh://HOST:PORT?key=…&token=…`, with `&also=HOST:PORT,…` for further addresses.
    """

    addresses: tuple[Address, ...]
    """At least one, of which the first one that answers with the key is taken."""
    key: KeyId
    token: str

    def __post_init__(self) -> None:
        if not 0 < len(self.addresses) <= MAX_ADDRESSES:
            raise InvitationInvalid(f"An invitation to a mesh has 1 to {MAX_ADDRESSES} addresses.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`, as InvitationText has it. Raises InvitationInvalid."""
        if "".join(text.split()).strip("<>'\"").lower().startswith(f"{SERVER_SCHEME}://"):
            raise InvitationInvalid(
                "This is an invitation to a server: give it to run_client.py, with --invite. One to a mesh "
                f"begins with {SCHEME}://."
            )
        said = InvitationText.parse(text, SCHEME)
        if not said.fields.get("token"):
            raise InvitationInvalid("The invitation has no token. Copy all of it.")
        others = said.fields.get("also", "")
        places = map(parse_place, others.split(",") if others else ())
        return cls(tuple(dict.fromkeys((said.address, *places))), said.key, said.fields["token"])

    def __str__(self) -> str:
        first, *others = self.addresses
        also = {"also": ",".join(map(str, others))} if others else {}
        return str(InvitationText(SCHEME, first, self.key, {"token": self.token, **also}))

    def __repr__(self) -> str:
        """Without the secret, for logs and tracebacks."""
        return f"MeshInvitation(addresses={self.addresses}, key={self.key.short}…)"
