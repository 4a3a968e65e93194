"""The server's end of the link: a gRPC service on an asyncio loop in a thread of its own.

It admits clients, pushes messages to them, takes their replies, and notices when one goes away. It knows
nothing of runs or models.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from app.audit.entry import Kind
from app.audit.log import AuditLog
from app.audit.refusals import Refusals
from app.event_bus import EventBus
from app.federation.link.admission import MAX_NAME, objection
from app.federation.link.client_work import ClientWork, OutgoingFrame
from app.federation.link.clients import ClientRegistry
from app.federation.link.door import Door, Guest, Refused
from app.federation.link.loop_thread import LoopThread
from app.federation.link.reports import log_record
from app.federation.link.session import Session
from app.federation.link.spool import Spool
from app.federation.link.task import Task
from app.federation.link.witnessing import Witnessing
from shared.address import Address
from shared.errors import FedLoomError, WireError
from shared.proto.link_pb2 import (
    AppIdentity,
    Assignment,
    Challenge,
    ClientFrame,
    Hello,
    Refusal,
    ServerFrame,
    Welcome,
)
from shared.security.handshake import new_nonce
from shared.security.server_identity import ServerIdentity
from shared.text import printable
from shared.version import __version__
from shared.wire import CHANNEL_OPTIONS, LINK_PROCEDURE, LINK_SERVICE, PROTOCOL_VERSION

Context = grpc.aio.ServicerContext[ClientFrame, OutgoingFrame]

HELLO_TIMEOUT_S = 10.0
CATCH_UP_S = 1.0

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
        spool: Spool,
        identity: ServerIdentity,
        audit: AuditLog,
    ) -> None:
        self._registry = registry
        self._audit = audit
        self._refusals = Refusals(audit, Kind.CLIENT_REFUSED)
        self._identity = identity
        self._door = Door(identity, registry.key_of)
        self._bus = bus
        self._app = app
        self._app_objection = app_objection
        self._spool = spool
        self._sessions: dict[str, Session] = {}
        self._witnessing: dict[Session, Witnessing] = {}
        self._client_work = ClientWork(registry)
        self._loop = LoopThread("link")
        self._server: grpc.aio.Server | None = None
        self.port = 0

    # commands, from any thread

    def start(self, host: str, port: int) -> int:
        """Bind and serve; returns the port, which 0 leaves open. Raises FedLoomError when it is taken."""
        self._loop.start()
        self.port = self._loop.run(self._serve(host, port))
        self._audit.on_change(self._show_log)
        return self.port

    def stop(self, grace_s: float = 0.5) -> None:
        """Say goodbye to all clients and end the thread."""
        if self._loop.is_alive:
            self._audit.off_change(self._show_log)
            self._loop.run(self._shut_down(grace_s))
            self._loop.stop()

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function in the link thread, after all that was posted before."""
        self._loop.post(function, *args)

    def catch_up(self) -> None:
        """Return once the link thread has done what was asked of it so far, if it is not at its end."""
        done = threading.Event()
        self.post(done.set)
        done.wait(CATCH_UP_S)

    def assign(self, client_id: str, assignment: Assignment) -> None:
        """Tell a client its place in a run."""
        self.post(self._client_work.assign, client_id, assignment)

    def end_run(self, run_id: int) -> None:
        """Forget who has which place in a run that is over, and tell them."""
        self.post(self._client_work.end_run, run_id)

    def set_paused(self, run_id: int, paused: bool) -> None:
        """Have the clients of a run pause, or go on."""
        self.post(self._client_work.set_paused, run_id, paused)

    def dispatch(self, tasks: Iterable[Task]) -> None:
        """Push messages to their clients. One that is not connected gets its own when it comes."""
        self.post(self._client_work.dispatch, list(tasks))

    def withdraw(self, client_id: str, message_id: str, reason: str, *, late: bool = False) -> None:
        """Cancel a message whose reply is no longer wanted; the client stops working on it.

        A client that is too `late` with it is shown as such until it has stopped.
        """
        self.post(partial(self._client_work.withdraw, client_id, message_id, reason, late=late))

    def mark_late(self, client_id: str, message_id: str) -> None:
        """Show that a client has missed a deadline with a message whose reply is still wanted."""
        self.post(self._client_work.mark_late, client_id, message_id)

    def note(self, client_id: str, **changes: Any) -> None:
        """Change what the registry says of a client."""
        self.post(partial(self._registry.update, client_id, **changes))

    # in the link thread

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
        address = str(Address(host, port))
        credentials = grpc.ssl_server_credentials([(self._identity.key.pem(), self._identity.certificate)])
        try:
            bound = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise FedLoomError(
                f"The link for clients cannot listen on {address}: is another server running there? "
                "Choose another port with --link-port, or an address of this machine with --host."
            ) from error
        await self._server.start()
        return bound

    async def _shut_down(self, grace_s: float) -> None:
        self._refusals.close()
        self._look_at_log()
        self._client_work.away("the server shuts down")
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.close()
        if self._server is not None:
            await self._server.stop(grace_s)

    async def _connect(self, _: object, context: Context) -> None:
        """The gRPC method: one call is one client's connection, from hello to goodbye."""
        guest = await self._admit(context)
        if guest is None:
            return
        hello = guest.hello
        session = Session(hello, self._client_work, self._spool)
        self._witnessing[session] = Witnessing(hello.client_id, guest.public_key, session, self._audit)
        self._sessions[hello.client_id] = session
        welcome = Welcome(version=__version__, app=self._app)
        with self._audit.moment():
            self._audit.joined(hello.client_id, guest.public_key, **_about(hello))
            self._client_work.connected(hello, str(guest.key), welcome, session)
        log.info(
            "%s connected from %s with %s on %s",
            hello.client_id,
            hello.host,
            hello.app.name if hello.HasField("app") else hello.dataset,
            hello.device,
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
            del self._witnessing[session]
            self._leave(session, ending)
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:  # gRPC may cancel this as well, if the connection breaks while it is closed
                session.release()

    async def _read(self, session: Session, context: Context) -> None:
        while (frame := await _read_frame(context)) is not None:
            if frame.WhichOneof("kind") == "goodbye":
                session.said_goodbye = True
                return
            self._receive(session, frame)

    async def _write(self, session: Session, context: Context) -> None:
        async for frame in session.outgoing():
            await context.write(frame)

    async def _admit(self, context: Context) -> Guest | None:
        """A client that may come in; anyone else is told why not."""
        nonce = new_nonce()
        await context.write(ServerFrame(challenge=Challenge(protocol=PROTOCOL_VERSION, nonce=nonce)))
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                first = await _read_frame(context)
        except (TimeoutError, WireError):
            return None
        guest: Guest | None = None
        try:
            if first is None or first.WhichOneof("kind") != "signed_hello":
                raise Refused("The first frame on a link must be a signed hello.")
            guest = self._door.examine(first.signed_hello, nonce)
            self._examine(guest, first.signed_hello.token)
        except Refused as refused:
            log.warning("refused a client: %s", refused)
            self._refused(str(refused), guest)
            await context.write(_refuse(str(refused), final=refused.is_final))
            return None
        return guest

    def _refused(self, reason: str, guest: Guest | None) -> None:
        if guest is None:
            self._refusals.add(reason)
        else:
            self._refusals.add(reason, client=guest.hello.client_id[:MAX_NAME], key=str(guest.key))

    def _show_log(self) -> None:
        """In the writer's thread: there may be a checkpoint that clients are to see."""
        self.post(self._look_at_log)

    def _look_at_log(self) -> None:
        for witnessing in self._witnessing.values():
            witnessing.look()

    def _examine(self, guest: Guest, token: str) -> None:
        """Raise Refused unless what a client says of itself will do."""
        hello = guest.hello
        difference = objection(hello) or self._app_objection(hello.app if hello.HasField("app") else None)
        if difference is not None:
            raise Refused(difference)
        self._door.admit(guest, token)
        present = self._sessions.get(hello.client_id)
        if present is None:
            return
        if present.hello.process != hello.process:
            raise Refused(
                f"A client named {hello.client_id!r} is already connected from {present.hello.host}. "
                "Stop that one or choose another --client-id.",
                is_final=False,
            )
        log.info("%s reconnects before its old connection was seen to be dead", hello.client_id)
        del self._sessions[hello.client_id]
        present.close()

    def _leave(self, session: Session, reason: str) -> None:
        if self._sessions.get(session.client_id) is not session:
            return  # replaced by a reconnect
        del self._sessions[session.client_id]
        if session.said_goodbye:
            reason = "it was stopped"
            log.info("%s left", session.client_id)
        else:
            log.warning("%s is lost: %s", session.client_id, reason)
        session.close()
        self._client_work.disconnected(session.client_id, session, f"{session.client_id} was lost: {reason}")

    def _receive(self, session: Session, frame: ClientFrame) -> None:
        client_id = session.client_id
        self._registry.seen(client_id)
        match frame.WhichOneof("kind"):
            case "reply":
                session.receive(frame.reply)
            case "progress":
                self._client_work.progressed(client_id, frame.progress)
            case "log":
                self._bus.publish(log_record(client_id, frame.log, self._client_work.run_of(client_id)))
            case "failure":
                self._client_work.failed(client_id, frame.failure)
            case "released":
                self._client_work.released(client_id, frame.released.message_id)
            case "label_counts":
                self._client_work.counted(client_id, frame.label_counts)
            case "cosignature":
                self._witnessing[session].answered(frame.cosignature)
            case "heartbeat":
                pass
            case kind:
                raise WireError(f"A frame of kind {kind!r} is not expected from a client that is connected.")


async def _read_frame(context: Context) -> ClientFrame | None:
    """The next frame; None at the end of the stream. Raises WireError for bytes that are no frame."""
    try:
        frame = await context.read()
    except DecodeError as error:
        raise WireError("It sent bytes that are no frame.") from error
    return frame if isinstance(frame, ClientFrame) else None


def _about(hello: Hello) -> dict[str, str | None]:
    """What a client says of itself that the audit log tells."""
    app = hello.app.digest if hello.HasField("app") else None
    return {"host": hello.host, "device": hello.device, "dataset": hello.dataset, "app": app}


def _serialise(frame: OutgoingFrame) -> bytes:
    return frame if isinstance(frame, bytes) else bytes(frame.SerializeToString())


def _refuse(reason: str, *, final: bool) -> ServerFrame:
    return ServerFrame(refusal=Refusal(reason=printable(reason), final=final))
