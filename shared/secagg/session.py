"""Session: one attempt at one round, and what clients sign in it with their identities."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from shared.canonical import canonical
from shared.privacy.central import CentralPrivacy
from shared.secagg.settings import SecureAggregation
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, PublicKey
from shared.security.statement import Purpose, statement

NONCE_BYTES = 32

NodeOf = Callable[[str], int]
"""The number of a client on the grid, which follows from its name."""


@dataclass(frozen=True)
class Session:
    """What all clients of one attempt have to agree on, but for the model.

    A round that is tried again is another session, with another nonce and other keys.
    """

    server: KeyId
    run_id: int
    round: int
    nonce: bytes
    cohort: tuple[int, ...]
    """The numbers of the clients that were asked, rising."""
    settings: SecureAggregation
    noise: CentralPrivacy | None = None
    """What the clients share noise for; see `noise.py`."""

    @cached_property
    def digest(self) -> bytes:
        """By which it is known in all that is signed and derived."""
        return hashlib.sha256(
            statement(
                Purpose.SECAGG_SESSION,
                self.server.digest,
                self.run_id,
                self.round,
                self.nonce,
                canonical(list(self.cohort)),
                canonical(self.settings.model_dump()),
                *([] if self.noise is None else [canonical(self.noise.model_dump())]),
            )
        ).digest()

    def survivors_statement(self, survivors: Iterable[int]) -> bytes:
        """What a client signs of the list of those whose masked update has come, as it was told."""
        return statement(Purpose.SECAGG_SURVIVORS, self.digest, canonical(sorted(survivors)))


@dataclass(frozen=True)
class RoundKeys:
    """A client's public keys for one session, signed by its identity with the model that it was sent."""

    client_id: str
    identity: bytes
    """Its RSA key, in DER."""
    model: bytes
    """The digest of the global model."""
    box_key: bytes
    mask_key: bytes
    seed: bytes
    """The commitment to the seed of its own mask."""
    signature: bytes = b""

    def statement(self, session: Session) -> bytes:
        """What the client signs."""
        return statement(
            Purpose.SECAGG_KEYS,
            session.digest,
            self.client_id,
            KeyId.of(self.identity).digest,
            self.model,
            self.box_key,
            self.mask_key,
            self.seed,
        )

    def signed(self, session: Session, key: KeyPair) -> RoundKeys:
        """With the signature."""
        signature = key.sign(self.statement(session))
        return RoundKeys(
            self.client_id, self.identity, self.model, self.box_key, self.mask_key, self.seed, signature
        )

    def verify(self, session: Session) -> None:
        """Raises BadSignature, and KeyUnusable, unless this identity has signed this for this session."""
        PublicKey(self.identity).verify(self.signature, self.statement(session))


@dataclass(frozen=True)
class Revealed:
    """Shares by the client that they are of: of the seeds of the living, and of the mask keys of the dead."""

    seeds: Mapping[int, bytes]
    keys: Mapping[int, bytes]
