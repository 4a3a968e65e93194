"""A roster: whom a federation's server vouches for, so that its members know each other without pairing.

It travels and is kept as canonical JSON, and is good only with the server's signature under all of it.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from shared.address import Address, parse_address
from shared.canonical import canonical, from_canonical
from shared.errors import FedLoomError
from shared.names import CLIENT_ID
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyPair, KeyUnusable, PublicKey
from shared.security.statement import Purpose, statement

MAX_MEMBERS = 1_000
MAX_ADDRESSES = 8
"""Of one member."""
MAX_ROSTER_BYTES = 4 << 20
MAX_NUMBER = 1 << 53
"""Up to which every reader of JSON has whole numbers."""


class RosterInvalid(FedLoomError):
    """What came as a roster is none, or none of this server's."""


@dataclass(frozen=True)
class RosterEntry:
    """One of a federation's members."""

    name: str
    key: PublicKey
    addresses: tuple[Address, ...] = ()
    """Where its mesh listens, as far as the server knows; none, if it has not said."""


@dataclass(frozen=True)
class Roster:
    """All members of a federation at one time. Of two, the one with the later version is right."""

    server: KeyId
    generation: int
    """Of the server: grows with each of its starts."""
    sequence: int
    """Within a generation: grows with each change."""
    members: tuple[RosterEntry, ...]

    @property
    def version(self) -> tuple[int, int]:
        """By which two rosters of one server are compared."""
        return self.generation, self.sequence

    def signed(self, key: KeyPair) -> bytes:
        """As it is sent and kept, signed by the server's key. Raises RosterInvalid for one that nobody would
        take: such as one with too many members, or with a name twice."""
        if key.public.id != self.server:
            raise RosterInvalid("A roster is signed by the server that it names, and by no other.")
        content = canonical(self._as_json())
        Roster._parse(content)
        return canonical(
            {
                "key": b64encode(key.public.der).decode(),
                "roster": content.decode(),
                "signature": b64encode(key.sign(_statement(content))).decode(),
            }
        )

    @classmethod
    def verified(cls, data: bytes, servers: Collection[KeyId]) -> Self:
        """The inverse of `signed`: what one of these servers vouches for.

        Raises RosterInvalid for one of another server, and for what is none; BadSignature.
        """
        if len(data) > MAX_ROSTER_BYTES:
            raise RosterInvalid(f"A roster of {len(data):,} bytes is not taken.")
        try:
            parts = _fields(from_canonical(data), "key", "roster", "signature")
            key = PublicKey(b64decode(parts["key"], validate=True))
            content = parts["roster"].encode("ascii")
            signature = b64decode(parts["signature"], validate=True)
        except (ValueError, TypeError, AttributeError, binascii.Error) as error:
            raise RosterInvalid(f"What came as a roster cannot be read: {error}.") from error
        if key.id not in servers:
            raise RosterInvalid(
                f"The roster is of the server {key.id.short}…, which is not this node's. It is not taken."
            )
        try:
            key.verify(signature, _statement(content))
        except KeyUnusable as error:
            raise BadSignature(f"The roster has no signature by a key that can be used: {error}") from error
        roster = cls._parse(content)
        if roster.server != key.id:
            raise RosterInvalid("The roster names another server than the one that has signed it.")
        return roster

    def _as_json(self) -> dict[str, Any]:
        return {
            "generation": self.generation,
            "members": [
                {
                    "addresses": [str(address) for address in member.addresses],
                    "key": b64encode(member.key.der).decode(),
                    "name": member.name,
                }
                for member in sorted(self.members, key=_place)
            ],
            "sequence": self.sequence,
            "server": str(self.server),
        }

    @classmethod
    def _parse(cls, content: bytes) -> Self:
        """The inverse of `_as_json`. Raises RosterInvalid."""
        try:
            return cls._from_json(from_canonical(content))
        except (ValueError, TypeError, AttributeError, FedLoomError) as error:
            raise RosterInvalid(f"The roster cannot be used: {error}") from error

    @classmethod
    def _from_json(cls, value: Any) -> Self:
        fields = _fields(value, "generation", "members", "sequence", "server")
        members = tuple(map(_member, _list(fields["members"], MAX_MEMBERS)))
        places = [_place(member) for member in members]
        if any(earlier >= later for earlier, later in pairwise(places)):
            raise ValueError("its members are not in the order of their keys, or one is named twice")
        if len({member.name for member in members}) < len(members):
            raise ValueError("two members have the same name")
        return cls(
            KeyId.parse(fields["server"]),
            _number(fields["generation"]),
            _number(fields["sequence"]),
            members,
        )


def _statement(content: bytes) -> bytes:
    return statement(Purpose.MESH_ROSTER, content)


def _place(member: RosterEntry) -> bytes:
    return member.key.id.digest


def _member(value: Any) -> RosterEntry:
    fields = _fields(value, "addresses", "key", "name")
    if not CLIENT_ID.fullmatch(fields["name"]):
        raise ValueError("a member has a name that no client can have")
    key = PublicKey(b64decode(fields["key"], validate=True))
    key.require_usable()
    addresses = tuple(map(parse_address, _list(fields["addresses"], MAX_ADDRESSES)))
    return RosterEntry(fields["name"], key, addresses)


def _fields(value: Any, *names: str) -> dict[str, Any]:
    if not isinstance(value, dict) or sorted(value) != sorted(names):
        raise ValueError(f"a part of it does not have exactly these fields: {', '.join(names)}")
    return value


def _list(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"a part of it is no list of at most {most:,}")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise ValueError("a number in it is none from 0 up")
    return value
