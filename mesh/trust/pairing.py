"""What two nodes say to each other to be paired, after a hello with the token of an invitation.

    the inviting end          the coming end
    commitment           →
                         ←    random
    random, key, name, … →                       both have the check code now, and each other as member

The connection is TLS with the key that the invitation names, and the coming end has signed its hello, in
which the token is. A message is canonical JSON.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from mesh.trust.check_code import RANDOM_BYTES, check_code, commitment, is_bound, new_random
from mesh.trust.open_invitations import PairingRefused, Refusal
from shared.address import Address, parse_address
from shared.canonical import canonical, from_canonical
from shared.errors import FedLoomError
from shared.names import CLIENT_ID
from shared.security.key_id import KeyId
from shared.security.keys import KeyUnusable, PublicKey

MAX_MESSAGE_BYTES = 4096
MAX_ADDRESSES = 8


class PairingFailed(FedLoomError):
    """The other end does not follow the protocol of pairing."""


class Channel(Protocol):
    """The connection between the two, after the hello."""

    async def send(self, message: bytes) -> None:
        """Raises ConnectionError."""

    async def receive(self) -> bytes:
        """The next message. Raises ConnectionError, also when the other end has closed."""


@dataclass(frozen=True)
class Introduction:
    """What the inviting end says of itself."""

    key: PublicKey
    name: str
    addresses: tuple[Address, ...]


async def tell_code(channel: Channel, coming: KeyId, me: Introduction, admit: Callable[[], None]) -> str:
    """The inviting end's part, once the token was taken: the check code.

    `admit` is called when the other end can be told that it is a member here. It may not hear that, and come
    again. Raises PairingFailed, ConnectionError, and what `admit` raises.
    """
    random = new_random()
    await channel.send(canonical({"commitment": commitment(random).hex()}))
    theirs = _bytes(_read(await channel.receive(), "random"), "random")
    admit()
    await channel.send(
        canonical(
            {
                "addresses": list(map(str, me.addresses)),
                "key": b64encode(me.key.der).decode(),
                "name": me.name,
                "random": random.hex(),
            }
        )
    )
    return check_code(me.key.id, coming, random, theirs)


async def refuse(channel: Channel, reason: Refusal) -> None:
    """The inviting end's part if the token was not taken. Raises ConnectionError."""
    await channel.send(canonical({"refused": reason.value}))


async def hear_code(channel: Channel, me: KeyId, inviting: KeyId) -> tuple[str, Introduction]:
    """The coming end's part: the check code, and who has invited it.

    Raises PairingRefused, PairingFailed, and ConnectionError.
    """
    committed = _bytes(_read(await channel.receive(), "commitment"), "commitment")
    mine = new_random()
    await channel.send(canonical({"random": mine.hex()}))
    answer = _read(await channel.receive(), "addresses", "key", "name", "random")
    theirs = _bytes(answer, "random")
    if not is_bound(committed, theirs):
        raise PairingFailed("The other node changed what it had committed to, as no honest one does.")
    return check_code(inviting, me, theirs, mine), _introduction(answer, inviting)


def _read(message: bytes, *names: str) -> dict[str, Any]:
    if len(message) > MAX_MESSAGE_BYTES:
        raise PairingFailed(f"The other node sent {len(message):,} bytes, where a few are expected.")
    try:
        fields = from_canonical(message)
        if isinstance(fields, dict) and fields.keys() == {"refused"}:
            raise PairingRefused(Refusal(fields["refused"]))
        if not isinstance(fields, dict) or sorted(fields) != sorted(names):
            raise ValueError(f"these fields are expected: {', '.join(names)}")
    except ValueError as error:
        raise PairingFailed(f"The other node does not pair as this one does: {error}.") from error
    return fields


def _bytes(fields: dict[str, Any], name: str) -> bytes:
    try:
        value = bytes.fromhex(fields[name])
    except (ValueError, TypeError) as error:
        raise PairingFailed(f"The other node sent no bytes as {name}.") from error
    if len(value) != RANDOM_BYTES:
        raise PairingFailed(f"The other node sent {len(value)} bytes as {name}, and not {RANDOM_BYTES}.")
    return value


def _introduction(fields: dict[str, Any], inviting: KeyId) -> Introduction:
    name, places = fields["name"], fields["addresses"]
    if not isinstance(name, str) or not CLIENT_ID.fullmatch(name):
        raise PairingFailed("The other node has a name that no node can have.")
    if not isinstance(places, list) or len(places) > MAX_ADDRESSES:
        raise PairingFailed("The other node did not say where it listens as nodes say it.")
    try:
        key = PublicKey(b64decode(fields["key"], validate=True))
        key.require_usable()
        addresses = tuple(map(parse_address, places))
    except (ValueError, TypeError, AttributeError, KeyUnusable) as error:
        raise PairingFailed("The other node did not say who it is, and where, as nodes say it.") from error
    if key.id != inviting:
        raise PairingFailed("The other node has told another key than that in the invitation.")
    return Introduction(key, name, addresses)
