"""What each client has to do and was told: a state machine without I/O.

Commands come from the run, reports from the clients. What follows from them goes out as frames, to whatever
stands for the client's connection, as calls of the task, and as what the registry shows of the client.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from app.federation.link.clients import ClientRegistry
from app.federation.link.judging import ReplyRefused, SealedReply
from app.federation.link.limits import Limits
from app.federation.link.reports import MAX_REASON, client_progress, declined_by
from app.federation.link.settled import Settled
from app.federation.link.task import Task, Withdrawn
from app.federation.link.verdicts import Genuine, Verdicts, refusal
from app.records import ClientState, Verdict
from shared.errors import WireError
from shared.proto.link_pb2 import (
    Assignment,
    Cancel,
    Failure,
    Held,
    Hello,
    LabelCounts,
    Pause,
    Progress,
    Received,
    RunOver,
    Seal,
    ServerFrame,
    Welcome,
)
from shared.text import printable
from shared.wire import MAX_LOG_TEXT

MAX_LABELS = 10_000
MAX_RECEIPTS = 16
"""Of a client in a run, the newest, that it is told again when it comes back: the connection may have lost
them."""
STATE_OF_TASK = {"train": ClientState.TRAINING, "evaluate": ClientState.EVALUATING}

OutgoingFrame = ServerFrame | bytes
"""A frame, or one that is serialised already."""

log = logging.getLogger(__name__)


class ClientStream(Protocol):
    """A client's connection, as far as its work goes."""

    def send(self, frames: Iterable[OutgoingFrame]) -> None:
        """Write these frames after those of before; does not wait."""

    def transmit(self, task: Task) -> None:
        """Write a message and its seal after what was before; does not wait."""

    def drop(self, message_id: str) -> None:
        """Let go of what has come in of the reply to a message."""


@dataclass
class _Client:
    """What one client has to do and was told, which outlasts its connections."""

    stream: ClientStream | None = None
    key: str = ""
    """The id of the key that it has shown to own."""
    assignment: Assignment | None = None
    paused: bool = False
    open: dict[str, Task] = field(default_factory=dict)
    """The messages that it owes a reply to, by id, in the order in which they were given to it."""
    says_why: bool = False
    """Whether it has said why it takes no part, or not yet."""
    withdrawn: dict[str, Withdrawn] = field(default_factory=dict)
    """What it may still work on, although nobody waits for it."""
    settled: Settled = field(default_factory=Settled)
    receipts: deque[Received] = field(default_factory=lambda: deque(maxlen=MAX_RECEIPTS))

    def send(self, *frames: ServerFrame) -> None:
        """Send frames, if it is connected."""
        if self.stream is not None:
            self.stream.send(frames)

    def is_in(self, run_id: int) -> bool:
        """Whether it has a place in a run."""
        return self.assignment is not None and self.assignment.run_id == run_id


class ClientWork:
    """Of all clients, by their ids. Owned by the link thread; only that calls."""

    def __init__(
        self, registry: ClientRegistry, verdicts: Verdicts, limits: Limits, post: Callable[..., object]
    ) -> None:
        """`post` has a function called in the link thread, from any other."""
        self._registry = registry
        self._verdicts = verdicts
        self._limits = limits
        self._post = post
        self._clients: defaultdict[str, _Client] = defaultdict(_Client)

    # what the run wants

    def assign(self, client_id: str, assignment: Assignment) -> None:
        """Give a client its place in a run: it is told now, and whenever it comes back."""
        client = self._clients[client_id]
        if not client.is_in(assignment.run_id):
            client.receipts.clear()
        client.assignment = assignment
        client.send(ServerFrame(assignment=assignment))

    def run_of(self, client_id: str) -> str | None:
        """The id of the run in which a client has a place."""
        assignment = self._clients[client_id].assignment
        return None if assignment is None else assignment.run

    def end_run(self, run_id: int) -> None:
        """Forget who has which place in a run that is over, and tell them."""
        self.set_paused(run_id, False)
        for client in self._clients.values():
            if client.is_in(run_id):
                client.assignment = None
                client.send(ServerFrame(run_over=RunOver()))

    def set_paused(self, run_id: int, paused: bool) -> None:
        """Have the clients of a run pause, or go on."""
        for client in self._clients.values():
            if client.is_in(run_id) and client.paused is not paused:
                client.paused = paused
                client.send(ServerFrame(pause=Pause(paused=paused)))

    def dispatch(self, tasks: Iterable[Task]) -> None:
        """Push messages to their clients. One that is not connected gets its own when it comes."""
        for task in tasks:
            client = self._clients[task.client_id]
            client.open[task.message_id] = task
            if client.stream is not None:
                client.stream.transmit(task)
                self._show_work(task)
            else:
                task.on_away(f"{task.client_id} is not connected")

    def withdraw(self, client_id: str, message_id: str, reason: str, *, late: bool = False) -> None:
        """Cancel a message whose reply is no longer wanted, as far as it is still open."""
        client = self._clients[client_id]
        task = client.open.pop(message_id, None)
        if task is None:
            return
        client.withdrawn[message_id] = Withdrawn(
            task.run_id, task.message_type, task.round, time.monotonic(), late
        )
        if client.stream is not None:
            client.stream.drop(message_id)
            client.send(ServerFrame(cancel=Cancel(message_id=message_id, reason=printable(reason))))
            self._show(client_id)

    def mark_late(self, client_id: str, message_id: str) -> None:
        """Show that a client has missed a deadline with a message that is open."""
        client = self._clients[client_id]
        if client.stream is not None and message_id in client.open:
            self._show_late(client_id)

    def away(self, reason: str) -> None:
        """Tell whoever waits for a client that is connected that none will answer any more."""
        for client in self._clients.values():
            if client.stream is not None:
                _tell_away(client, reason)

    # connections

    def connected(self, hello: Hello, key: str, welcome: Welcome, stream: ClientStream) -> None:
        """A client is there, with this key: welcome it, and send what it should know and do.

        A message that it still holds, from a connection before, is not sent again.
        """
        client = self._clients[hello.client_id]
        client.stream, client.key = stream, key
        held = set(hello.holding)
        for message_id in client.withdrawn.keys() - held:
            del client.withdrawn[message_id]
        welcome.awaited.extend(held & client.open.keys())
        welcome.paused = client.paused
        welcome.run_id = client.assignment.run_id if client.assignment is not None else 0
        welcome.sequence = self._verdicts.newest_sequence(hello.client_id)
        client.send(ServerFrame(welcome=welcome))
        client.send(*(ServerFrame(received=received) for received in client.receipts))
        if client.assignment is not None:
            client.send(ServerFrame(assignment=client.assignment))
        for task in client.open.values():
            if task.message_id not in held:
                stream.transmit(task)
            task.on_back()
        # Last, so that nobody gives up the messages of a client that is seen to be there again.
        self._registry.connected(hello, key)
        self._show(hello.client_id)

    def disconnected(self, client_id: str, stream: ClientStream, reason: str) -> None:
        """A connection is over, and why. If the client has another one by now, nothing else is."""
        client = self._clients[client_id]
        if client.stream is not stream:
            return
        client.stream = None
        self._registry.lost(client_id)
        _tell_away(client, reason)

    def expelled(self, client_id: str, reason: str, verdict: Verdict | None) -> None:
        """A client is not let in any more: there will be no reply to anything that it works on.

        `verdict`: of what it owes; None for one that has left and was forgotten.
        """
        self._limits.forget(client_id)
        client = self._clients.pop(client_id, None)
        if client is None:
            return
        if client.stream is not None:
            for message_id in client.open:
                client.stream.drop(message_id)
            self._registry.lost(client_id)
        for task in client.open.values():
            if verdict is not None:
                self._verdicts.without_reply(task, client.key, verdict, reason)
            task.on_failure(reason, verdict)

    # what clients report

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
        self._say_why(client_id, None)
        payload = replace(reply.payload, digests=reply.digests)
        task.on_reply(payload, partial(self._judge, client_id, genuine))
        self._show(client_id)

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
        run = self.run_of(client_id)
        self._verdicts.unasked(run, client_id, client.key, message_id, seal, verdict, words)

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
            self._say_why(client_id, message.reason[:MAX_REASON] or None)

    def released(self, client_id: str, message_id: str) -> None:
        """The client gave up a message that was withdrawn."""
        if self._clients[client_id].withdrawn.pop(message_id, None) is not None:
            self._show(client_id)

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
        self._show(client_id)
        return True

    def _decline(self, client_id: str, failure: Failure) -> bool:
        client = self._clients[client_id]
        task = client.open.pop(failure.message_id, None)
        if task is None:
            return False
        client.settled.add(failure.message_id)
        reason = declined_by(failure)
        self._say_why(client_id, reason)
        self._verdicts.without_reply(task, client.key, Verdict.DECLINED, reason)
        task.on_failure(reason, Verdict.DECLINED, failure.rule)
        self._show(client_id)
        return True

    def _say_why(self, client_id: str, reason: str | None) -> None:
        """Show why a client takes no part, by its own word; None: it does. What the run says stays."""
        client = self._clients[client_id]
        if reason is not None or client.says_why:
            client.says_why = reason is not None
            self._registry.update(client_id, reason=reason)

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
        self._show(client_id)
        return withdrawn

    # what people see

    def _show(self, client_id: str) -> None:
        """Show what a client does now: the newest message that it owes a reply to, if there is one."""
        client = self._clients[client_id]
        newest = next(reversed(client.open.values()), None)
        if newest is not None:
            self._show_work(newest)
        elif any(message.late for message in client.withdrawn.values()):
            self._show_late(client_id)
        else:
            self._registry.settled(client_id)

    def _show_work(self, task: Task) -> None:
        state = STATE_OF_TASK.get(task.message_type.partition(".")[0])
        if state is not None:
            self._registry.update(
                task.client_id, state=state, round=task.round, progress=None, late_since=None
            )

    def _show_late(self, client_id: str) -> None:
        if self._registry.known(client_id).state is not ClientState.LATE:
            self._registry.update(client_id, state=ClientState.LATE, late_since=time.time())


def _tell_away(client: _Client, reason: str) -> None:
    for task in tuple(client.open.values()):
        task.on_away(reason)
