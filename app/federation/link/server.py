"""The server's end of the link: a gRPC service on an asyncio loop in a thread of its own.

It admits clients, pushes messages to them, takes their replies, and notices when one goes away. It knows
nothing of runs or models.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from app.events import EventBus
from app.federation.link.admission import objection
from app.federation.link.clients import ClientRegistry
from app.federation.link.reports import client_progress, log_record
from app.federation.link.session import Mailbox, OutgoingFrame, Session, Task, Withdrawn
from app.federation.link.spool import Receiving
from app.records import ClientState
from shared.errors import FedLoomError, WireError
from shared.proto.link_pb2 import (
    AppIdentity,
    Assignment,
    ClientFrame,
    Hello,
    LabelCounts,
    Refusal,
    ServerFrame,
    Welcome,
)
from shared.version import __version__
from shared.wire import CHANNEL_OPTIONS, LINK_PROCEDURE, LINK_SERVICE

R = TypeVar("R")
Context = grpc.aio.ServicerContext[ClientFrame, OutgoingFrame]

HELLO_TIMEOUT_S = 10.0
CATCH_UP_S = 1.0
MAX_LABELS = 10_000
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
    """Listens for clients. `start` and `stop` are called once; the rest from any thread while it runs.

    `app` is the Flower app that the server runs (None: the built-in one), and `app_objection` says why that
    of a client is another one, in words.
    """

    def __init__(
        self,
        registry: ClientRegistry,
        bus: EventBus,
        app: AppIdentity | None,
        app_objection: Callable[[AppIdentity | None], str | None],
        receiving: Receiving,
    ) -> None:
        self._registry = registry
        self._bus = bus
        self._app = app
        self._app_objection = app_objection
        self._receiving = receiving
        self._sessions: dict[str, Session] = {}
        self._mailboxes: defaultdict[str, Mailbox] = defaultdict(Mailbox)
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
        if self._loop.is_closed():  # the server has ended, and who posts has not noticed
            return
        with self._posting:
            must_wake = not self._posted  # one wake-up serves all that is posted until the thread gets to it
            self._posted.append(partial(function, *args))
        if must_wake:
            self._loop.call_soon_threadsafe(self._run_posted)

    def catch_up(self) -> None:
        """Return once the link thread has done what was asked of it so far, if it is not at its end."""
        done = threading.Event()
        self.post(done.set)
        done.wait(CATCH_UP_S)

    def assign(self, client_id: str, assignment: Assignment) -> None:
        """Tell a client its place in a run."""
        self.post(self._assign, client_id, assignment)

    def end_run(self, run_id: int) -> None:
        """Forget who has which place in a run that is over."""
        self.post(self._end_run, run_id)

    def set_paused(self, run_id: int, paused: bool) -> None:
        """Have the clients of a run pause, or go on."""
        self.post(self._set_paused, run_id, paused)

    def dispatch(self, tasks: Iterable[Task]) -> None:
        """Push messages to their clients. One that is not connected gets its own when it comes."""
        self.post(self._dispatch, list(tasks))

    def withdraw(self, client_id: str, message_id: str, reason: str, *, late: bool = False) -> None:
        """Cancel a message whose reply is no longer wanted; the client stops working on it.

        A client that is too `late` with it is shown as such until it has stopped.
        """
        self.post(self._withdraw, client_id, message_id, reason, late)

    def mark_late(self, client_id: str, message_id: str) -> None:
        """Show that a client has missed a deadline with a message whose reply is still wanted."""
        self.post(self._mark_late, client_id, message_id)

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
        welcome = Welcome(version=__version__, app=self._app)
        # First, so that nobody gives up the messages of a client that is seen to be there again.
        session = Session(hello, self._mailboxes[hello.client_id], welcome, self._receiving.room)
        self._registry.connected(hello)
        self._sessions[hello.client_id] = session
        self._settle(session)
        log.info(
            "%s connected from %s with %s on %s",
            hello.client_id,
            hello.host,
            hello.app.name if hello.HasField("app") else hello.dataset,
            hello.device,
        )
        ending = "its connection ended"
        tasks = [asyncio.create_task(work(session, context)) for work in (self._read, self._write)]
        done: set[asyncio.Task[None]] = set()
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
            del tasks, done, task  # with an exception they would keep this frame, and half a reply, alive

    async def _read(self, session: Session, context: Context) -> None:
        while (frame := await _read_frame(context)) is not None:
            if frame.WhichOneof("kind") == "goodbye":
                session.said_goodbye = True
                return
            self._receive(session, frame)

    async def _write(self, session: Session, context: Context) -> None:
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
        difference = objection(hello) or self._app_objection(hello.app if hello.HasField("app") else None)
        if difference is not None:
            return _refuse(difference, final=True)
        present = self._sessions.get(hello.client_id)
        if present is None:
            return None
        if present.hello.process == hello.process:
            log.info("%s reconnects before its old connection was seen to be dead", hello.client_id)
            del self._sessions[hello.client_id]
            present.close(None)
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
                self._settled(session, session.receive_reply(frame))
            case "progress":
                if session.is_pending(frame.progress.message_id):
                    self._registry.update(client_id, progress=client_progress(frame.progress))
            case "log":
                self._bus.publish(log_record(client_id, frame.log))
            case "failure":
                self._settled(session, session.receive_failure(frame.failure))
            case "released":
                if session.receive_release(frame.released.message_id):
                    self._settle(session)
            case "label_counts":
                self._count_labels(client_id, frame.label_counts)
            case "heartbeat":
                pass
            case kind:
                raise WireError(f"A frame of kind {kind!r} is not expected from a client that is connected.")

    def _settled(self, session: Session, task: Task | Withdrawn | None) -> None:
        """A client is done with a message, if it is."""
        if isinstance(task, Withdrawn):
            log.info(
                "%s: a late reply%s was dropped, %.1f s after the message was withdrawn",
                session.client_id,
                "" if task.round is None else f" for round {task.round}",
                time.monotonic() - task.since,
            )
        if task is not None:
            self._settle(session)

    def _settle(self, session: Session) -> None:
        """Show what a client does now, by the messages that it owes a reply to."""
        task = session.newest_task
        if task is not None:
            self._show_work(task)
        elif session.is_late:
            self._show_late(session.client_id)
        else:
            self._registry.settled(session.client_id)

    def _show_work(self, task: Task) -> None:
        state = STATE_OF_TASK.get(task.message_type.partition(".")[0])
        if state is not None:
            self._registry.update(
                task.client_id, state=state, round=task.round, progress=None, late_since=None
            )

    def _count_labels(self, client_id: str, message: LabelCounts) -> None:
        assignment = self._mailboxes[client_id].assignment
        if assignment is None or assignment.run_id != message.run_id:
            return
        if len(message.counts) > MAX_LABELS or any(count > 2**53 for count in message.counts):
            raise WireError("It sent label counts that cannot be right.")
        self._registry.update(client_id, label_counts=tuple(message.counts))

    def _assign(self, client_id: str, assignment: Assignment) -> None:
        self._mailboxes[client_id].assignment = assignment
        session = self._sessions.get(client_id)
        if session is not None:
            session.send_assignment()

    def _end_run(self, run_id: int) -> None:
        self._set_paused(run_id, False)
        for mailbox in self._mailboxes.values():
            if mailbox.assignment is not None and mailbox.assignment.run_id == run_id:
                mailbox.assignment = None

    def _set_paused(self, run_id: int, paused: bool) -> None:
        for client_id, mailbox in self._mailboxes.items():
            if mailbox.assignment is None or mailbox.assignment.run_id != run_id or mailbox.paused is paused:
                continue
            mailbox.paused = paused
            session = self._sessions.get(client_id)
            if session is not None:
                session.send_pause()

    def _dispatch(self, tasks: list[Task]) -> None:
        for task in tasks:
            session = self._sessions.get(task.client_id)
            if session is not None:
                session.send_task(task)
                self._show_work(task)
            else:
                self._mailboxes[task.client_id].open[task.message_id] = task
                task.on_away(f"{task.client_id} is not connected")

    def _withdraw(self, client_id: str, message_id: str, reason: str, late: bool) -> None:
        mailbox = self._mailboxes[client_id]
        task = mailbox.open.pop(message_id, None)
        if task is None:
            return
        mailbox.withdrawn[message_id] = Withdrawn(task.round, time.monotonic(), late)
        session = self._sessions.get(client_id)
        if session is not None:
            session.cancel(task, reason)
            self._settle(session)

    def _mark_late(self, client_id: str, message_id: str) -> None:
        if client_id in self._sessions and message_id in self._mailboxes[client_id].open:
            self._show_late(client_id)

    def _show_late(self, client_id: str) -> None:
        if self._registry.known(client_id).state is not ClientState.LATE:
            self._registry.update(client_id, state=ClientState.LATE, late_since=time.time())


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
