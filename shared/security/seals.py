"""What is signed of a message, of its reply, and of what was decided of that: so that each can be proven.

Each class here is a statement; whoever has its fields and the key of whoever signed it can check it, also
years later and without the server.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.security.digest import Digests
from shared.security.key_id import KeyId
from shared.security.statement import Purpose, statement

MAX_SEQUENCE = 2**53 - 1
"""Of a reply: what JSON's readers still read exactly."""


@dataclass(frozen=True)
class Instructed:
    """A server's word: this message is for the client with this key.

    `run_id` is the one on Flower's grid, `round` 0 where none is known.
    """

    run_id: int
    round: int
    message_id: str
    client: KeyId
    digests: Digests

    def statement(self) -> bytes:
        """What the server signs."""
        return statement(
            Purpose.MODEL,
            self.run_id,
            self.round,
            self.message_id,
            self.client.digest,
            self.digests.skeleton,
            self.digests.arrays,
        )


@dataclass(frozen=True)
class Update:
    """A client's word: this is its reply to a message of the server with this key."""

    server: KeyId
    run_id: int
    round: int
    message_id: str
    client_id: str
    client: KeyId
    sequence: int
    digests: Digests
    base: bytes
    """The hash of the arrays in the message: of the global model that the client began with."""

    def statement(self) -> bytes:
        """What the client signs."""
        return statement(
            Purpose.UPDATE,
            self.server.digest,
            self.run_id,
            self.round,
            self.message_id,
            self.client_id,
            self.client.digest,
            self.sequence,
            self.digests.skeleton,
            self.digests.arrays,
            self.base,
        )


@dataclass(frozen=True)
class Accepted:
    """A server's word: it has accepted this reply, at this time (microseconds since 1970, UTC)."""

    update: Update
    time_us: int

    def statement(self) -> bytes:
        """What the server signs: all that the client has, and the verdict."""
        return statement(Purpose.RECEIPT, self.update.statement(), "accepted", self.time_us)
