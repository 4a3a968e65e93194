"""The client's end of the link: passes the server's messages to the runtime and its replies back.

When the connection is lost it comes back by itself, for ever, and says so once.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from client.desk import Desk, Outgoing, Reply
from client.runtime import Runtime
from shared.chunks import Assembler, reply_frames
from shared.errors import FedLoomError, LinkRefused, WireError
from shared.proto.link_pb2 import (
    AppIdentity,
    ClientFrame,
    Goodbye,
    Heartbeat,
    Hello,
    LogLine,
    ServerFrame,
    Welcome,
)
from shared.text import printable
from shared.version import __version__
from shared.wire import CHANNEL_OPTIONS, LINK_METHOD, PROTOCOL_VERSION

Call = grpc.aio.StreamStreamCall[Any, ServerFrame]

FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 2.0
STABLE_S = 1.0
"""A connection that held for this long makes the first try after it quick again."""
CONNECT_TIMEOUT_S = 10.0
HEARTBEAT_S = 2.0
GOODBYE_TIMEOUT_S = 0.3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClientIdentity:
    """What a client says of itself in its hello."""

    client_id: str
    dataset: str
    models: tuple[str, ...]
    host: str
    device: str
    app: AppIdentity | None = None


class NotAdmitted(FedLoomError):
    """The server does not take this client for now."""


class Link:
    """A client's connection to one server, kept alive until `run` is cancelled.

    `app_objection` says why the server's Flower app is another one than this client's, in words.
    """

    def __init__(
        self,
        server: str,
        identity: ClientIdentity,
        runtime: Runtime,
        app_objection: Callable[[AppIdentity | None], str | None],
    ) -> None:
        self._server = server
        self._identity = identity
        self._process = uuid.uuid4().hex
        self._runtime = runtime
        self._app_objection = app_objection
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Connection | None = None

    async def run(self) -> None:
        """Serve messages for ever. Raises LinkRefused when the server will never take this client."""
        self._loop = asyncio.get_running_loop()
        desk = Desk(self._runtime, self._loop)
        outage = Outage(self._server)
        while True:
            try:
                await self._connect(outage, desk)
                outage.began("it closed the connection")
            except grpc.aio.AioRpcError as error:
                outage.began(_in_words(error))
            except TimeoutError:
                outage.began(f"it did not answer within {CONNECT_TIMEOUT_S:.0f} s")
            except NotAdmitted as error:
                outage.refused(str(error))
            except WireError as error:
                outage.began(str(error))
            except asyncio.InvalidStateError:  # how gRPC reports a write on a call that has just ended
                outage.began("it closed the connection")
            _raise_if_cancelled()
            await asyncio.sleep(outage.next_delay())

    def send_log(self, line: LogLine) -> None:
        """Send a log line if there is a connection; callable from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send_log, line)

    def _send_log(self, line: LogLine) -> None:
        if self._connection is not None:
            self._connection.send(ClientFrame(log=line))

    async def _connect(self, outage: Outage, desk: Desk) -> None:
        """One connection, from hello until it ends."""
        async with grpc.aio.insecure_channel(self._server, options=CHANNEL_OPTIONS) as channel:
            method = channel.stream_stream(
                LINK_METHOD,
                request_serializer=_serialise,
                response_deserializer=ServerFrame.FromString,
            )
            call: Call = method()
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                welcome = await self._greet(call, desk)
            outage.over()
            self._connection = Connection(call, self._runtime, desk)
            desk.connected(welcome, self._connection.send)
            try:
                await self._connection.serve()
            finally:
                desk.disconnected()
                self._connection = None

    async def _greet(self, call: Call, desk: Desk) -> Welcome:
        who = self._identity
        hello = Hello(
            protocol=PROTOCOL_VERSION,
            client_id=printable(who.client_id),
            process=self._process,
            version=__version__,
            dataset=who.dataset,
            models=who.models,
            host=printable(who.host),
            device=printable(who.device),
            app=who.app,
            holding=desk.holding(),
        )
        await call.write(ClientFrame(hello=hello))
        answer = await call.read()
        if not isinstance(answer, ServerFrame):
            raise WireError("the server closed the connection without a word")
        match answer.WhichOneof("kind"):
            case "refusal" if answer.refusal.final:
                raise LinkRefused(answer.refusal.reason)
            case "refusal":
                raise NotAdmitted(answer.refusal.reason)
            case "welcome":
                app = answer.welcome.app if answer.welcome.HasField("app") else None
                if (difference := self._app_objection(app)) is not None:
                    raise LinkRefused(difference)
                return answer.welcome
            case kind:
                raise WireError(f"the server answered a hello with {kind!r}")


class Connection:
    """An open stream. All of it happens in the event loop."""

    def __init__(self, call: Call, runtime: Runtime, desk: Desk) -> None:
        self._call = call
        self._runtime = runtime
        self._desk = desk
        self._outbox: asyncio.Queue[Outgoing] = asyncio.Queue()
        self._assembler = Assembler()

    def send(self, outgoing: Outgoing) -> None:
        """Queue a frame, or a reply."""
        self._outbox.put_nowait(outgoing)

    async def serve(self) -> None:
        """Read and write until the connection ends."""
        reader, writer, beat = (
            asyncio.ensure_future(work) for work in (self._read(), self._write(), self._beat())
        )
        tasks = [reader, writer, beat]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:  # in this order: what the reader saw says more than what the writer did
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
                    self._desk.cancel(frame.cancel.message_id)
                case "received":
                    self._desk.confirm(frame.received.message_id)
                case "pause":
                    self._runtime.pause(frame.pause.paused)
                case kind:
                    raise WireError(f"the server sent a frame of kind {kind!r}")

    def _receive(self, frame: ServerFrame) -> None:
        whole = self._assembler.add(frame.task)
        if whole is not None and whole[1] is not None:
            self._desk.take(whole[0], whole[1])

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


class Outage:
    """Says once that the server is away and once that it is back, and how long to wait between tries."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._since: float | None = None
        self._refusal: str | None = None
        self._delay_s = FIRST_DELAY_S
        self._connected_at: float | None = None

    def began(self, reason: str) -> None:
        """A try failed, or a connection ended."""
        if self._connected_at is not None and time.monotonic() - self._connected_at > STABLE_S:
            self._delay_s = FIRST_DELAY_S  # it held: what comes now is another outage
        self._connected_at = None
        if self._since is None:
            self._since = time.monotonic()
            log.warning("no connection to %s: %s. Trying again until there is one.", self._server, reason)

    def refused(self, reason: str) -> None:
        """The server is there but does not take this client for now; worth a line of its own, once."""
        self._since = self._since or time.monotonic()
        if reason != self._refusal:
            self._refusal = reason
            log.warning("not admitted by %s: %s Trying again until it is.", self._server, reason)

    def over(self) -> None:
        """There is a connection."""
        away = "" if self._since is None else f" after {time.monotonic() - self._since:.1f} s"
        log.info("connected to the server at %s%s", self._server, away)
        self._since = self._refusal = None
        self._connected_at = time.monotonic()

    def next_delay(self) -> float:
        """Seconds until the next try: doubling, with jitter so that not all clients come back at once."""
        delay = self._delay_s * random.uniform(0.8, 1.2)
        self._delay_s = min(self._delay_s * 2, LONGEST_DELAY_S)
        return delay


def _raise_if_cancelled() -> None:
    """A call that ends by itself at the moment of the cancellation raises its own error instead."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _serialise(frame: ClientFrame | bytes) -> bytes:
    return frame if isinstance(frame, bytes) else bytes(frame.SerializeToString())


def _in_words(error: grpc.aio.AioRpcError) -> str:
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return "it cannot be reached"
    return error.details() or str(error.code().name)
