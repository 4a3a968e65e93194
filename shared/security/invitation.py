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
_BY_APPROVAL = {"join": "approval"}
"""In place of a token, so that an invitation that was cut is not taken for one without."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")


class InvitationInvalid(FedLoomError):
    """A text is no invitation."""


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
        token = fields.get("token", "")
        if token and _TOKEN.fullmatch(token) is None:
            raise InvitationInvalid("The token in the invitation is cut short, or changed. Copy all of it.")
        return cls(address, key, token)

    def __str__(self) -> str:
        way = {"token": self.token} if self.token else _BY_APPROVAL
        query = urlencode({"key": str(self.key).replace("-", ""), **way})
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
    if not fields.get("key"):
        raise InvitationInvalid("The invitation has no key. Copy all of it.")
    if not fields.get("token") and not fields.items() >= _BY_APPROVAL.items():
        raise InvitationInvalid("The invitation has no token. Copy all of it.")
    return fields
