"""What all invitations have in common: one line with an address, a key and a few fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlencode

from shared.address import Address, parse_address
from shared.errors import FedLoomError
from shared.security.key_id import KeyId, KeyIdInvalid

MAX_CHARACTERS = 1_000

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")


class InvitationInvalid(FedLoomError):
    """A text is no invitation."""


@dataclass(frozen=True)
class InvitationText:
    """`SCHEME://HOST:PORT?key=…&…`: where somebody is, which key they have, and what else is said."""

    scheme: str
    address: Address
    key: KeyId
    fields: Mapping[str, str]
    """All but the key."""

    @classmethod
    def parse(cls, text: str, scheme: str) -> Self:
        """The inverse of `str`; what surrounds the text, and line breaks that a mail has put into it, is left
        out. A field `token` looks like one. Raises InvitationInvalid, which says what is wrong, without the
        secret.
        """
        text = "".join(text.split()).strip("<>'\"")
        if len(text) > MAX_CHARACTERS:
            raise InvitationInvalid(
                f"An invitation of {len(text):,} characters is none. Copy that text alone."
            )
        found, separator, rest = text.partition("://")
        if not separator or found.lower() != scheme:
            raise InvitationInvalid(f"An invitation begins with {scheme}://. Copy all of it.")
        place, _, query = rest.partition("?")
        address = parse_place(place.rstrip("/"))
        fields = _fields(query)
        try:
            key = KeyId.parse(fields.pop("key"))
        except KeyIdInvalid as error:
            raise InvitationInvalid(f"The key in the invitation cannot be used. {error}") from error
        token = fields.get("token", "")
        if token and _TOKEN.fullmatch(token) is None:
            raise InvitationInvalid("The token in the invitation is cut short, or changed. Copy all of it.")
        return cls(scheme, address, key, fields)

    def __str__(self) -> str:
        query = urlencode({"key": str(self.key).replace("-", ""), **self.fields})
        return f"{self.scheme}://{self.address}?{query}"


def parse_place(text: str) -> Address:
    """An address in an invitation. Raises InvitationInvalid."""
    try:
        return parse_address(text)
    except ValueError as error:
        raise InvitationInvalid(f"The address in the invitation cannot be used: {error}.") from error


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
    return fields
