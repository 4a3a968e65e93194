"""The next key: a server says with its present key which one will take its place.

A client that has heard it takes the new key for the same server. One that was away at that time knows nothing
of it, and needs a new invitation.
"""

from __future__ import annotations

from shared.proto.link_pb2 import NextKey
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, PublicKey
from shared.security.statement import Purpose, statement


def announce(present: KeyPair, following: PublicKey) -> NextKey:
    """The notice, signed by the present key."""
    return NextKey(public_key=following.der, signature=present.sign(_statement(present.public.id, following)))


def verify_next_key(notice: NextKey, present: PublicKey) -> KeyId:
    """Which key it is. Raises BadSignature, and KeyUnusable for a key that is none."""
    following = PublicKey(notice.public_key)
    following.require_usable()
    present.verify(notice.signature, _statement(present.id, following))
    return following.id


def _statement(present: KeyId, following: PublicKey) -> bytes:
    return statement(Purpose.NEXT_KEY, present.digest, following.der)
