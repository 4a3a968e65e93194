"""The door of the link: who may come in, by their key.

A client that comes for the first time needs the token of an invitation; from then on its name belongs to its
key. Called in the link thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from shared.proto.link_pb2 import Hello, SignedHello
from shared.security.handshake import verify_hello
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable, PublicKey
from shared.security.server_identity import ServerIdentity

log = logging.getLogger(__name__)


class Refused(Exception):
    """Somebody may not come in, and why, in words for the person at the client.

    `is_final`: trying again cannot help.
    """

    def __init__(self, words: str, *, is_final: bool = True) -> None:
        super().__init__(words)
        self.is_final = is_final


@dataclass(frozen=True)
class Guest:
    """Somebody who has shown to own a key, and what they say of themselves."""

    hello: Hello
    public_key: PublicKey

    @property
    def key(self) -> KeyId:
        """Whose it is."""
        return self.public_key.id


class Door:
    """Of one server."""

    def __init__(self, identity: ServerIdentity, key_of: Callable[[str], str | None]) -> None:
        """`key_of` tells whose a client's name is: the id of a key, as text; None: nobody's so far."""
        self._identity = identity
        self._key_of = key_of

    def examine(self, signed: SignedHello, nonce: bytes) -> Guest:
        """Who it is that answers with this to the nonce of their connection. Raises Refused."""
        try:
            key = verify_hello(signed, self._identity.key.public.id, nonce)
            hello = Hello.FromString(signed.hello)
        except (BadSignature, KeyUnusable, DecodeError) as error:
            raise Refused(
                f"The hello is not signed as it must be. {error} Install the same FedLoom on both sides."
            ) from error
        return Guest(hello, key)

    def admit(self, guest: Guest, token: str) -> None:
        """Raise Refused unless this name belongs to this key, or to nobody, and the guest was invited."""
        name = guest.hello.client_id
        owner = self._key_of(name)
        if owner is not None:
            if KeyId.parse(owner) != guest.key:
                raise Refused(
                    f"The name {name!r} belongs to a client with another key, and this one has the key "
                    f"{guest.key.short}. Choose another --client-id, or restore the key that you had."
                )
            return
        if not self._identity.is_invited(token):
            raise Refused(
                "This server does not know the key of this client, and takes new clients by invitation only. "
                "Ask whoever runs it for one."
            )
        log.info("%s is new here, and has the key %s", name, guest.key.short)
