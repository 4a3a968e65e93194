"""The client's end of the link: passes the server's messages to the runtime and its replies back.

When the connection is lost it comes back by itself, for ever, and says so once.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc
import grpc.aio

from client.address_probe import Found, look_at
from client.channel import channel_arguments
from client.connection import Call, Connection, NotAdmitted, refused, serialise
from client.in_thread import in_thread
from client.known_server import MemoryUnusable
from client.link_measure import Carried, LinkMeasure
from client.log_watch import LogWatch
from client.membership import Membership
from client.meshed import Meshed
from client.open_messages import OpenMessages
from client.outage import Outage
from client.receipts import Receipts
from client.runtime import Runtime
from client.sealing import Sealing
from client.witness import Witness
from shared.error_text import error_text
from shared.errors import FedLoomError, LinkRefused, LogObjection, WireError
from shared.hashing import hashing_threads
from shared.pieces import read_server_frame
from shared.proto.link_pb2 import (
    AppIdentity,
    ClientFrame,
    Hello,
    LogLine,
    NextKey,
    ServerFrame,
    Usage,
    Welcome,
)
from shared.proxy import VARIABLE, ProxyFailed
from shared.security.certificate import ClockWrong, NoTls, PinnedServer, WrongServer, find_pinned
from shared.security.handshake import NONCE_BYTES, sign_hello
from shared.security.invitation import Invitation, InvitationInvalid
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable, PublicKey
from shared.security.next_key import verify_next_key
from shared.text import printable
from shared.version import __version__
from shared.wire import LINK_METHOD, PROTOCOL_VERSION

CONNECT_TIMEOUT_S = 10.0

_OTHER_CERTIFICATE = "CERTIFICATE_VERIFY_FAILED"
"""What gRPC says of a server without the certificate that it was to have, among other things."""

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
    withholds_usage: bool = False
    """By its site's word it tells nothing of what its machine is used for."""


class NotFound(FedLoomError):
    """There is no link at the server's address. `code` and `details` are what gRPC says of it, or would."""

    def __init__(self, code: grpc.StatusCode, details: str | None) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


class NotInvited(NotFound):
    """There is no invitation, and so nobody knows which server is the right one."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            grpc.StatusCode.UNAVAILABLE,
            "a server answers there, but this client has no invitation to it: no server of this user has "
            f"left one in {home}, and none was given. Start the client with --invite and what "
            "`python -m app.invite` prints at the server",
        )


class Link:
    """A client's connection to one server, kept alive until `run` is cancelled.

    `app_objection` says why the server's Flower app is another one than this client's, in words.
    """

    def __init__(
        self,
        membership: Membership,
        identity: ClientIdentity,
        runtime: Runtime,
        app_objection: Callable[[AppIdentity | None], str | None],
        meshed: Meshed | None = None,
        takes_usage: Callable[[bool], None] = lambda takes: None,
    ) -> None:
        """`meshed`: the client's node in the mesh, if it has one. `takes_usage` is told, in the event loop,
        whether there is a server that takes what `send_usage` sends."""
        self._membership = membership
        self._witness = Witness(membership.home, identity.client_id, membership.key)
        self._address = membership.address
        self._identity = identity
        self._process = uuid.uuid4().hex
        self._runtime = runtime
        self._app_objection = app_objection
        self._meshed = meshed
        self._threads = hashing_threads()
        self._sealing = Sealing(identity.client_id, membership.key, self._threads)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connection: Connection | None = None
        self._takes_usage = False
        """Whether the server of this connection knows that frame."""
        self._usage_wanted = takes_usage
        self._looked_into: str | None = None
        """The newest failure to find a link, in gRPC's words, whose cause was looked for."""

    async def run(self) -> None:
        """Serve messages for ever. Raises LinkRefused when the server will never take this client, and
        LogObjection when this client will take no part, for what it sees of the server's audit log."""
        self._witness.require_no_objection()
        self._loop = asyncio.get_running_loop()
        receipts = Receipts(self._membership.home, self._identity.client_id, self._threads)
        try:
            await self._serve(OpenMessages(self._runtime, self._loop, self._sealing, receipts))
        finally:
            self._threads.shutdown(wait=False)

    async def _serve(self, open_messages: OpenMessages) -> None:
        """One connection after the other."""
        outage = Outage(str(self._address))
        if (proxy := self._membership.proxy) is not None:
            log.info("goes to %s by the proxy at %s, which %s names", self._address, proxy.address, VARIABLE)
        while True:
            try:
                await self._connect(outage, open_messages)
                outage.began("it closed the connection")
            except NotFound as error:
                await self._look_into(error, outage)
            except (ProxyFailed, WrongServer, ClockWrong, InvitationInvalid, MemoryUnusable) as error:
                outage.is_elsewhere(str(error))
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
            except (LinkRefused, LogObjection):
                raise
            except Exception as error:  # noqa: BLE001 - the edge of a connection: the next may do better
                outage.began(error_text(error), error)
            _raise_if_cancelled()
            await asyncio.sleep(outage.next_delay())

    def send_usage(self, usage: Usage) -> None:
        """Tell what this machine is used for, if the server takes that; callable from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: the client has ended
                self._loop.call_soon_threadsafe(self._send_usage, usage)

    def _send_usage(self, usage: Usage) -> None:
        if self._connection is not None and self._takes_usage:
            self._connection.send(ClientFrame(usage=usage))

    def send_log(self, line: LogLine) -> None:
        """Send a log line if there is a connection; callable from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send_log, line)

    def _send_log(self, line: LogLine) -> None:
        if self._connection is not None:
            self._connection.send(ClientFrame(log=line))
        elif self._meshed is not None:
            self._meshed.history.add(line)

    def report(self) -> None:
        """The node in the mesh has changed: tell that, if there is a connection. In the event loop."""
        if self._connection is not None and self._meshed is not None:
            self._connection.send(ClientFrame(mesh=self._meshed.report()))

    def report_now(self) -> None:
        """Tell what changes all the time of the node in the mesh, if there is a connection. In the event
        loop."""
        if self._connection is not None and self._meshed is not None:
            self._connection.send(ClientFrame(mesh_now=self._meshed.now()))

    async def _connect(self, outage: Outage, open_messages: OpenMessages) -> None:
        """One connection, from hello until it ends."""
        invitation = self._membership.invitation()
        if invitation is None:
            raise NotInvited(self._membership.home)
        server = await self._find(invitation)
        async with grpc.aio.secure_channel(*channel_arguments(server)) as channel:
            carried = Carried()
            method = channel.stream_stream(
                LINK_METHOD,
                request_serializer=carried.counting_sent(serialise),
                response_deserializer=carried.counting_received(read_server_frame),
            )
            call: Call = method()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    welcome = await self._greet(call, server.key.id, invitation.token, open_messages)
            except grpc.aio.AioRpcError as error:
                raise NotFound(error.code(), error.details()) from error
            self._looked_into = None
            outage.over()
            self._membership.joined(invitation, server.key.id, ephemeral=welcome.ephemeral)
            self._connection = Connection(
                call,
                self._runtime,
                open_messages,
                self._sealing,
                server.key,
                self._threads,
                partial(self._hear_of_next_key, server.key),
                LogWatch(self._witness, server.key),
                self._meshed,
            )
            self._takes_usage = welcome.takes_usage
            self._usage_wanted(welcome.takes_usage)
            open_messages.connected(welcome, self._connection.send)
            self._tell_of_the_time_before(LinkMeasure(carried, self._connection.round_trip))
            try:
                await self._connection.serve()
            finally:
                open_messages.disconnected()
                self._connection = None
                self._usage_wanted(False)
                if self._meshed is not None:
                    self._meshed.disconnected()

    def _tell_of_the_time_before(self, measure: LinkMeasure) -> None:
        """There is a connection again: what happened in the mesh meanwhile is told now."""
        if self._meshed is None or self._connection is None:
            return
        self._meshed.connected(measure)
        for line in self._meshed.history.take():
            self._connection.send(ClientFrame(log=line))

    async def _find(self, invitation: Invitation) -> PinnedServer:
        """The server that has the invitation's key, or one that has taken its place. Raises NotFound,
        ProxyFailed, WrongServer, and ClockWrong."""
        pins = self._membership.pins(invitation)
        proxy = self._membership.proxy
        try:
            return await in_thread(
                lambda: find_pinned(invitation.address, pins, CONNECT_TIMEOUT_S, proxy), "certificate"
            )
        except (NoTls, OSError) as error:
            raise NotFound(grpc.StatusCode.UNAVAILABLE, str(error)) from error

    def _hear_of_next_key(self, present: PublicKey, notice: NextKey) -> None:
        try:
            following = verify_next_key(notice, present)
        except (BadSignature, KeyUnusable) as error:
            raise WireError(f"the server announced a key that it has not signed ({error})") from error
        self._membership.heard_of(following)
        log.info("the server will have another key: %s", following.short)

    async def _look_into(self, error: NotFound, outage: Outage) -> None:
        """Say what is at the server's address, once for each way in which no link is found there."""
        if error.details == self._looked_into:
            return
        self._looked_into = error.details
        if error.code is grpc.StatusCode.UNAVAILABLE:
            found = await look_at(self._address, self._membership.proxy)
            if found.is_tls and isinstance(error, NotInvited):
                found = Found(str(error), is_other=True)
            elif _OTHER_CERTIFICATE in (error.details or ""):
                found = Found(
                    "who answers there has another certificate than a moment ago, when the key was the right "
                    "one. Somebody may be between, or several servers share the address",
                    is_other=True,
                )
        elif error.code is grpc.StatusCode.UNIMPLEMENTED:
            found = Found("another gRPC server answers there", is_other=True)
        else:
            found = Found(error.details or error.code.name)
        if found.is_other:
            outage.is_elsewhere(found.words)
        else:
            outage.began(found.words)

    async def _greet(self, call: Call, server: KeyId, token: str, open_messages: OpenMessages) -> Welcome:
        first = await call.read()
        nonce = first.challenge.nonce if isinstance(first, ServerFrame) else b""
        if len(nonce) != NONCE_BYTES:
            raise WireError("the server did not begin as a FedLoom server of this version does")
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
            mesh=None if self._meshed is None else self._meshed.report(),
            withholds_usage=who.withholds_usage,
        )
        signed = sign_hello(hello, self._membership.key, server, nonce, token)
        await call.write(ClientFrame(signed_hello=signed))
        answer = await call.read()
        if not isinstance(answer, ServerFrame):
            raise WireError("the server closed the connection without a word")
        match answer.WhichOneof("kind"):
            case "refusal":
                raise refused(answer.refusal)
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
