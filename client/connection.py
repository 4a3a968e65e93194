"""Connection: an open stream to the server. All of it happens in the client's event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from typing import Any

import grpc.aio

from client.log_watch import LogWatch
from client.meshed import Meshed
from client.open_messages import OpenMessages, Outgoing
from client.round_trip import RoundTrip
from client.runtime import Runtime
from client.sealing import NotFromServer, Reply, Sealing
from shared.chunks import Assembler, Whole, reply_frames
from shared.errors import FedLoomError, LinkRefused, WireError
from shared.hashing import result_of
from shared.pieces import Piece
from shared.proto.link_pb2 import (
    Chunk,
    ClientFrame,
    Goodbye,
    Heartbeat,
    NextKey,
    Refusal,
    Seal,
    ServerFrame,
)
from shared.security.keys import PublicKey

Call = grpc.aio.StreamStreamCall[Any, ServerFrame | Piece]

HEARTBEAT_S = 2.0
GOODBYE_TIMEOUT_S = 0.3

log = logging.getLogger(__name__)


class Connection:
    """Passes what comes to the runtime and the open messages, and what they have to say to the server.

    `server` is the key that the connection was made to; `threads` hash what comes; `next_key` is called with
    what the server says of the key that it will have, and raises WireError if that is not signed.
    """

    def __init__(
        self,
        call: Call,
        runtime: Runtime,
        open_messages: OpenMessages,
        sealing: Sealing,
        server: PublicKey,
        threads: Executor,
        next_key: Callable[[NextKey], None],
        log_watch: LogWatch,
        meshed: Meshed | None = None,
    ) -> None:
        """`meshed`: None: this client is not in the mesh."""
        self._call = call
        self._next_key = next_key
        self._log_watch = log_watch
        self._meshed = meshed
        self._runtime = runtime
        self._open_messages = open_messages
        self._sealing = sealing
        self._server = server
        self.round_trip = RoundTrip()
        """How far the server is."""
        self._outbox: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._assembler = Assembler(threads=threads)
        self._whole: Whole | None = None
        """A message that has come in, but for its seal."""
        self._cohort = 0
        """Of the message whose pieces come in."""

    def send(self, outgoing: Outgoing) -> None:
        """Queue a frame, or a reply."""
        self._outbox.put_nowait(outgoing)

    async def serve(self) -> None:
        """Read and write until the connection ends. Raises LinkRefused when the server sends the client away,
        and NotAdmitted when it does so for now."""
        watch = self._log_watch.watch(lambda frame: self.send(ClientFrame(cosignature=frame)))
        watcher, reader, writer, beat = (
            asyncio.ensure_future(work) for work in (watch, self._read(), self._write(), self._beat())
        )
        tasks = [watcher, reader, writer, beat]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # In this order: an objection counts most, and what the reader saw says more than what the writer
            # did.
            for task in tasks:
                if task in done:
                    task.result()
        except asyncio.CancelledError:
            self.send(ClientFrame(goodbye=Goodbye()))
            # Until the server ends the call: closing it at once could overtake the goodbye.
            await asyncio.wait([writer, reader], timeout=GOODBYE_TIMEOUT_S)
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        while isinstance(frame := await self._call.read(), ServerFrame | Piece):
            if self._whole is not None and (isinstance(frame, Piece) or not frame.HasField("seal")):
                await self._receive_seal(None)
            if isinstance(frame, Piece):
                await self._receive(frame)
            else:
                await self._heed(frame)

    async def _heed(self, frame: ServerFrame) -> None:
        match frame.WhichOneof("kind"):
            case "assignment":
                self._runtime.assign(frame.assignment)
                if self._meshed is not None:
                    self._meshed.assigned(frame.assignment)
            case "task":
                await self._receive(frame.task)
            case "seal":
                await self._receive_seal(frame.seal)
            case "cancel":
                self._open_messages.cancel(frame.cancel.message_id)
            case "received":
                self._open_messages.confirm(frame.received)
            case "run_over":
                self._runtime.stay_in(0)
                if self._meshed is not None:
                    self._meshed.run_over()
            case "checkpoint":
                self._log_watch.shown(frame.checkpoint)
            case "pause":
                self._runtime.pause(frame.pause.paused)
            case "next_key":
                self._next_key(frame.next_key)
                self._log_watch.following(frame.next_key)
            case "heartbeat":
                self.round_trip.answered(frame.heartbeat)
            case "roster" if self._meshed is not None:
                self._meshed.roster(frame.roster.signed)
            case "refusal":
                raise refused(frame.refusal)
            case kind:
                raise WireError(f"the server sent a frame of kind {kind!r}")

    async def _receive(self, chunk: Chunk | Piece) -> None:
        if isinstance(chunk, Chunk) and chunk.message_id:  # the first of a message
            self._cohort = chunk.cohort
        self._whole = self._assembler.add(chunk)
        if (behind := self._assembler.behind()) is not None:
            await result_of(behind)

    async def _receive_seal(self, seal: Seal | None) -> None:
        """A message has come in whole; nobody looks at it unless it is the server's. None: it has no seal."""
        whole, self._whole = self._whole, None
        if whole is None or whole.payload is None:
            raise WireError("the server sent a seal without a message")
        digests = await result_of(whole.digests)
        try:
            origin = self._sealing.verify(self._server, whole.message_id, digests, seal)
        except NotFromServer as error:
            whole.payload.release()
            log.error("%s", error)
            self._open_messages.refuse(whole.message_id, str(error))
        else:
            self._open_messages.take(origin, whole.payload, self._cohort)

    async def _write(self) -> None:
        async for frame in self._outgoing():
            await self._call.write(frame)

    async def _outgoing(self) -> AsyncIterator[ClientFrame | bytes]:
        """The frames to write, up to a goodbye; those of a reply are serialised already."""
        while True:
            item = await self._outbox.get()
            if isinstance(item, Reply):
                for frame in reply_frames(item.message_id, item.message):
                    yield frame
                yield ClientFrame(seal=(await result_of(item.signed)).seal)
            elif (kind := item.WhichOneof("kind")) == "heartbeat":
                yield ClientFrame(heartbeat=self.round_trip.heartbeat())  # what it waited for does not count
            else:
                yield item
                if kind == "goodbye":
                    return
            del item  # or a reply would stay in memory until there is something else to send

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self.send(ClientFrame(heartbeat=Heartbeat()))


class NotAdmitted(FedLoomError):
    """The server does not take this client for now."""


def refused(refusal: Refusal) -> FedLoomError:
    """What a refusal comes to."""
    return LinkRefused(refusal.reason) if refusal.final else NotAdmitted(refusal.reason)


def serialise(frame: ClientFrame | bytes) -> bytes:
    """A frame as bytes; those of a reply are already."""
    return frame if isinstance(frame, bytes) else bytes(frame.SerializeToString())
