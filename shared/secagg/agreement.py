"""What two clients agree on without the server: a mask's seed, and a box for shares.

X25519 (RFC 7748), HKDF with SHA-256 (RFC 5869), ChaCha20-Poly1305 (RFC 8439).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.secagg.masks import SEED_BYTES
from shared.security.statement import Purpose, statement


class WrongBox(ValueError):
    """A box was not closed by this client for that one, in this session, or it was changed since."""


@dataclass(frozen=True)
class AgreementKey:
    """A key for one round, of which the public part is signed by the client's identity."""

    private: X25519PrivateKey

    @classmethod
    def make(cls) -> Self:
        """A new one."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def from_secret(cls, secret: bytes) -> Self:
        """The one with these 32 bytes."""
        return cls(X25519PrivateKey.from_private_bytes(secret))

    @property
    def secret(self) -> bytes:
        """The private key, to be shared out."""
        return self.private.private_bytes_raw()

    @property
    def public(self) -> bytes:
        """32 bytes."""
        return self.private.public_key().public_bytes_raw()

    def mask_seed(self, session: bytes, other: bytes) -> bytes:
        """The seed of the mask that both have, whoever computes it. Raises ValueError for what is no key."""
        pair = b"".join(sorted((self.public, other)))
        return self._derive(other, statement(Purpose.SECAGG_MASK, session, pair))

    def close(self, session: bytes, sender: int, receiver: int, other: bytes, content: bytes) -> bytes:
        """A box that only `receiver`, whose public key `other` is, can open, and only in this session."""
        return self._box(session, sender, receiver, other).encrypt(bytes(12), content, None)

    def open(self, session: bytes, sender: int, receiver: int, other: bytes, box: bytes) -> bytes:
        """The content of a box from `sender`. Raises WrongBox."""
        try:
            return self._box(session, sender, receiver, other).decrypt(bytes(12), box, None)
        except (InvalidTag, ValueError) as error:
            raise WrongBox(f"the box of {sender} for {receiver} cannot be opened") from error

    def _box(self, session: bytes, sender: int, receiver: int, other: bytes) -> ChaCha20Poly1305:
        """With a key of its own for each box, so that its nonce may be zero."""
        return ChaCha20Poly1305(self._derive(other, statement(Purpose.SECAGG_BOX, session, sender, receiver)))

    def _derive(self, other: bytes, purpose: bytes) -> bytes:
        shared = self.private.exchange(X25519PublicKey.from_public_bytes(other))
        return HKDF(hashes.SHA256(), SEED_BYTES, salt=None, info=purpose).derive(shared)


def commitment(seed: bytes) -> bytes:
    """By which a seed is known before it is: it has 256 random bits, so that none can be guessed."""
    return hashlib.sha256(statement(Purpose.SECAGG_SEED, seed)).digest()
