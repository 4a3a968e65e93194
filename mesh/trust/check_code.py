"""The check code of a pairing: eight letters that both ends show, for two people to compare."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from shared.security.key_id import KeyId
from shared.security.statement import Purpose, statement

RANDOM_BYTES = 32
_CODE_BYTES = 5


def new_random() -> bytes:
    """What one end adds to the code."""
    return secrets.token_bytes(RANDOM_BYTES)


def commitment(random: bytes) -> bytes:
    """What binds the inviting end to its random bytes, before it tells them."""
    return hashlib.sha256(random).digest()


def is_bound(committed: bytes, random: bytes) -> bool:
    """Whether these are the random bytes that were committed to."""
    return hmac.compare_digest(committed, commitment(random))


def check_code(inviting: KeyId, coming: KeyId, random: bytes, coming_random: bytes) -> str:
    """The letters, of both keys and of what both ends have added.

    The inviting end commits to its `random` first, then the other tells `coming_random`, then the first
    tells its own. So neither end, nor anybody between them who has the invitation, can choose a part by
    what the letters become: to have them agree by chance at both ends, such a one has one try in 2^40.
    """
    said = statement(Purpose.MESH_PAIRING, inviting.digest, coming.digest, random, coming_random)
    letters = base64.b32encode(hashlib.sha256(said).digest()[:_CODE_BYTES]).decode()
    return f"{letters[:4]}-{letters[4:]}"
