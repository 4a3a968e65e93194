"""Sealing: a client checks the messages of its server by their seals, and signs its replies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from shared.app_host.serialised import Serialised
from shared.errors import FedLoomError
from shared.hashing import computed
from shared.proto.link_pb2 import Seal
from shared.security.digest import Digests, digest_of
from shared.security.keys import BadSignature, KeyPair, PublicKey
from shared.security.seals import Instructed, Update


class NotFromServer(FedLoomError):
    """A message is not what the server has signed for this client."""


@dataclass(frozen=True)
class Origin:
    """What a message said of itself that its reply has to name."""

    server: PublicKey
    instructed: Instructed
    signature: bytes
    """The server's, under that."""


@dataclass(frozen=True)
class Signed:
    """What was signed of a reply, for which server, and the signature."""

    server: PublicKey
    update: Update
    signature: bytes

    @property
    def seal(self) -> Seal:
        """As it travels."""
        return Seal(
            run_id=self.update.run_id,
            round=self.update.round,
            key=self.update.client.digest,
            sequence=self.update.sequence,
            base=self.update.base,
            signature=self.signature,
        )


@dataclass(frozen=True)
class Reply:
    """A reply and its signature, which is made meanwhile. It may be sent again, and is the same then."""

    message_id: str
    message: Serialised
    signed: Future[Signed]


class Sealing:
    """Of one client."""

    def __init__(
        self,
        client_id: str,
        key: KeyPair,
        threads: Executor,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`threads` hash large replies."""
        self._client_id = client_id
        self._key = key
        self._threads = threads
        self._clock_us = clock_us
        self._lock = threading.Lock()
        self._sequence = 0
        """Of the newest reply. It begins with the clock, so that it goes on after a restart, and with what
        the server says, so that it does so as well if the clock was set back."""

    def go_on_after(self, sequence: int) -> None:
        """The server has seen a genuine reply of this client with this number."""
        with self._lock:
            self._sequence = max(self._sequence, sequence)

    def verify(self, server: PublicKey, message_id: str, digests: Digests, seal: Seal | None) -> Origin:
        """Where a message is from. Raises NotFromServer unless the server has signed it for this client."""
        if seal is None:
            raise NotFromServer(
                "The message came without the server's signature, so nobody knows whether it was changed. "
                "It was not looked at."
            )
        instructed = Instructed(seal.run_id, seal.round, message_id, self._key.public.id, digests)
        try:
            server.verify(seal.signature, instructed.statement())
        except BadSignature as error:
            raise NotFromServer(
                "The message is not what the server signed for this client: the model in it, or what is to "
                "be done with it, was changed. It was not looked at."
            ) from error
        return Origin(server, instructed, seal.signature)

    def sign(self, origin: Origin, reply: Serialised) -> Reply:
        """A reply to a message. Called for one after the other, in the order in which they will be sent."""
        with self._lock:
            sequence = self._sequence = max(self._sequence + 1, self._clock_us())
        asked = origin.instructed

        def sign() -> Signed:
            update = Update(
                server=origin.server.id,
                run_id=asked.run_id,
                round=asked.round,
                message_id=asked.message_id,
                client_id=self._client_id,
                client=self._key.public.id,
                sequence=sequence,
                digests=Digests(digest_of([reply.skeleton]), digest_of(reply.arrays)),
                base=asked.digests.arrays,
            )
            return Signed(origin.server, update, self._key.sign(update.statement()))

        size = len(reply.skeleton) + sum(reply.array_bytes)
        return Reply(asked.message_id, reply, computed(sign, size, self._threads))
