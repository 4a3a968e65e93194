"""Session: one connection of a client, as the link thread sees it. What goes out waits here for its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from app.federation.link.client_work import ClientWork, OutgoingFrame
from app.federation.link.spool import Spool
from shared.chunks import Assembler
from shared.errors import NoRoom
from shared.proto.link_pb2 import Chunk, Failure, Hello


class Session:
    """A connected client. It is the stream of its work."""

    def __init__(self, hello: Hello, client_work: ClientWork, spool: Spool) -> None:
        self.hello = hello
        self.client_id: str = hello.client_id
        self.said_goodbye = False
        self._client_work = client_work
        self._outbox: asyncio.Queue[Iterable[OutgoingFrame] | None] = asyncio.Queue()
        self._assembler = Assembler(
            lambda message_id: client_work.is_awaited(hello.client_id, message_id), spool.buffer
        )

    # outgoing

    def send(self, frames: Iterable[OutgoingFrame]) -> None:
        """Queue frames."""
        self._outbox.put_nowait(frames)

    async def outgoing(self) -> AsyncIterator[OutgoingFrame]:
        """The frames to write, in order, until `close`."""
        while (frames := await self._outbox.get()) is not None:
            for frame in frames:
                yield frame
            del frames  # or the last message's chunks would stay until the next is sent

    # incoming

    def receive(self, chunk: Chunk) -> None:
        """Take one chunk of a reply. Those of one that nobody awaits (any more) are dropped one by one."""
        if chunk.message_id:
            self._client_work.reply_begins(self.client_id, chunk.message_id, chunk.total_bytes)
        try:
            whole = self._assembler.add(chunk)
        except NoRoom as error:
            self._client_work.failed(self.client_id, Failure(message_id=error.message_id, reason=str(error)))
            return
        if whole is not None:
            self._client_work.replied(self.client_id, *whole)

    def drop(self, message_id: str) -> None:
        """Let go of what has come in of the reply to a message."""
        self._assembler.drop(message_id)

    def close(self) -> None:
        """Nothing more is written."""
        self._outbox.put_nowait(None)

    def release(self) -> None:
        """Nothing more comes in: let go of half a reply."""
        self._assembler.close()
