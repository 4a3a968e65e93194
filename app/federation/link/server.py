"""The server's end of the link: a gRPC service on an asyncio loop in a thread of its own.

It admits clients, pushes messages to them, takes their replies, and notices when one goes away. It knows
nothing of runs or models.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import grpc
import grpc.aio

from app.audit.log import AuditLog
from app.enrolment.answers import Answer, words
from app.enrolment.enrolment import Enrolment
from app.event_bus import EventBus
from app.federation.link.admission import difference
from app.federation.link.arrivals import Arrivals, ArrivalWatch
from app.federation.link.client_frames import ClientFrames
from app.federation.link.client_logs import ClientLogs
from app.federation.link.client_usage import ClientUsage
from app.federation.link.client_work import ClientWork
from app.federation.link.clients import ClientRegistry
from app.federation.link.door import Door, Guest
from app.federation.link.forgetting import Forgetting
from app.federation.link.frames import Context, refuse
from app.federation.link.limits import Limits
from app.federation.link.link_measures import LinkMeasures
from app.federation.link.listening import bind, new_server
from app.federation.link.loop_thread import LoopThread
from app.federation.link.mesh_blocks import BLOCKED, MeshBlocks
from app.federation.link.mesh_roster import MeshRoster
from app.federation.link.peers import Peer
from app.federation.link.reception import Reception
from app.federation.link.refusals import Refusals
from app.federation.link.session import Session
from app.federation.link.spool import Spool
from app.federation.link.task import Task
from app.federation.link.traffic import Traffic, count_for
from app.federation.link.verdicts import Verdicts
from app.federation.link.witnessing import Witnessing
from app.heaps import share_heaps
from app.records import MembershipState, Verdict
from app.usage.history import UsageHistory
from shared.address import Address
from shared.errors import WireError
from shared.hashing import hashing_threads
from shared.proto.link_pb2 import (
    AppIdentity,
    Assignment,
    Hello,
    NextKey,
    ServerFrame,
    Welcome,
)
from shared.security.server_identity import ServerIdentity
from shared.version import __version__

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
        enrolment: Enrolment,
        audit: AuditLog,
        sequences: Mapping[str, int] = MappingProxyType({}),
        roster: Path | None = None,
        usage: UsageHistory | None = None,
    ) -> None:
        """`sequences`: of each client, the number of its newest genuine reply so far. `roster`: the file that
        keeps the mesh's; None: nothing does. `usage`: takes what clients' machines are used for; None: nobody
        asks them."""
        self._registry = registry
        self._audit = audit
        self._identity = identity
        self._enrolment = enrolment
        self._door = Door(identity, enrolment, audit)
        self._app = app
        self._spool = spool
        self._sessions: dict[str, Session] = {}
        self.measures = LinkMeasures(self._sessions)
        self._witnessing: dict[Session, Witnessing] = {}
        self._arrivals = Arrivals()
        self._refusals = Refusals()
        self._limits = Limits()
        self._reception = Reception(
            self._door,
            app_objection,
            self._sessions,
            self._refusals,
            self._limits,
            audit,
            self._show_standing,
        )
        self._watch: ArrivalWatch | None = None
        self._loop = LoopThread("link")
        verdicts = Verdicts(bus, registry, identity.key, sequences, enrolment.is_admitted, audit)
        self._client_work = ClientWork(registry, verdicts, self._limits, self._loop.post)
        self._client_logs = ClientLogs(bus, self._limits, self._client_work.run_of)
        self._client_usage = None if usage is None else ClientUsage(self._limits, usage)
        self.traffic = Traffic()
        self._threads = hashing_threads()
        self._server: grpc.aio.Server | None = None
        self._forgetting = Forgetting(enrolment, audit, self._sessions.__contains__, self._heed_standing)
        self.mesh_blocks = MeshBlocks(None if roster is None else roster.with_name(BLOCKED))
        """Raises BlocksUnusable."""
        self._mesh_roster = MeshRoster(
            identity.key, enrolment, self._sessions.values, self.mesh_blocks, roster
        )
        self._frames = ClientFrames(
            registry,
            self._client_work.reports,
            self._client_logs,
            self._client_usage,
            self._mesh_roster,
            self._witnessing,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._next_key: NextKey | None = None
        self.port = 0

    # commands, from any thread

    def start(self, host: str, port: int) -> int:
        """Bind and serve; returns the port, which 0 leaves open. Raises FedLoomError when it is taken."""
        share_heaps()
        self._loop.start()
        self._audit.on_change(self._show_log)
        self.port = self._loop.run(self._serve(host, port))
        self._watch = ArrivalWatch(self.port, self._arrivals, self._refusals)
        self._watch.start()
        return self.port

    def stop(self, grace_s: float = 0.5) -> None:
        """Say goodbye to all clients and end the thread."""
        if self._watch is not None:
            self._watch.stop()
        if self._loop.is_alive:
            self._audit.off_change(self._show_log)
            self._loop.run(self._shut_down(grace_s))
            self._loop.stop()
        self._door.close()
        self._threads.shutdown(cancel_futures=True)

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

    def standing_changed(self, client_id: str) -> None:
        """It was decided on a client: show that, and cut it off if it may not be here any more."""
        self.post(self._heed_standing, client_id)

    def forget(self, client_id: str) -> None:
        """Enrolment knows nothing of a client any more: take it off the list."""
        self.post(self._forget, client_id)

    def mesh_blocks_changed(self) -> None:
        """It was decided for whom the server vouches in the mesh: tell its members."""
        self.post(self._mesh_roster.standing_changed)

    def announce(self, notice: NextKey) -> None:
        """Tell all clients, those who are here and those who come, of the server's next key."""
        self.post(self._announce, notice)

    def note(self, client_id: str, **changes: Any) -> None:
        """Change what the registry says of a client."""
        self.post(partial(self._registry.update, client_id, **changes))

    def refused(self) -> dict[str, int]:
        """How many were not let in so far, by the reason's code."""
        return self._refusals.counts()

    # in the link thread

    async def _serve(self, host: str, port: int) -> int:
        self._server = new_server(self._connect, self.traffic)
        bound = bind(self._server, Address(host, port), self._identity)
        await self._server.start()
        self._tasks = [asyncio.create_task(each.run()) for each in (self._forgetting, self._mesh_roster)]
        return bound

    async def _shut_down(self, grace_s: float) -> None:
        self._reception.close()
        self._look_at_log()
        self._client_work.away("the server shuts down")
        for task in self._tasks:
            task.cancel()
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        if self._server is not None:
            await self._server.stop(grace_s)

    async def _connect(self, _: object, context: Context) -> None:
        """The gRPC method: one call is one client's connection, from hello to goodbye."""
        peer = Peer.of_call(context.peer())
        guest = await self._reception.receive(context, peer)
        if guest is None:
            return
        self._arrivals.admit(peer)
        try:
            await self._attend(guest, context)
        finally:
            self._arrivals.forget(peer)

    async def _attend(self, guest: Guest, context: Context) -> None:
        """All of a connection from the welcome on."""
        hello = guest.hello
        traffic = self._registry.traffic(hello.client_id)
        session = Session(
            guest, self._client_work.reports, self._spool, self._identity.key, self._threads, traffic
        )
        self._witnessing[session] = Witnessing(hello.client_id, guest.public_key, session, self._audit)
        self._sessions[hello.client_id] = session
        standing = self._enrolment.standing(hello.client_id)
        is_ephemeral = standing is not None and standing.ephemeral
        welcome = Welcome(
            version=__version__,
            app=self._app,
            ephemeral=is_ephemeral,
            takes_usage=self._client_usage is not None,
        )
        with self._audit.moment():
            self._audit.joined(hello.client_id, guest.public_key, **_about(hello))
            self._client_work.connected(hello, str(guest.key), welcome, session)
        if self._next_key is not None:
            session.send([ServerFrame(next_key=self._next_key)])
        self._mesh_roster.entered(guest, session)
        self._show_standing(hello.client_id)
        log.info(
            "%s connected from %s with %s on %s",
            hello.client_id,
            hello.host,
            hello.app.name if hello.HasField("app") else hello.dataset,
            hello.device,
        )
        if (other := difference(hello)) is not None:
            log.info("%s", other)
        ending = "its connection ended"
        count_for(traffic)
        tasks = [asyncio.create_task(work(session, context)) for work in (self._frames.read, self._write)]
        tasks.append(asyncio.create_task(session.until_cut()))
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

    async def _write(self, session: Session, context: Context) -> None:
        async for frame in session.outgoing():
            await context.write(frame)

    def _show_log(self) -> None:
        """In the writer's thread: there may be a checkpoint that clients are to see."""
        self.post(self._look_at_log)

    def _look_at_log(self) -> None:
        for witnessing in self._witnessing.values():
            witnessing.look()

    def _announce(self, notice: NextKey) -> None:
        self._next_key = notice
        for session in self._sessions.values():
            session.send([ServerFrame(next_key=notice)])

    def _show_standing(self, client_id: str, hello: Hello | None = None) -> None:
        """`hello`: of somebody who asks for this name."""
        self._registry.stands(client_id, self._enrolment.standing(client_id), hello)

    def _heed_standing(self, client_id: str) -> None:
        """What stands otherwise now has its effect."""
        self._mesh_roster.standing_changed()
        session = self._sessions.get(client_id)
        standing = self._enrolment.standing(client_id)
        if session is not None and not self._enrolment.is_admitted(client_id, str(session.key)):
            log.warning("%s is cut off: its key %s was revoked", client_id, session.key.short)
            del self._sessions[client_id]
            said = words(Answer.REVOKED, client_id, session.key.short)
            session.cut(refuse(said, final=standing is not None))
            self._client_work.expelled(
                client_id, f"{client_id} was cut off: its key was revoked", Verdict.REVOKED
            )
        elif standing is None or standing.membership is not MembershipState.ADMITTED:
            verdict = None if standing is None else Verdict.REVOKED
            self._client_work.expelled(client_id, f"{client_id} is not a member any more", verdict)
        self._show_standing(client_id)

    def _forget(self, client_id: str) -> None:
        self._heed_standing(client_id)
        if self._enrolment.standing(client_id) is None:
            self._registry.forget(client_id)

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
        self._client_logs.tell(session.client_id)
        self._client_work.disconnected(session.client_id, session, f"{session.client_id} was lost: {reason}")
        standing = self._enrolment.standing(session.client_id)
        if standing is not None and standing.ephemeral:
            self._forgetting.left(session.client_id, str(session.key), for_good=session.said_goodbye)


def _about(hello: Hello) -> dict[str, str | None]:
    """What a client says of itself that the audit log tells."""
    app = hello.app.digest if hello.HasField("app") else None
    return {"host": hello.host, "device": hello.device, "dataset": hello.dataset, "app": app}
