"""A server's log of judged replies, as it is and as a server that lies would write it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from app.audit.entry import Kind
from app.audit.log import AuditLog
from app.audit.verify import NotVerified, entries_of, verify
from app.event_bus import EventBus
from app.federation.link.clients import ClientRegistry
from app.federation.link.judging import ReplyRefused, SealedReply
from app.federation.link.task import Task
from app.federation.link.verdicts import Verdicts
from app.records import Verdict
from app.store.store import Store
from app.store.urls import default_url
from shared.app_host.serialised import Serialised
from shared.chunks import opening
from shared.proto.link_pb2 import Seal
from tests.support import sealing
from tests.support.audit import a_key, begin, exported, opened, write
from tests.support.records import a_hello
from tests.support.sealing import FakeContent, sealed_reply

RUN_ID = 0xAB
RUN = f"{RUN_ID:08x}"
PAIR = ("client-1", "client-2")
Entries = list[tuple[str, dict[str, Any]]]


def a_task(message_id: str, client_id: str, round_: int, model: bytes) -> Task:
    def unused(*_: object, **__: object) -> None:
        raise AssertionError("nobody is told")

    return Task(
        RUN_ID,
        message_id,
        client_id,
        "train",
        round_,
        opening(message_id, b"x", 1, []),
        FakeContent(arrays=(model,)),
        1 << 30,
        on_reply=unused,
        on_failure=unused,
        on_away=unused,
        on_back=unused,
    )


class Server:
    """What judges replies, and enters that in a log with two clients."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.log = AuditLog.open(store, a_key())
        begin(self.log)
        bus = EventBus()
        registry = ClientRegistry(bus)
        for client_id in PAIR:
            registry.connected(a_hello(client_id), str(sealing.a_key(client_id).public.id))
            self.log.joined(client_id, sealing.a_key(client_id).public)
        self.verdicts = Verdicts(bus, registry, a_key(), {}, lambda *_: True, self.log)
        self._sequence = 0

    def reply(
        self,
        client_id: str = "client-1",
        round_: int = 1,
        *,
        verdict: Verdict = Verdict.ACCEPTED,
        model: bytes | None = None,
        change: Callable[[SealedReply], SealedReply] = lambda reply: reply,
        **signed: Any,
    ) -> str:
        """A reply comes in and is judged; returns its digest. `change`: on the way."""
        self._sequence += 1
        task = a_task(f"m{self._sequence}", client_id, round_, model or f"model {round_}".encode())
        said = {"sequence": self._sequence, "server": a_key().public.id, **signed}
        reply = change(sealed_reply(task, Serialised(b"reply %d" % self._sequence), **said))
        with suppress(ReplyRefused):
            self.verdicts.judged(self.verdicts.examine(task, reply), verdict, "in words")
        return reply.digests.combined.hex()

    def aggregate(self, round_: int, *updates: tuple[str, str], before: str = "", after: str = "") -> None:
        """The server has made a model of these."""
        self.log.record(
            Kind.AGGREGATED,
            run=RUN,
            round=round_,
            strategy="fedavg",
            before=before or f"{round_ - 1:064x}",
            after=after or f"{round_:064x}",
            updates=[{"client": client, "digest": digest, "samples": 1} for client, digest in updates],
            kept=False,
        )

    def exported(self) -> bytes:
        write(self.log, self.store)
        return exported(self.store)


def a_run(server: Server) -> bytes:
    """Two rounds by two clients; a reply that came to nothing, and one that was refused."""
    for round_ in (1, 2):
        folded = [(client_id, server.reply(client_id, round_)) for client_id in PAIR]
        server.reply("client-1", round_, verdict=Verdict.MALFORMED)
        server.reply("client-2", round_, round=7)
        server.aggregate(round_, *folded)
    return server.exported()


def signed_anew(data: bytes, change: Callable[[Entries], None], folder: Path) -> bytes:
    """The log as a server would write it that wants it to tell something else, and has its own key."""
    entries: Entries = [(entry.kind, dict(entry.fields)) for entry in entries_of(opened(data))]
    change(entries)
    with Store.open(default_url(folder)) as store:
        log = AuditLog.open(store, a_key())
        for kind, fields in entries:
            if kind == Kind.SERVER_STARTED:
                fields["log"] = log.id.hex()
            log.record(kind, **fields)
        write(log, store)
        return exported(store)


def refusal(data: bytes) -> str:
    with pytest.raises(NotVerified) as refused:
        verify(opened(data))
    return str(refused.value)


def without_seal(reply: SealedReply) -> SealedReply:
    return SealedReply(reply.message_id, reply.payload, reply.digests, None, reply.signer, reply.base)


def sealed_otherwise(**changes: Any) -> Callable[[SealedReply], SealedReply]:
    """With a seal that was changed on the way."""

    def change(reply: SealedReply) -> SealedReply:
        seal = Seal()
        assert reply.seal is not None
        seal.CopyFrom(reply.seal)
        for name, value in changes.items():
            setattr(seal, name, value)
        return SealedReply(reply.message_id, reply.payload, reply.digests, seal, reply.signer, reply.base)

    return change
