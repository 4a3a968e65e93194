"""The client's end of the link: passes the server's messages to the runtime and its replies back.

When the connection is lost it comes back by itself, for ever, and says so once.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import grpc
import grpc.aio

from client.address_probe import Found, look_at
from client.connection import Call, Connection, serialise
from client.open_messages import OpenMessages
from client.outage import Outage
from client.runtime import Runtime
from shared.address import parse_address
from shared.error_text import error_text
from shared.errors import FedLoomError, LinkRefused, WireError
from shared.proto.link_pb2 import AppIdentity, ClientFrame, Hello, LogLine, ServerFrame, Welcome
from shared.text import printable
from shared.version import __version__
from shared.wire import CHANNEL_OPTIONS, LINK_METHOD, PROTOCOL_VERSION

CONNECT_TIMEOUT_S = 10.0


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


class NotFound(FedLoomError):
    """There is no link at the server's address. `code` and `details` are what gRPC says of it."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        super().__init__(error.details())
        self.code = error.code()
        self.details = error.details()


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
        self._address = parse_address(server)
        self._identity = identity
        self._process = uuid.uuid4().hex
        self._runtime = runtime
        self._app_objection = app_objection
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Connection | None = None
        self._looked_into: str | None = None
        """The newest failure to find a link, in gRPC's words, whose cause was looked for."""

    async def run(self) -> None:
        """Serve messages for ever. Raises LinkRefused when the server will never take this client."""
        self._loop = asyncio.get_running_loop()
        open_messages = OpenMessages(self._runtime, self._loop)
        outage = Outage(self._server)
        while True:
            try:
                await self._connect(outage, open_messages)
                outage.began("it closed the connection")
            except NotFound as error:
                await self._look_into(error, outage)
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
            except LinkRefused:
                raise
            except Exception as error:  # noqa: BLE001 - the edge of a connection: the next may do better
                outage.began(error_text(error), error)
            _raise_if_cancelled()
            await asyncio.sleep(outage.next_delay())

    def send_log(self, line: LogLine) -> None:
        """Send a log line if there is a connection; callable from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send_log, line)

    def _send_log(self, line: LogLine) -> None:
        if self._connection is not None:
            self._connection.send(ClientFrame(log=line))

    async def _connect(self, outage: Outage, open_messages: OpenMessages) -> None:
        """One connection, from hello until it ends."""
        async with grpc.aio.insecure_channel(self._server, options=CHANNEL_OPTIONS) as channel:
            method = channel.stream_stream(
                LINK_METHOD,
                request_serializer=serialise,
                response_deserializer=ServerFrame.FromString,
            )
            call: Call = method()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    welcome = await self._greet(call, open_messages)
            except grpc.aio.AioRpcError as error:
                raise NotFound(error) from error
            self._looked_into = None
            outage.over()
            self._connection = Connection(call, self._runtime, open_messages)
            open_messages.connected(welcome, self._connection.send)
            try:
                await self._connection.serve()
            finally:
                open_messages.disconnected()
                self._connection = None

    async def _look_into(self, error: NotFound, outage: Outage) -> None:
        """Say what is at the server's address, once for each way in which no link is found there."""
        if error.details == self._looked_into:
            return
        self._looked_into = error.details
        if error.code is grpc.StatusCode.UNAVAILABLE:
            found = await look_at(self._address)
        elif error.code is grpc.StatusCode.UNIMPLEMENTED:
            found = Found("another gRPC server answers there", is_other=True)
        else:
            found = Found(error.details or error.code.name)
        if found.is_other:
            outage.is_elsewhere(found.words)
        else:
            outage.began(found.words)

    async def _greet(self, call: Call, open_messages: OpenMessages) -> Welcome:
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
            holding=open_messages.holding(),
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


def _raise_if_cancelled() -> None:
    """A call that ends by itself at the moment of the cancellation raises its own error instead."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _in_words(error: grpc.aio.AioRpcError) -> str:
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return "it cannot be reached"
    return error.details() or str(error.code().name)
