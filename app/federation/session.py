"""One client as the link thread sees it: what goes out, what is awaited, what came in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from shared.proto.link_pb2 import Assignment, Cancel, Chunk, ClientFrame, Failure, Hello, ServerFrame
from shared.wire import MAX_LOG_TEXT, Assembler

OutgoingFrame = ServerFrame | bytes
"""A frame, or one that is serialised already."""


@dataclass(frozen=True)
class Task:
    """One Flower message for one client.

    `opening` is the first chunk of its serialised form, `following` the others as frames that are serialised
    already, since all clients that get the same model share them. Exactly one of `on_reply` (with the
    serialised reply), `on_failure` (the client could not answer) and `on_lost` (it went away), these with the
    reason in words, is called, once, in the link thread.
    """

    message_id: str
    client_id: str
    message_type: str
    round: int | None
    opening: Chunk
    following: Sequence[bytes]
    on_reply: Callable[[bytes], None]
    on_failure: Callable[[str], None]
    on_lost: Callable[[str], None]


class Session:
    """A connected client."""

    def __init__(self, hello: Hello) -> None:
        self.hello = hello
        self.said_goodbye = False
        self._outbox: asyncio.Queue[Iterable[OutgoingFrame] | None] = asyncio.Queue()
        self._pending: dict[str, Task] = {}
        self._assembler = Assembler(self.is_pending)

    @property
    def client_id(self) -> str:
        return self.hello.client_id

    # outgoing

    def send_task(self, task: Task) -> None:
        """Queue a message."""
        self._pending[task.message_id] = task
        self._outbox.put_nowait(chain([ServerFrame(task=task.opening)], task.following))

    def send_assignment(self, assignment: Assignment) -> None:
        """Queue the client's place in a run; it arrives before tasks that are queued later."""
        self._outbox.put_nowait([ServerFrame(assignment=assignment)])

    def cancel(self, message_id: str, reason: str) -> None:
        """Withdraw a message: its reply is no longer awaited and neither callback will be called."""
        if self._pending.pop(message_id, None) is not None:
            self._outbox.put_nowait([ServerFrame(cancel=Cancel(message_id=message_id, reason=reason))])

    async def outgoing(self) -> AsyncIterator[OutgoingFrame]:
        """The frames to write, in order, until `close`."""
        while (frames := await self._outbox.get()) is not None:
            for frame in frames:
                yield frame

    # incoming

    def receive_reply(self, frame: ClientFrame) -> Task | None:
        """Take one chunk of a reply. Returns the task that it completes, after calling its `on_reply`.

        Chunks of a reply that nobody awaits (any more) are dropped one by one, never held.
        """
        whole = self._assembler.add(frame.reply)
        if whole is None:
            return None
        message_id, payload = whole
        task = self._pending.pop(message_id)
        task.on_reply(payload)
        return task

    def receive_failure(self, failure: Failure) -> Task | None:
        """The client says that there will be no reply. Returns the task, after calling its `on_failure`."""
        task = self._pending.pop(failure.message_id, None)
        if task is not None:
            task.on_failure(failure.reason[:MAX_LOG_TEXT])
        return task

    def is_pending(self, message_id: str) -> bool:
        """Whether the reply to this message is still awaited."""
        return message_id in self._pending

    def close(self, reason: str) -> None:
        """The link is over: whoever still awaits a reply is told why there will be none."""
        self._outbox.put_nowait(None)
        pending, self._pending = self._pending, {}
        for task in pending.values():
            task.on_lost(reason)
