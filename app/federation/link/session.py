"""Session: one connection of a client, as the link thread sees it. What goes out waits here for its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from app.federation.link.client_work import ClientWork, OutgoingFrame
from app.federation.link.spool import Spool
from shared.chunks import Assembler
from shared.errors import NoRoom
from shared.proto.link_pb2 import Chunk, Failure, Hello, ServerFrame
from shared.security.key_id import KeyId

FAREWELL_S = 1.0
"""How long one that is cut off may take to hear why."""


class Session:
    """A connected client. It is the stream of its work."""

    def __init__(self, hello: Hello, client_work: ClientWork, spool: Spool, key: KeyId) -> None:
        self.hello = hello
        self.key = key
        self.client_id: str = hello.client_id
        self.said_goodbye = False
        self._cut = asyncio.Event()
        self._last: ServerFrame | None = None
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
                if self.is_cut:
                    break
                yield frame
            del frames  # or the last message's chunks would stay until the next is sent
            if self._last is not None:
                yield self._last
                return

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

    @property
    def is_cut(self) -> bool:
        """Whether nothing that the client says counts any more."""
        return self._cut.is_set()

    def cut(self, last: ServerFrame) -> None:
        """Write this instead of all that waits, and nothing more; see `until_cut`."""
        self._last = last
        self._cut.set()
        self._outbox.put_nowait(())

    async def until_cut(self) -> None:
        """Return some time after `cut`, whether or not the client has read what was written."""
        await self._cut.wait()
        await asyncio.sleep(FAREWELL_S)

    def release(self) -> None:
        """Nothing more comes in: let go of half a reply."""
        self._assembler.close()
