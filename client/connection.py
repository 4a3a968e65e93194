"""Connection: an open stream to the server. All of it happens in the client's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from client.log_watch import LogWatch
from client.open_messages import OpenMessages, Outgoing, Reply
from client.runtime import Runtime
from shared.chunks import Assembler, reply_frames
from shared.errors import WireError
from shared.proto.link_pb2 import ClientFrame, Goodbye, Heartbeat, ServerFrame

Call = grpc.aio.StreamStreamCall[Any, ServerFrame]

HEARTBEAT_S = 2.0
GOODBYE_TIMEOUT_S = 0.3


class Connection:
    """Passes what comes to the runtime and the open messages, and what they have to say to the server."""

    def __init__(
        self, call: Call, runtime: Runtime, open_messages: OpenMessages, log_watch: LogWatch
    ) -> None:
        self._call = call
        self._log_watch = log_watch
        self._runtime = runtime
        self._open_messages = open_messages
        self._outbox: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._assembler = Assembler()

    def send(self, outgoing: Outgoing) -> None:
        """Queue a frame, or a reply."""
        self._outbox.put_nowait(outgoing)

    async def serve(self) -> None:
        """Read and write until the connection ends."""
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
        while isinstance(frame := await self._call.read(), ServerFrame):
            match frame.WhichOneof("kind"):
                case "assignment":
                    self._runtime.assign(frame.assignment)
                case "task":
                    self._receive(frame)
                case "cancel":
                    self._open_messages.cancel(frame.cancel.message_id)
                case "received":
                    self._open_messages.confirm(frame.received.message_id)
                case "run_over":
                    self._runtime.stay_in(0)
                case "checkpoint":
                    self._log_watch.shown(frame.checkpoint)
                case "pause":
                    self._runtime.pause(frame.pause.paused)
                case kind:
                    raise WireError(f"the server sent a frame of kind {kind!r}")

    def _receive(self, frame: ServerFrame) -> None:
        whole = self._assembler.add(frame.task)
        if whole is not None and whole[1] is not None:
            self._open_messages.take(whole[0], whole[1])

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
            else:
                yield item
                if item.WhichOneof("kind") == "goodbye":
                    return
            del item  # or a reply would stay in memory until there is something else to send

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self.send(ClientFrame(heartbeat=Heartbeat()))


def serialise(frame: ClientFrame | bytes) -> bytes:
    """A frame as bytes; those of a reply are already."""
    return frame if isinstance(frame, bytes) else bytes(frame.SerializeToString())
