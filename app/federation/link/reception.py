"""The reception of the link: whoever connects says there who they are, and comes in or is told why not.

In the link thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from app.audit.entry import Kind
from app.audit.log import AuditLog
from app.audit.refusals import RefusalEntries
from app.enrolment.guesses import network_of
from app.federation.link.admission import MAX_NAME, objection
from app.federation.link.arrivals import HELLO_TIMEOUT_S
from app.federation.link.door import Door, Guest, Refused
from app.federation.link.frames import Context, read_frame, refuse
from app.federation.link.limits import Limits
from app.federation.link.peers import Peer
from app.federation.link.refusals import Reason, Refusals
from app.federation.link.session import Session
from shared.errors import WireError
from shared.pieces import Piece
from shared.proto.link_pb2 import AppIdentity, Challenge, Hello, ServerFrame
from shared.security.handshake import new_nonce
from shared.wire import PROTOCOL_VERSION

log = logging.getLogger(__name__)


class Reception:
    """Of one server."""

    def __init__(
        self,
        door: Door,
        app_objection: Callable[[AppIdentity | None], str | None],
        sessions: dict[str, Session],
        refusals: Refusals,
        limits: Limits,
        audit: AuditLog,
        show_standing: Callable[[str, Hello], None],
    ) -> None:
        """`sessions`: of the clients that are here, of which one that comes back loses its old one.

        `show_standing` is called when somebody has asked to come in by a name.
        """
        self._door = door
        self._app_objection = app_objection
        self._sessions = sessions
        self._refusals = refusals
        self._limits = limits
        self._entries = RefusalEntries(audit, Kind.CLIENT_REFUSED)
        self._show_standing = show_standing

    def close(self) -> None:
        """Nobody comes any more; the last refusals are entered in the audit log."""
        self._entries.close()

    async def receive(self, context: Context, peer: Peer) -> Guest | None:
        """A client that may come in; anyone else is told why not. All of it has its time."""
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                return await self._hear(context, peer)
        except WireError as error:
            reason, words = Reason.HELLO, str(error)
        except TimeoutError:
            reason, words = Reason.SILENT, f"it did not say within {HELLO_TIMEOUT_S:.0f} s who it is"
        self._refusals.count(peer.host, reason, words)
        return None

    async def _hear(self, context: Context, peer: Peer) -> Guest | None:
        """None: the client went away, or it is told why it may not come in. Raises WireError."""
        nonce = new_nonce()
        challenge = Challenge(protocol=PROTOCOL_VERSION, nonce=nonce, time=int(time.time()))
        await context.write(ServerFrame(challenge=challenge))
        first = await read_frame(context)
        if first is None:
            return None
        guest: Guest | None = None
        try:
            if isinstance(first, Piece) or first.WhichOneof("kind") != "signed_hello":
                raise Refused("The first frame on a link must be a signed hello.")
            guest = self._door.examine(first.signed_hello, nonce)
            await self._examine(guest, first.signed_hello.token, network_of(context.peer()))
        except Refused as refused:
            if refused.is_news:  # first: whoever is told may be gone at once, and this call with it
                self._refusals.count(peer.host, Reason.HELLO, str(refused))
                self._enter(str(refused), guest)
            await context.write(refuse(str(refused), final=refused.is_final))
            return None
        return guest

    async def _examine(self, guest: Guest, token: str, address: str) -> None:
        """Raise Refused unless what a client says of itself will do, and it may come in."""
        hello = guest.hello
        difference = objection(hello) or self._app_objection(hello.app if hello.HasField("app") else None)
        if difference is not None:
            raise Refused(difference)
        try:
            await self._door.admit(guest, token, address)
        finally:
            self._show_standing(hello.client_id, hello)
        if not self._door.is_open_to(guest):  # somebody has decided on it just now
            raise Refused("This server has just decided otherwise. Try again.", is_final=False)
        if not self._limits.of(hello.client_id).visits.take():
            raise Refused("This client comes back too often, and has to wait a few seconds.", is_final=False)
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

    def _enter(self, reason: str, guest: Guest | None) -> None:
        """Have the audit log tell of a refusal."""
        if guest is None:
            self._entries.add(reason)
        else:
            self._entries.add(reason, client=guest.hello.client_id[:MAX_NAME], key=str(guest.key))
