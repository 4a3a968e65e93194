"""A server and a client with keys, and what each signs, for tests without a network."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from app.federation.link.door import Guest
from app.federation.link.judging import SealedReply
from app.federation.link.task import Task
from shared.app_host.serialised import Serialised
from shared.hashing import hashing_threads
from shared.proto.link_pb2 import Hello, Seal
from shared.security.digest import Digests, digest_of
from shared.security.keys import KeyPair
from shared.security.seals import Update
from tests.support.payloads import payload_of


@cache
def a_key(name: str) -> KeyPair:
    """The key of whoever has this name: the same in all tests, since making one takes long."""
    return KeyPair.make()


SERVER = "the server"
THREADS = hashing_threads()
A_REPLY = Serialised(b"a reply")


def a_guest(hello: Hello) -> Guest:
    """Somebody who has shown to own the key of their name."""
    return Guest(hello, a_key(hello.client_id).public)


@dataclass
class FakeContent:
    """What a message has in common with others: a skeleton and the data of its arrays, in no frames."""

    skeleton: bytes = b""
    arrays: tuple[bytes, ...] = ()
    sent: list[bytes] = field(default_factory=list)

    def frames(self) -> list[bytes]:
        return self.sent

    def arrays_digest(self, threads: Executor) -> Future[bytes]:
        known: Future[bytes] = Future()
        known.set_result(digest_of(self.arrays))
        return known


def signed_update(task: Task, reply: Serialised, sequence: int, **changes: Any) -> Update:
    """What a client says that it has done; `changes` say something else."""
    update = Update(
        server=a_key(SERVER).public.id,
        run_id=task.run_id,
        round=task.round or 0,
        message_id=task.message_id,
        client_id=task.client_id,
        client=a_key(task.client_id).public.id,
        sequence=sequence,
        digests=digests_of(reply),
        base=task.content.arrays_digest(THREADS).result(),
    )
    return replace(update, **changes)


def digests_of(message: Serialised) -> Digests:
    return Digests(digest_of([message.skeleton]), digest_of(message.arrays))


def seal_of(update: Update, signer: KeyPair) -> Seal:
    return Seal(
        run_id=update.run_id,
        round=update.round,
        key=update.client.digest,
        sequence=update.sequence,
        base=update.base,
        signature=signer.sign(update.statement()),
    )


def sealed_reply(task: Task, reply: Serialised = A_REPLY, sequence: int = 1, **changes: Any) -> SealedReply:
    """A reply to a message, whole and signed by its client. `changes`: of what is signed."""
    return SealedReply(
        message_id=task.message_id,
        payload=payload_of(reply),
        digests=digests_of(reply),
        seal=seal_of(signed_update(task, reply, sequence, **changes), a_key(task.client_id)),
        signer=a_key(task.client_id).public,
        base=task.content.arrays_digest(THREADS).result(),
    )
