"""Session: one connection of a client, as the link thread sees it. What goes out waits here for its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import Executor, Future

from app.federation.link.client_reports import ClientReports
from app.federation.link.clients_at_work import OutgoingFrame
from app.federation.link.door import Guest
from app.federation.link.judging import SealedReply
from app.federation.link.spool import Spool
from app.federation.link.task import Task
from app.federation.link.traffic import Traffic
from app.records.links import MAX_LATENCY_S
from shared.chunks import Assembler, Whole
from shared.errors import NoRoom, WireError
from shared.hashing import hashed, result_of
from shared.payload import Payload
from shared.pieces import Piece
from shared.proto.link_pb2 import Chunk, Heartbeat, Seal, ServerFrame
from shared.security.digest import Digests
from shared.security.keys import KeyPair
from shared.security.seals import Instructed

FAREWELL_S = 1.0
"""How long one that is cut off may take to hear why."""


class Session:
    """A connected client. It is the stream of its work.

    `threads` hash what goes out and what comes in. Of a session that was closed, nothing is taken any more.
    """

    def __init__(
        self,
        guest: Guest,
        reports: ClientReports,
        spool: Spool,
        server: KeyPair,
        threads: Executor,
        traffic: Traffic,
    ) -> None:
        """`traffic`: what was carried for this client so far, which others count."""
        self.hello = guest.hello
        self.key = guest.key
        self.client_id: str = guest.hello.client_id
        self.said_goodbye = False
        self.is_closed = False
        self.traffic = traffic
        self.measures = False
        """Whether the client measures how far the server is."""
        self.latency_s: float | None = None
        """There and back, by its word; None: it has not said."""
        self._stamp = 0
        """Of the newest heartbeat that is to be answered; 0: there is none."""
        self._guest = guest
        self._cut = asyncio.Event()
        self._last: ServerFrame | None = None
        self._reports = reports
        self._server = server
        self._threads = threads
        self._outbox: asyncio.Queue[Iterable[OutgoingFrame] | Task | None] = asyncio.Queue()
        self._assembler = Assembler(
            lambda message_id: reports.is_awaited(self.client_id, message_id),
            spool.buffer,
            threads=threads,
        )
        self._whole: Whole | None = None
        """A reply that has come in, but for its seal."""

    # outgoing

    def send(self, frames: Iterable[OutgoingFrame]) -> None:
        """Queue frames."""
        self._outbox.put_nowait(frames)

    def transmit(self, task: Task) -> None:
        """Queue a message."""
        task.content.arrays_digest(self._threads)  # begins, to be ready when the last chunk is written
        self._outbox.put_nowait(task)

    async def outgoing(self) -> AsyncIterator[OutgoingFrame]:
        """The frames to write, in order, until `close`."""
        while (item := await self._outbox.get()) is not None:
            frames = self._frames_of(item) if isinstance(item, Task) else _each(item)
            async for frame in frames:
                if self.is_cut:
                    break
                yield frame
            del item, frames  # or the last message would stay until the next is sent
            if self._last is not None:
                yield self._last
                return

    async def _frames_of(self, task: Task) -> AsyncIterator[OutgoingFrame]:
        yield ServerFrame(task=task.opening)
        for chunk in task.content.frames():
            yield chunk
        yield ServerFrame(seal=await self._seal(task))

    async def _seal(self, task: Task) -> Seal:
        arrays = await result_of(task.content.arrays_digest(self._threads))
        skeleton = await result_of(hashed([task.opening.data, task.content.skeleton], self._threads))
        round_ = task.round or 0
        said = Instructed(task.run_id, round_, task.message_id, self._guest.key, Digests(skeleton, arrays))
        return Seal(run_id=task.run_id, round=round_, signature=self._server.sign(said.statement()))

    def _answer(self) -> Iterator[ServerFrame]:
        """When its turn has come: to the heartbeat that is the newest by then."""
        stamp, self._stamp = self._stamp, 0
        yield ServerFrame(heartbeat=Heartbeat(stamp=stamp))

    # incoming

    def beats(self, heartbeat: Heartbeat) -> None:
        """Take a heartbeat, and answer it if it asks for that. However fast they come, and however slowly the
        client reads, one answer waits at a time. Raises WireError for a latency that cannot be."""
        if heartbeat.HasField("latency_s"):
            if not 0 <= heartbeat.latency_s <= MAX_LATENCY_S:
                raise WireError("It reports a distance to this server that cannot be.")
            self.latency_s = heartbeat.latency_s
        if not heartbeat.stamp:
            return
        self.measures = True
        is_waiting, self._stamp = bool(self._stamp), heartbeat.stamp
        if not is_waiting:
            self.send(self._answer())

    async def receive(self, chunk: Chunk | Piece) -> None:
        """Take one chunk of a reply. Those of one that nobody awaits (any more) are dropped one by one."""
        if isinstance(chunk, Chunk) and chunk.message_id:
            self._reports.reply_begins(self.client_id, chunk.message_id, chunk.total_bytes)
        try:
            self._whole = self._assembler.add(chunk)
        except NoRoom as error:
            self._reports.not_kept(self.client_id, error.message_id, str(error))
            if error.is_whole:  # its seal is still to come
                self._whole = Whole(error.message_id, None, Future())
        if (behind := self._assembler.behind()) is not None:
            await result_of(behind)

    @property
    def awaits_seal(self) -> bool:
        """Whether a reply has come in but for its seal, which is the frame after the last chunk."""
        return self._whole is not None

    async def receive_seal(self, seal: Seal | None) -> None:
        """The reply that has come in is whole; None: another frame came in place of its seal."""
        if self._whole is None:
            raise WireError("It sent a seal without a message.")
        message_id, _, digests = self._whole
        if (task := self._reports.open_task(self.client_id, message_id)) is not None:
            base = await result_of(task.content.arrays_digest(self._threads))
            found = await result_of(digests)
        if self.is_closed or self.is_cut:
            return  # it is sent again on another connection, or nobody is to see it
        whole, self._whole = self._whole, None
        if task is None or whole.payload is None:  # it may have been withdrawn meanwhile
            self._reports.replied_in_vain(self.client_id, message_id, seal or Seal())
            return
        reply = SealedReply(message_id, whole.payload, found, seal, self._guest.public_key, base)
        self._reports.replied(self.client_id, reply)

    def drop(self, message_id: str) -> None:
        """Let go of what has come in of the reply to a message."""
        self._assembler.drop(message_id)
        if self._whole is not None and self._whole.message_id == message_id:
            _release(self._whole.payload)
            self._whole = self._whole._replace(payload=None)

    def close(self) -> None:
        """Nothing more is written, or taken in."""
        self.is_closed = True
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
        if self._whole is not None:
            _release(self._whole.payload)
            self._whole = None


async def _each(frames: Iterable[OutgoingFrame]) -> AsyncIterator[OutgoingFrame]:
    for frame in frames:
        yield frame


def _release(payload: Payload | None) -> None:
    if payload is not None:
        payload.release()
