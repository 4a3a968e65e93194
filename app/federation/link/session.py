"""One client as the link thread sees it: what it owes, what goes out to it, what came in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain

from shared.errors import NoRoom
from shared.proto.link_pb2 import (
    Assignment,
    Cancel,
    Chunk,
    ClientFrame,
    Failure,
    Hello,
    Pause,
    Received,
    ServerFrame,
    Welcome,
)
from shared.protowire import Source
from shared.wire import MAX_LOG_TEXT, Assembler, Room

OutgoingFrame = ServerFrame | bytes
"""A frame, or one that is serialised already."""


@dataclass(frozen=True)
class Task:
    """One Flower message for one client.

    `opening` is the first chunk of its serialised form; `following` gives the others as frames that are
    serialised already, since all clients that get the same model share them. A reply of more than
    `max_reply_bytes` is not taken in; it counts as a failure.

    Called in the link thread, unless the task is withdrawn before: once, and then nothing more, `on_reply`
    (with the serialised reply) or `on_failure` (the client could not answer, with the reason); before that,
    and in turn, `on_away` (the client went away, or is not there, with the reason) and `on_back`.
    """

    message_id: str
    client_id: str
    message_type: str
    round: int | None
    opening: Chunk
    following: Callable[[], Iterable[bytes]]
    max_reply_bytes: int
    on_reply: Callable[[bytes | Source], None]
    on_failure: Callable[[str], None]
    on_away: Callable[[str], None]
    on_back: Callable[[], None]


@dataclass(frozen=True)
class Withdrawn:
    """A message whose reply is no longer wanted, though the client may still send it."""

    round: int | None
    since: float
    late: bool


@dataclass
class Mailbox:
    """What a client owes and has been told, which outlasts its connections."""

    assignment: Assignment | None = None
    paused: bool = False
    open: dict[str, Task] = field(default_factory=dict)
    withdrawn: dict[str, Withdrawn] = field(default_factory=dict)
    """What the client may still work on, although nobody waits for it."""


class Session:
    """A connected client."""

    def __init__(self, hello: Hello, mailbox: Mailbox, welcome: Welcome, room: Callable[[int], Room]) -> None:
        """Queue the welcome, and whatever the client should know and do according to its mailbox.

        A message that the client still holds, from a connection before, is not sent again.
        """
        self.hello = hello
        self.said_goodbye = False
        self._mailbox = mailbox
        self._outbox: asyncio.Queue[Iterable[OutgoingFrame] | None] = asyncio.Queue()
        # Not a method of this object, which would keep itself, and half a reply, alive.
        self._assembler = Assembler(mailbox.open.__contains__, room)
        held = set(hello.holding)
        for message_id in mailbox.withdrawn.keys() - held:
            del mailbox.withdrawn[message_id]
        welcome.awaited.extend(held & mailbox.open.keys())
        welcome.paused = mailbox.paused
        self._send(ServerFrame(welcome=welcome))
        if mailbox.assignment is not None:
            self._send(ServerFrame(assignment=mailbox.assignment))
        for task in mailbox.open.values():
            if task.message_id not in held:
                self._transmit(task)
            task.on_back()

    @property
    def client_id(self) -> str:
        return self.hello.client_id

    @property
    def newest_task(self) -> Task | None:
        """The message that was given to the client last, of those that it owes a reply to."""
        return next(reversed(self._mailbox.open.values()), None)

    # outgoing

    def send_task(self, task: Task) -> None:
        """Queue a message."""
        self._mailbox.open[task.message_id] = task
        self._transmit(task)

    def send_assignment(self) -> None:
        """Queue the client's place in a run; it arrives before messages that are queued later."""
        if self._mailbox.assignment is not None:
            self._send(ServerFrame(assignment=self._mailbox.assignment))

    def send_pause(self) -> None:
        """Queue whether the client is to pause."""
        self._send(ServerFrame(pause=Pause(paused=self._mailbox.paused)))

    def cancel(self, task: Task, reason: str) -> None:
        """Tell the client that a message was withdrawn."""
        self._send(ServerFrame(cancel=Cancel(message_id=task.message_id, reason=reason)))

    async def outgoing(self) -> AsyncIterator[OutgoingFrame]:
        """The frames to write, in order, until `close`."""
        while (frames := await self._outbox.get()) is not None:
            for frame in frames:
                yield frame
            del frames  # or the last message's chunks would stay until the next is sent

    def _transmit(self, task: Task) -> None:
        self._outbox.put_nowait(chain([ServerFrame(task=task.opening)], task.following()))

    def _send(self, frame: ServerFrame) -> None:
        self._outbox.put_nowait([frame])

    # incoming

    def receive_reply(self, frame: ClientFrame) -> Task | Withdrawn | None:
        """Take one chunk of a reply.

        Returns the task that is over by it, after calling its `on_reply` or `on_failure`, or what was known
        of a withdrawn message whose reply it completes. Chunks of a reply that nobody awaits (any more) are
        dropped one by one, never held.
        """
        refused = self._refuse_if_too_large(frame.reply)
        try:
            whole = self._assembler.add(frame.reply)
        except NoRoom as error:
            self._send(ServerFrame(received=Received(message_id=error.message_id)))
            return self._fail(error.message_id, str(error))
        if whole is None:
            return refused
        message_id, payload = whole
        self._send(ServerFrame(received=Received(message_id=message_id)))
        task = self._mailbox.open.pop(message_id, None)
        if task is None or payload is None:
            return refused or self._mailbox.withdrawn.pop(message_id, None)
        task.on_reply(payload)
        return task

    def _refuse_if_too_large(self, chunk: Chunk) -> Task | None:
        """Give up a reply at its first chunk, by the size that it announces."""
        task = self._mailbox.open.get(chunk.message_id)
        if task is None or chunk.total_bytes <= task.max_reply_bytes:
            return None
        return self._fail(
            chunk.message_id,
            f"Its reply of {chunk.total_bytes:,} bytes was not taken: "
            f"there is no use for more than {task.max_reply_bytes:,}.",
        )

    def _fail(self, message_id: str, reason: str) -> Task | None:
        task = self._mailbox.open.pop(message_id, None)
        if task is not None:
            task.on_failure(reason)
        return task

    def receive_failure(self, failure: Failure) -> Task | Withdrawn | None:
        """The client says that there will be no reply. As `receive_reply`."""
        self._send(ServerFrame(received=Received(message_id=failure.message_id)))
        task = self._fail(failure.message_id, failure.reason[:MAX_LOG_TEXT])
        return task or self._mailbox.withdrawn.pop(failure.message_id, None)

    def receive_release(self, message_id: str) -> bool:
        """The client gave up a message that was withdrawn. Whether it is one of those."""
        return self._mailbox.withdrawn.pop(message_id, None) is not None

    def is_pending(self, message_id: str) -> bool:
        """Whether the reply to this message is still awaited."""
        return message_id in self._mailbox.open

    @property
    def is_late(self) -> bool:
        """Whether the client still works on something that it is too late with."""
        return any(message.late for message in self._mailbox.withdrawn.values())

    def close(self, reason: str | None) -> None:
        """The link is over: whoever awaits a reply is told why there is none for now.

        None: the next session of the same client begins at once, so that nothing has to be said.
        """
        self._outbox.put_nowait(None)
        if reason is None:
            return
        for task in tuple(self._mailbox.open.values()):
            task.on_away(reason)
