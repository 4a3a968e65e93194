"""Checkpoint: what an audit log was at one moment, signed by its server, and cosigned by who has seen it.

Its tree is that of RFC 9162: the root says of each entry what it is, and in which place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from shared.proto.link_pb2 import LogCheckpoint
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, PublicKey
from shared.security.merkle import HASH_BYTES
from shared.security.statement import Purpose, statement

LOG_ID_BYTES = 16


@dataclass(frozen=True)
class Checkpoint:
    """Of the log with this random id, which has `size` entries. `time`: milliseconds since 1970, in UTC."""

    log: bytes
    size: int
    root: bytes
    time: int
    signer: KeyId
    """The id of the server's key."""
    signature: bytes

    @classmethod
    def sign(cls, log: bytes, size: int, root: bytes, time: int, key: KeyPair) -> Self:
        """A checkpoint by the server with this key."""
        signer = key.public.id
        signature = key.sign(_statement(Purpose.CHECKPOINT, log, size, root, time, signer))
        return cls(log, size, root, time, signer, signature)

    @classmethod
    def of_frame(cls, frame: LogCheckpoint, signer: KeyId) -> Self:
        """As it came from the server with this key; nothing in it is checked."""
        return cls(frame.log, frame.size, frame.root, frame.time, signer, frame.signature)

    def to_frame(self, since: int, proof: list[bytes]) -> LogCheckpoint:
        """As it goes to a client, with the proof that it has grown from the log of `since` entries."""
        return LogCheckpoint(
            log=self.log,
            size=self.size,
            root=self.root,
            time=self.time,
            signature=self.signature,
            since=since,
            proof=proof,
        )

    @property
    def is_well_formed(self) -> bool:
        """Whether its parts are as long as they must be."""
        return len(self.log) == LOG_ID_BYTES and len(self.root) == HASH_BYTES and self.size > 0

    def verify(self, key: PublicKey) -> None:
        """Raises BadSignature unless the server with this key has signed it."""
        key.verify(self.signature, self._statement(Purpose.CHECKPOINT))

    def cosign(self, key: KeyPair) -> bytes:
        """The signature of a client that has seen it, and that it has only grown."""
        return key.sign(self._statement(Purpose.COSIGNATURE))

    def verify_cosignature(self, signature: bytes, key: PublicKey) -> None:
        """Raises BadSignature unless the client with this key has cosigned it."""
        key.verify(signature, self._statement(Purpose.COSIGNATURE))

    def _statement(self, purpose: Purpose) -> bytes:
        return _statement(purpose, self.log, self.size, self.root, self.time, self.signer)


def _statement(purpose: Purpose, log: bytes, size: int, root: bytes, time: int, signer: KeyId) -> bytes:
    return statement(purpose, signer.digest, log, size, root, time)
