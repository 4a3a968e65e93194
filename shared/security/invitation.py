"""Invitation: what a site needs to join, in one line of text or one QR code. It holds no private key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlencode

from shared.address import Address, parse_address
from shared.errors import FedLoomError
from shared.security.key_id import KeyId, KeyIdInvalid

SCHEME = "fedloom"
MAX_CHARACTERS = 1_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")


class InvitationInvalid(FedLoomError):
    """A text is no invitation."""


@dataclass(frozen=True)
class Invitation:
    """Where the server is, which key it has, and a secret by which it knows who was invited.

    As text: `fedloom://HOST:PORT?key=…&token=…`.
    """

    address: Address
    key: KeyId
    token: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`; what surrounds the text, and line breaks that a mail has put into it, is left
        out. Raises InvitationInvalid, which says what is wrong, without the secret.
        """
        text = "".join(text.split()).strip("<>'\"")
        if len(text) > MAX_CHARACTERS:
            raise InvitationInvalid(
                f"An invitation of {len(text):,} characters is none. Copy that text alone."
            )
        scheme, separator, rest = text.partition("://")
        if not separator or scheme.lower() != SCHEME:
            raise InvitationInvalid(f"An invitation begins with {SCHEME}://. Copy all of it.")
        place, _, query = rest.partition("?")
        try:
            address = parse_address(place.rstrip("/"))
        except ValueError as error:
            raise InvitationInvalid(f"The address in the invitation cannot be used: {error}.") from error
        fields = _fields(query)
        try:
            key = KeyId.parse(fields["key"])
        except KeyIdInvalid as error:
            raise InvitationInvalid(f"The server's key in the invitation cannot be used. {error}") from error
        if _TOKEN.fullmatch(fields["token"]) is None:
            raise InvitationInvalid("The token in the invitation is cut short, or changed. Copy all of it.")
        return cls(address, key, fields["token"])

    def __str__(self) -> str:
        query = urlencode({"key": str(self.key).replace("-", ""), "token": self.token})
        return f"{SCHEME}://{self.address}?{query}"

    def __repr__(self) -> str:
        """Without the secret, for logs and tracebacks."""
        return f"Invitation(address={self.address}, key={self.key.short}…)"


def _fields(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=20)
    except ValueError as error:
        raise InvitationInvalid("The invitation cannot be read. Copy that text alone.") from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise InvitationInvalid("The invitation says something twice: two may have been run together.")
    for name in ("key", "token"):
        if not fields.get(name):
            raise InvitationInvalid(f"The invitation has no {name}. Copy all of it.")
    return fields
