"""Verdicts: what is decided of clients' replies, told to whoever follows, and receipts for those accepted.

Owned by the link thread; only that calls, but for `judged`.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.audit.entry import Kind
from app.audit.judged import Evidence, fields_of
from app.audit.log import AuditLog
from app.event_bus import EventBus
from app.federation.link.clients import ClientRegistry
from app.federation.link.declines import Declines
from app.federation.link.judging import ReplyRefused, SealedReply, require_genuine
from app.federation.link.task import Task, Withdrawn
from app.records import Judgement, Verdict
from shared.proto.link_pb2 import Receipt, Received, Seal
from shared.security.keys import KeyPair
from shared.security.seals import Accepted, Update
from shared.text import printable
from shared.wire import MAX_LOG_TEXT

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Genuine:
    """A reply that is from whom it says; what is in it, nobody has seen so far."""

    update: Update
    judgement: Judgement
    """If it is accepted."""
    evidence: Evidence


class Verdicts:
    """Of one server."""

    def __init__(
        self,
        bus: EventBus,
        registry: ClientRegistry,
        server: KeyPair,
        sequences: Mapping[str, int],
        is_admitted: Callable[[str, str], bool],
        audit: AuditLog,
    ) -> None:
        """`sequences`: of each client, the number of its newest genuine reply so far. `is_admitted`: whether
        a name belongs to a key now, both as text."""
        self._bus = bus
        self._registry = registry
        self._server = server
        self._newest = defaultdict[str, int](int, sequences)
        self._is_admitted = is_admitted
        self._audit = audit
        self._declines = Declines()

    def newest_sequence(self, client_id: str) -> int:
        """The number of a client's newest genuine reply; 0: there was none."""
        return self._newest[client_id]

    def examine(self, task: Task, reply: SealedReply) -> Genuine:
        """Raises ReplyRefused, after it was told, unless the reply is genuine."""
        key = str(reply.signer.id)
        judgement = _judgement(task, reply, key)
        evidence = Evidence(reply.digests, reply.base, reply.seal)
        try:
            self._require_member(task.client_id, key)
            update = require_genuine(task, reply, self._server.public.id, self._newest[task.client_id])
        except ReplyRefused as refused:
            self._tell(judgement.changed(verdict=refused.verdict, detail=str(refused)), evidence)
            self._registry.judged(task.client_id, refused.verdict)
            raise
        self._newest[task.client_id] = update.sequence
        return Genuine(update, judgement, evidence)

    def judged(self, genuine: Genuine, verdict: Verdict, detail: str | None) -> Received:
        """It was decided of a reply that is genuine; returns what its client is told.

        In any thread: what was accepted is in the audit log before whoever has accepted it goes on, and so
        before the model that is made of it.
        """
        judgement = genuine.judgement.changed(verdict=verdict, detail=detail, time=time.time())
        if verdict is not Verdict.ACCEPTED:
            self._tell(judgement, genuine.evidence)
            return refusal(judgement.message_id, verdict, detail)
        accepted = Accepted(genuine.update, int(judgement.time * 1_000_000))
        signature = self._server.sign(accepted.statement())
        judgement = judgement.changed(receipt=signature.hex(), time=accepted.time_us / 1_000_000)
        self._tell(judgement, genuine.evidence, accepted.time_us)
        receipt = Receipt(time_us=accepted.time_us, signature=signature)
        return Received(message_id=judgement.message_id, receipt=receipt)

    def without_reply(self, task: Task, key: str, verdict: Verdict, words: str, total_bytes: int = 0) -> None:
        """There is no reply that could be looked at; one that was given up announced so many bytes."""
        self._tell(_of_task(task, key, total_bytes, verdict=verdict, detail=words))
        self._registry.judged(task.client_id, verdict)

    def declined(self, task: Task, key: str, rule: str, words: str) -> None:
        """There is no reply, since the client's site takes no part by one of its rules."""
        is_news = self._declines.is_news(task.client_id, task.run_id, rule)
        self._tell(_of_task(task, key, 0, verdict=Verdict.DECLINED, detail=words), is_news=is_news)
        self._registry.judged(task.client_id, Verdict.DECLINED)

    def late(self, client_id: str, key: str, message_id: str, withdrawn: Withdrawn) -> None:
        """A reply came when it was waited for no longer; it was not looked at."""
        self._tell(
            Judgement(
                run_id=f"{withdrawn.run_id:08x}",
                round=withdrawn.round,
                client_id=client_id,
                key=key,
                message_id=message_id,
                kind=withdrawn.message_type,
                verdict=Verdict.LATE,
                detail=f"It came {withdrawn.passed_s:.1f} s after the round had gone on without it.",
                time=time.time(),
            )
        )
        self._registry.judged(client_id, Verdict.LATE)

    def unasked(
        self,
        run_id: str | None,
        client_id: str,
        key: str,
        message_id: str,
        seal: Seal,
        verdict: Verdict,
        words: str,
    ) -> None:
        """A reply answers nothing that is open; it was not looked at. `run_id`: in which its client is."""
        self._tell(
            Judgement(
                run_id=run_id,
                client_id=client_id,
                key=key,
                message_id=message_id,
                verdict=verdict,
                detail=words,
                time=time.time(),
                sequence=min(seal.sequence, 2**63 - 1),
            )
        )
        self._registry.judged(client_id, verdict)

    def _require_member(self, client_id: str, key: str) -> None:
        """Raises ReplyRefused unless a client's name still belongs to the key by which it has come in."""
        if not self._is_admitted(client_id, key):
            raise ReplyRefused(Verdict.REVOKED, f"The key of {client_id} was revoked.")

    def _tell(
        self,
        judgement: Judgement,
        evidence: Evidence | None = None,
        receipt_us: int | None = None,
        *,
        is_news: bool = True,
    ) -> None:
        """`receipt_us`: the time in the receipt, if there is one. What is no news, the log is spared."""
        if judgement.verdict is not Verdict.ACCEPTED:
            log.log(
                logging.WARNING if is_news else logging.DEBUG,
                "%s: a reply%s has the verdict %r and is not used. %s",
                judgement.client_id,
                "" if judgement.round is None else f" for round {judgement.round}",
                judgement.verdict.value,
                judgement.detail,
                extra={"run_id": judgement.run_id},
            )
        fields = fields_of(judgement, evidence, receipt_us)
        with self._audit.moment():
            self._bus.publish(judgement)
            self._audit.record(Kind.UPDATE_JUDGED, **fields)


def refusal(message_id: str, verdict: Verdict, detail: str | None) -> Received:
    """What the client is told of a reply that was refused."""
    return Received(
        message_id=message_id, verdict=verdict.value, detail=printable(detail or "")[:MAX_LOG_TEXT]
    )


def _judgement(task: Task, reply: SealedReply, key: str) -> Judgement:
    """Of a reply that came in whole, as if it were accepted."""
    judgement = _of_task(task, key, len(reply.payload.buffer), verdict=Verdict.ACCEPTED, detail=None)
    digests = {"skeleton_digest": reply.digests.skeleton.hex(), "arrays_digest": reply.digests.arrays.hex()}
    seal = reply.seal
    if seal is None:
        return judgement.changed(**digests)
    return judgement.changed(
        **digests,
        sequence=min(seal.sequence, 2**63 - 1),
        base_digest=seal.base[:64].hex(),
        signature=seal.signature[:512].hex(),
    )


def _of_task(task: Task, key: str, size: int, *, verdict: Verdict, detail: str | None) -> Judgement:
    return Judgement(
        run_id=f"{task.run_id:08x}",
        round=task.round,
        client_id=task.client_id,
        key=key,
        message_id=task.message_id,
        kind=task.message_type,
        verdict=verdict,
        detail=detail,
        time=time.time(),
        bytes=size,
    )
