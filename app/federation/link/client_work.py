"""What each client has to do and was told: a state machine without I/O.

Commands come from the run, reports from the clients. What follows from them goes out as frames, to whatever
stands for the client's connection, as calls of the task, and as what the registry shows of the client.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

from app.federation.link.clients import ClientRegistry
from app.federation.link.reports import client_progress
from app.federation.link.task import Task, Withdrawn
from app.records import ClientState
from shared.errors import WireError
from shared.payload import Payload
from shared.proto.link_pb2 import (
    Assignment,
    Cancel,
    Failure,
    Hello,
    LabelCounts,
    Pause,
    Progress,
    Received,
    RunOver,
    ServerFrame,
    Welcome,
)
from shared.text import printable
from shared.wire import MAX_LOG_TEXT

MAX_LABELS = 10_000
STATE_OF_TASK = {"train": ClientState.TRAINING, "evaluate": ClientState.EVALUATING}

OutgoingFrame = ServerFrame | bytes
"""A frame, or one that is serialised already."""

log = logging.getLogger(__name__)


class ClientStream(Protocol):
    """A client's connection, as far as its work goes."""

    def send(self, frames: Iterable[OutgoingFrame]) -> None:
        """Write these frames after those of before; does not wait."""

    def drop(self, message_id: str) -> None:
        """Let go of what has come in of the reply to a message."""


@dataclass
class _Client:
    """What one client has to do and was told, which outlasts its connections."""

    stream: ClientStream | None = None
    assignment: Assignment | None = None
    paused: bool = False
    open: dict[str, Task] = field(default_factory=dict)
    """The messages that it owes a reply to, by id, in the order in which they were given to it."""
    withdrawn: dict[str, Withdrawn] = field(default_factory=dict)
    """What it may still work on, although nobody waits for it."""

    def send(self, *frames: ServerFrame) -> None:
        """Send frames, if it is connected."""
        if self.stream is not None:
            self.stream.send(frames)

    def is_in(self, run_id: int) -> bool:
        """Whether it has a place in a run."""
        return self.assignment is not None and self.assignment.run_id == run_id


class ClientWork:
    """Of all clients, by their ids. Owned by the link thread; only that calls."""

    def __init__(self, registry: ClientRegistry) -> None:
        self._registry = registry
        self._clients: defaultdict[str, _Client] = defaultdict(_Client)

    # what the run wants

    def assign(self, client_id: str, assignment: Assignment) -> None:
        """Give a client its place in a run: it is told now, and whenever it comes back."""
        client = self._clients[client_id]
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
                _transmit(task, client.stream)
                self._show_work(task)
            else:
                task.on_away(f"{task.client_id} is not connected")

    def withdraw(self, client_id: str, message_id: str, reason: str, *, late: bool = False) -> None:
        """Cancel a message whose reply is no longer wanted, as far as it is still open."""
        client = self._clients[client_id]
        task = client.open.pop(message_id, None)
        if task is None:
            return
        client.withdrawn[message_id] = Withdrawn(task.round, time.monotonic(), late)
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
        client.stream = stream
        held = set(hello.holding)
        for message_id in client.withdrawn.keys() - held:
            del client.withdrawn[message_id]
        welcome.awaited.extend(held & client.open.keys())
        welcome.paused = client.paused
        welcome.run_id = client.assignment.run_id if client.assignment is not None else 0
        client.send(ServerFrame(welcome=welcome))
        if client.assignment is not None:
            client.send(ServerFrame(assignment=client.assignment))
        for task in client.open.values():
            if task.message_id not in held:
                _transmit(task, stream)
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

    def expelled(self, client_id: str, reason: str) -> None:
        """A client is not let in any more: there will be no reply to anything that it works on."""
        client = self._clients.pop(client_id, None)
        if client is None:
            return
        if client.stream is not None:
            for message_id in client.open:
                client.stream.drop(message_id)
            self._registry.lost(client_id)
        for task in client.open.values():
            task.on_failure(reason)

    # what clients report

    def is_awaited(self, client_id: str, message_id: str) -> bool:
        """Whether the reply to this message is still wanted."""
        return message_id in self._clients[client_id].open

    def reply_begins(self, client_id: str, message_id: str, total_bytes: int) -> None:
        """The first chunk of a reply came. One that announces too many bytes is given up by that."""
        task = self._clients[client_id].open.get(message_id)
        if task is not None and total_bytes > task.max_reply_bytes:
            self._fail(
                client_id,
                message_id,
                f"Its reply of {total_bytes:,} bytes was not taken: "
                f"there is no use for more than {task.max_reply_bytes:,}.",
            )

    def replied(self, client_id: str, message_id: str, payload: Payload | None) -> None:
        """A reply came in whole; None: it was not kept, since nobody awaits it (any more)."""
        client = self._clients[client_id]
        client.send(ServerFrame(received=Received(message_id=message_id)))
        if payload is None:
            self._drop_withdrawn(client_id, message_id)
            return
        task = client.open.pop(message_id)
        task.on_reply(payload)
        self._show(client_id)

    def failed(self, client_id: str, failure: Failure) -> None:
        """There will be no reply, by the client's word or for want of room."""
        client = self._clients[client_id]
        client.send(ServerFrame(received=Received(message_id=failure.message_id)))
        if not self._fail(client_id, failure.message_id, failure.reason[:MAX_LOG_TEXT]):
            self._drop_withdrawn(client_id, failure.message_id)

    def released(self, client_id: str, message_id: str) -> None:
        """The client gave up a message that was withdrawn."""
        if self._clients[client_id].withdrawn.pop(message_id, None) is not None:
            self._show(client_id)

    def progressed(self, client_id: str, progress: Progress) -> None:
        """The client says how far it is."""
        if self.is_awaited(client_id, progress.message_id):
            self._registry.update(client_id, progress=client_progress(progress))

    def counted(self, client_id: str, message: LabelCounts) -> None:
        """The client says how many samples of each label it has. Raises WireError for what cannot be."""
        if not self._clients[client_id].is_in(message.run_id):
            return
        if len(message.counts) > MAX_LABELS or any(count > 2**53 for count in message.counts):
            raise WireError("It sent label counts that cannot be right.")
        self._registry.update(client_id, label_counts=tuple(message.counts))

    def _fail(self, client_id: str, message_id: str, reason: str) -> bool:
        task = self._clients[client_id].open.pop(message_id, None)
        if task is None:
            return False
        task.on_failure(reason)
        self._show(client_id)
        return True

    def _drop_withdrawn(self, client_id: str, message_id: str) -> None:
        """The client is done with a message that nobody waits for any more, if it is one of those."""
        withdrawn = self._clients[client_id].withdrawn.pop(message_id, None)
        if withdrawn is None:
            return
        log.info(
            "%s: a late reply%s was dropped, %.1f s after the message was withdrawn",
            client_id,
            "" if withdrawn.round is None else f" for round {withdrawn.round}",
            time.monotonic() - withdrawn.since,
        )
        self._show(client_id)

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


def _transmit(task: Task, stream: ClientStream) -> None:
    stream.send(chain([ServerFrame(task=task.opening)], task.following()))


def _tell_away(client: _Client, reason: str) -> None:
    for task in tuple(client.open.values()):
        task.on_away(reason)
