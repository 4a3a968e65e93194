"""The server's end of the link: a gRPC service on an asyncio loop in a thread of its own.

It admits clients, pushes messages to them, takes their replies, and notices when one goes away. It knows
nothing of runs or models.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from app.events import EventBus
from app.federation.registry import ClientRegistry
from app.federation.session import OutgoingFrame, Session, Task
from app.records import LOG_LEVELS, LOG_SOURCE, ClientProgress, ClientState, LogLevel, LogRecord
from shared.errors import FedLoomError, WireError
from shared.proto.link_pb2 import (
    Assignment,
    ClientFrame,
    Hello,
    LogLine,
    Progress,
    Refusal,
    ServerFrame,
    Welcome,
)
from shared.version import __version__
from shared.wire import CHANNEL_OPTIONS, LINK_PROCEDURE, LINK_SERVICE, MAX_LOG_TEXT, PROTOCOL_VERSION

R = TypeVar("R")
Context = grpc.aio.ServicerContext[ClientFrame, OutgoingFrame]

HELLO_TIMEOUT_S = 10.0
MAX_NAME = 255
MAX_NAMES = 32
CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
STATE_OF_TASK = {"train": ClientState.TRAINING, "evaluate": ClientState.EVALUATING}

# How gRPC ends a handler, or a call inside it, whose connection is gone.
_CONNECTION_GONE = (
    asyncio.CancelledError,
    grpc.aio.AbortError,
    grpc.aio.BaseError,
    grpc.aio.InternalError,
    grpc.aio.UsageError,
)

log = logging.getLogger(__name__)


class LinkServer:
    """Listens for clients. `start` and `stop` are called once; the rest from any thread while it runs."""

    def __init__(self, registry: ClientRegistry, bus: EventBus) -> None:
        self._registry = registry
        self._bus = bus
        self._sessions: dict[str, Session] = {}
        self._thread = threading.Thread(target=self._run_loop, name="link", daemon=True)
        self._posting = threading.Lock()
        self._posted: deque[Callable[[], object]] = deque()
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._server: grpc.aio.Server | None = None
        self.port = 0

    # commands, from any thread

    def start(self, host: str, port: int) -> int:
        """Bind and serve; returns the port, which 0 leaves open. Raises FedLoomError when it is taken."""
        self._thread.start()
        self._started.result()
        self.port = self._run(self._serve(host, port))
        return self.port

    def stop(self, grace_s: float = 0.5) -> None:
        """Say goodbye to all clients and end the thread."""
        if not self._thread.is_alive():
            return
        self._run(self._shut_down(grace_s))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function in the link thread, after all that was posted before."""
        with self._posting:
            must_wake = not self._posted  # one wake-up serves all that is posted until the thread gets to it
            self._posted.append(partial(function, *args))
        if must_wake:
            self._loop.call_soon_threadsafe(self._run_posted)

    def assign(self, client_id: str, assignment: Assignment) -> None:
        """Tell a client its place in a run."""
        self.post(self._assign, client_id, assignment)

    def dispatch(self, tasks: Iterable[Task]) -> None:
        """Push messages to their clients. For a client that is not connected, `on_lost` is called."""
        self.post(self._dispatch, list(tasks))

    def withdraw(self, client_id: str, message_id: str, reason: str) -> None:
        """Cancel a message whose reply is no longer wanted; the client stops working on it."""
        self.post(self._withdraw, client_id, message_id, reason)

    def note(self, client_id: str, **changes: Any) -> None:
        """Change what the registry says of a client."""
        self.post(partial(self._registry.update, client_id, **changes))

    def _run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine in the link thread and wait for its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return self._started.result()

    # in the link thread

    def _run_loop(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.call_soon(self._started.set_result, loop)
        try:
            loop.run_forever()
        finally:
            loop.close()

    def _run_posted(self) -> None:
        with self._posting:
            functions, self._posted = self._posted, deque()
        for function in functions:
            try:
                function()
            except Exception:  # the edge of the thread, for what other threads ask of it
                log.exception("a command to the link failed")

    async def _serve(self, host: str, port: int) -> int:
        self._server = grpc.aio.server(options=[*CHANNEL_OPTIONS, ("grpc.so_reuseport", 0)])
        handler = grpc.stream_stream_rpc_method_handler(
            self._connect,
            request_deserializer=ClientFrame.FromString,
            response_serializer=_serialise,
        )
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(LINK_SERVICE, {LINK_PROCEDURE: handler}),)
        )
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise FedLoomError(
                f"The link for clients cannot listen on {address}: is another server running there? "
                "Choose another port with --link-port, or an address of this machine with --host."
            ) from error
        await self._server.start()
        return bound

    async def _shut_down(self, grace_s: float) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.close("the server shuts down")
        if self._server is not None:
            await self._server.stop(grace_s)

    async def _connect(self, _: object, context: Context) -> None:
        """The gRPC method: one call is one client's connection, from hello to goodbye."""
        hello = await self._admit(context)
        if hello is None:
            return
        session = self._sessions[hello.client_id] = Session(hello)
        self._registry.connected(hello)
        log.info(
            "%s connected from %s with %s on %s", hello.client_id, hello.host, hello.dataset, hello.device
        )
        ending = "its connection ended"
        tasks = [asyncio.create_task(work(session, context)) for work in (self._read, self._write)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except WireError as error:
            ending = f"it broke the link's protocol. {error}"
        except _CONNECTION_GONE:
            pass
        finally:
            for task in tasks:
                task.cancel()
            self._leave(session, ending)
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, session: Session, context: Context) -> None:
        while (frame := await _read_frame(context)) is not None:
            if frame.WhichOneof("kind") == "goodbye":
                session.said_goodbye = True
                return
            self._receive(session, frame)

    async def _write(self, session: Session, context: Context) -> None:
        await context.write(ServerFrame(welcome=Welcome(version=__version__)))
        async for frame in session.outgoing():
            await context.write(frame)

    async def _admit(self, context: Context) -> Hello | None:
        """The hello of a client that may come in; anyone else is told why not."""
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                first = await _read_frame(context)
        except (TimeoutError, WireError):
            return None
        if first is None or first.WhichOneof("kind") != "hello":
            await context.write(_refuse("The first frame on a link must be a hello.", final=True))
            return None
        hello = first.hello
        refused = self._objection(hello)
        if refused is None:
            return hello
        log.warning(
            "refused client %r from %r: %s", hello.client_id[:64], hello.host[:64], refused.refusal.reason
        )
        await context.write(refused)
        return None

    def _objection(self, hello: Hello) -> ServerFrame | None:
        if hello.protocol != PROTOCOL_VERSION:
            return _refuse(
                f"This server speaks version {PROTOCOL_VERSION} of the link (FedLoom {__version__}), "
                f"the client version {hello.protocol} (FedLoom {hello.version[:32]!r}). "
                "Install the same FedLoom on both.",
                final=True,
            )
        if not CLIENT_ID.fullmatch(hello.client_id) or hello.client_id == LOG_SOURCE:
            return _refuse(
                "A client id has 1 to 64 letters, digits, dots, dashes and underscores, begins with a letter "
                f"or digit, and is not {LOG_SOURCE!r}. Choose another --client-id.",
                final=True,
            )
        names = (hello.dataset, hello.host, hello.device, hello.version, *hello.models)
        if len(names) > MAX_NAMES or not all(len(name) <= MAX_NAME and name.isprintable() for name in names):
            return _refuse("A name in the hello is too long, or cannot be printed.", final=True)
        present = self._sessions.get(hello.client_id)
        if present is None:
            return None
        if present.hello.process == hello.process:
            self._leave(present, "it reconnected before its old connection was seen to be dead")
            return None
        return _refuse(
            f"A client named {hello.client_id!r} is already connected from {present.hello.host}. "
            "Stop that one or choose another --client-id.",
            final=False,
        )

    def _leave(self, session: Session, reason: str) -> None:
        if self._sessions.get(session.client_id) is not session:
            return  # replaced by a reconnect
        del self._sessions[session.client_id]
        if session.said_goodbye:
            reason = "it was stopped"
            log.info("%s left", session.client_id)
        else:
            log.warning("%s is lost: %s", session.client_id, reason)
        self._registry.lost(session.client_id)
        session.close(f"{session.client_id} was lost: {reason}")

    def _receive(self, session: Session, frame: ClientFrame) -> None:
        client_id = session.client_id
        self._registry.seen(client_id)
        match frame.WhichOneof("kind"):
            case "reply":
                if session.receive_reply(frame) is not None:
                    self._registry.update(client_id, state=ClientState.IDLE, progress=None)
            case "progress":
                if session.is_pending(frame.progress.message_id):
                    self._registry.update(client_id, progress=_progress(frame.progress))
            case "log":
                self._bus.publish(_log_record(client_id, frame.log))
            case "failure":
                if session.receive_failure(frame.failure) is not None:
                    self._registry.update(client_id, state=ClientState.IDLE, progress=None)
            case "heartbeat":
                pass
            case kind:
                raise WireError(f"A frame of kind {kind!r} is not expected from a client that is connected.")

    def _assign(self, client_id: str, assignment: Assignment) -> None:
        session = self._sessions.get(client_id)
        if session is not None:
            session.send_assignment(assignment)

    def _dispatch(self, tasks: list[Task]) -> None:
        for task in tasks:
            session = self._sessions.get(task.client_id)
            if session is None:
                task.on_lost(f"{task.client_id} is not connected")
                continue
            session.send_task(task)
            state = STATE_OF_TASK.get(task.message_type.partition(".")[0])
            if state is not None:
                self._registry.update(task.client_id, state=state, round=task.round, progress=None)

    def _withdraw(self, client_id: str, message_id: str, reason: str) -> None:
        session = self._sessions.get(client_id)
        if session is not None:
            session.cancel(message_id, reason)
            self._registry.update(client_id, state=ClientState.IDLE, progress=None)


async def _read_frame(context: Context) -> ClientFrame | None:
    """The next frame; None at the end of the stream. Raises WireError for bytes that are no frame."""
    try:
        frame = await context.read()
    except DecodeError as error:
        raise WireError("It sent bytes that are no frame.") from error
    return frame if isinstance(frame, ClientFrame) else None


def _serialise(frame: OutgoingFrame) -> bytes:
    return frame if isinstance(frame, bytes) else bytes(frame.SerializeToString())


def _refuse(reason: str, *, final: bool) -> ServerFrame:
    return ServerFrame(refusal=Refusal(reason=reason, final=final))


def _progress(progress: Progress) -> ClientProgress:
    return ClientProgress(
        done=progress.done,
        total=progress.total,
        examples_per_s=progress.examples_per_s if math.isfinite(progress.examples_per_s) else 0.0,
        loss=progress.loss if progress.HasField("loss") and math.isfinite(progress.loss) else None,
    )


def _log_record(client_id: str, line: LogLine) -> LogRecord:
    level: LogLevel = next((level for level in LOG_LEVELS if level == line.level), "info")
    return LogRecord(
        level=level,
        source=client_id,
        logger=line.logger[:MAX_NAME],
        message=line.message[:MAX_LOG_TEXT],
        traceback=line.traceback[:MAX_LOG_TEXT] or None,
    )
