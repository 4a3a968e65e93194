"""What clients report of their work: replies, failures and how far they are. A state machine without I/O.

What follows from that goes out as frames, as calls of the task, and as what is shown of the client.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from app.federation.link.clients import ClientRegistry
from app.federation.link.clients_at_work import ClientsAtWork
from app.federation.link.judging import ReplyRefused, SealedReply
from app.federation.link.limits import Limits
from app.federation.link.reports import MAX_REASON, client_progress, declined_by
from app.federation.link.shown_work import ShownWork
from app.federation.link.task import Task, Withdrawn
from app.federation.link.verdicts import Genuine, Verdicts, refusal
from app.records import Verdict
from shared.errors import WireError
from shared.proto.link_pb2 import (
    Failure,
    Held,
    LabelCounts,
    MeshNow,
    MeshReport,
    Progress,
    Received,
    Seal,
    ServerFrame,
)
from shared.wire import MAX_LOG_TEXT

MAX_LABELS = 10_000

log = logging.getLogger(__name__)


class ClientReports:
    """Of all clients. Owned by the link thread; only that calls."""

    def __init__(
        self,
        clients: ClientsAtWork,
        shown: ShownWork,
        registry: ClientRegistry,
        verdicts: Verdicts,
        limits: Limits,
        post: Callable[..., object],
    ) -> None:
        """`post` has a function called in the link thread, from any other."""
        self._clients = clients
        self._shown = shown
        self._registry = registry
        self._verdicts = verdicts
        self._limits = limits
        self._post = post

    def is_awaited(self, client_id: str, message_id: str) -> bool:
        """Whether the reply to this message is still wanted."""
        return message_id in self._clients[client_id].open

    def open_task(self, client_id: str, message_id: str) -> Task | None:
        """A message whose reply is still wanted."""
        return self._clients[client_id].open.get(message_id)

    def reply_begins(self, client_id: str, message_id: str, total_bytes: int) -> None:
        """The first chunk of a reply came. One that announces too many bytes is given up by that."""
        client = self._clients[client_id]
        task = client.open.get(message_id)
        if task is not None and total_bytes > task.max_reply_bytes:
            words = (
                f"Its reply of {total_bytes:,} bytes was not taken: "
                f"there is no use for more than {task.max_reply_bytes:,}."
            )
            self._verdicts.without_reply(task, client.key, Verdict.MALFORMED, words, total_bytes)
            self._fail(client_id, message_id, words, Verdict.MALFORMED, is_arriving=True)

    def replied(self, client_id: str, reply: SealedReply) -> None:
        """A reply that is awaited came in whole. It is judged before anybody sees it."""
        client = self._clients[client_id]
        task = client.open[reply.message_id]
        try:
            genuine = self._verdicts.examine(task, reply)
        except ReplyRefused as refused:
            reply.payload.release()
            words = str(refused)
            client.send(ServerFrame(received=refusal(reply.message_id, refused.verdict, words)))
            self._fail(client_id, reply.message_id, words, refused.verdict)
            return
        client.send(ServerFrame(received=Received(message_id=reply.message_id)))
        del client.open[reply.message_id]
        client.settled.add(reply.message_id)
        self._shown.say_why(client_id, None)
        payload = replace(reply.payload, digests=reply.digests)
        task.on_reply(payload, partial(self._judge, client_id, genuine))
        self._shown.show(client_id)

    def replied_in_vain(self, client_id: str, message_id: str, seal: Seal) -> None:
        """A reply came in whole, of which nothing was kept, since nobody awaits it (any more).

        Raises WireError if that happens too often: no client does it by mistake. What came too often is not
        even written down, however often the client connects anew.
        """
        client = self._clients[client_id]
        client.send(ServerFrame(received=Received(message_id=message_id)))
        if (withdrawn := self._drop_withdrawn(client_id, message_id)) is not None:
            if withdrawn.late:
                self._verdicts.late(client_id, client.key, message_id, withdrawn)
            return
        if client.settled.has_arrived(message_id):
            return
        if not self._limits.of(client_id).unasked.take():
            raise WireError("It sends replies to messages to which it owes none, again and again.")
        verdict, words = Verdict.REPLAYED, "It sent a reply to a message to which it owes none."
        if message_id in client.settled:
            words = "It sent a reply to a message that was answered before."
        elif not client.is_in(seal.run_id):
            verdict = Verdict.WRONG_ROUND
            words = f"It sent a reply of run {seal.run_id:08x}, in which it has no place now."
        self._verdicts.unasked(client.run, client_id, client.key, message_id, seal, verdict, words)

    def failed(self, client_id: str, failure: Failure) -> None:
        """There will be no reply, by the client's word."""
        client = self._clients[client_id]
        client.send(ServerFrame(received=Received(message_id=failure.message_id)))
        if failure.rule:
            was_open = self._decline(client_id, failure)
        else:
            was_open = self._fail(client_id, failure.message_id, failure.reason[:MAX_LOG_TEXT])
        if not was_open:
            self._drop_withdrawn(client_id, failure.message_id)

    def not_kept(self, client_id: str, message_id: str, reason: str) -> None:
        """There is no room for a reply that is coming in."""
        self._clients[client_id].send(ServerFrame(received=Received(message_id=message_id)))
        self._fail(client_id, message_id, reason, is_arriving=True)

    def held(self, client_id: str, message: Held) -> None:
        """The client holds a message back, and why; with no reason: no longer."""
        if self.is_awaited(client_id, message.message_id) and self._may_report(client_id):
            self._shown.say_why(client_id, message.reason[:MAX_REASON] or None)

    def released(self, client_id: str, message_id: str) -> None:
        """The client gave up a message that was withdrawn."""
        if self._clients[client_id].withdrawn.pop(message_id, None) is not None:
            self._shown.show(client_id)

    def progressed(self, client_id: str, progress: Progress) -> None:
        """The client says how far it is."""
        if self.is_awaited(client_id, progress.message_id) and self._may_report(client_id):
            self._registry.update(client_id, progress=client_progress(progress))

    def counted(self, client_id: str, message: LabelCounts) -> None:
        """The client says how many samples of each label it has. Raises WireError for what cannot be."""
        if not self._clients[client_id].is_in(message.run_id):
            return
        if len(message.counts) > MAX_LABELS or any(count > 2**53 for count in message.counts):
            raise WireError("It sent label counts that cannot be right.")
        if self._may_report(client_id):
            self._registry.update(client_id, label_counts=tuple(message.counts))

    def meshes(self, client_id: str, message: MeshReport) -> bool:
        """The client's node in the mesh has changed. Whether it counts: not if it does so too often. Raises
        WireError for what cannot be."""
        if not self._may_report(client_id):
            return False
        self._registry.meshes(client_id, message)
        return True

    def meshes_now(self, client_id: str, message: MeshNow) -> None:
        """What changes all the time of the client's node in the mesh. Raises WireError for what cannot be."""
        if self._limits.of(client_id).mesh.take():
            self._registry.meshes_now(client_id, message)

    def _may_report(self, client_id: str) -> bool:
        """Whether one more change of what is shown of a client is told."""
        return self._limits.of(client_id).reports.take()

    def _judge(self, client_id: str, genuine: Genuine, verdict: Verdict, detail: str | None) -> None:
        """It was decided of a reply that is genuine, by whoever has looked into it; in that one's thread."""
        received = self._verdicts.judged(genuine, verdict, detail)
        self._post(self._judged, client_id, received, verdict)

    def _judged(self, client_id: str, received: Received, verdict: Verdict) -> None:
        client = self._clients[client_id]
        self._registry.judged(client_id, verdict)
        client.receipts.append(received)
        client.send(ServerFrame(received=received))

    def _fail(
        self,
        client_id: str,
        message_id: str,
        reason: str,
        verdict: Verdict | None = None,
        *,
        is_arriving: bool = False,
    ) -> bool:
        client = self._clients[client_id]
        task = client.open.pop(message_id, None)
        if task is None:
            return False
        client.settled.add(message_id, is_arriving=is_arriving)
        task.on_failure(reason, verdict)
        self._shown.show(client_id)
        return True

    def _decline(self, client_id: str, failure: Failure) -> bool:
        client = self._clients[client_id]
        task = client.open.pop(failure.message_id, None)
        if task is None:
            return False
        client.settled.add(failure.message_id)
        reason = declined_by(failure)
        self._shown.say_why(client_id, reason)
        self._verdicts.declined(task, client.key, failure.rule, reason)
        task.on_failure(reason, Verdict.DECLINED, failure.rule)
        self._shown.show(client_id)
        return True

    def _drop_withdrawn(self, client_id: str, message_id: str) -> Withdrawn | None:
        """The client is done with a message that nobody waits for any more, if it is one of those."""
        client = self._clients[client_id]
        withdrawn = client.withdrawn.pop(message_id, None)
        if withdrawn is None:
            return None
        log.info(
            "%s: a late reply%s was dropped, %.1f s after the message was withdrawn",
            client_id,
            "" if withdrawn.round is None else f" for round {withdrawn.round}",
            withdrawn.passed_s,
        )
        client.settled.add(message_id)
        self._shown.show(client_id)
        return withdrawn
