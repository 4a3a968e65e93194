"""Pairing over the network: a node invites another, or comes by an invitation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mesh.frame_stream import ConnectionEnded, FrameStream, connect
from mesh.handshake import Guest, HandshakePurpose, Introduction, say_hello
from mesh.protocol.framing import FrameInvalid
from mesh.protocol.mesh_pb2 import Frame
from mesh.protocol.mesh_pb2 import Refusal as FrameRefusal
from mesh.sparse_log import SparseLog
from mesh.tls import WrongNode
from mesh.trust import pairing as talk
from mesh.trust.invitation import MeshInvitation
from mesh.trust.open_invitations import Invitations, PairingRefused, Refusal
from mesh.trust.store import MemberStore, NotTrusted
from shared.address import ANY_ADDRESS, Address
from shared.errors import FedLoomError
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

TIMEOUT_S = 15.0
"""For all that two nodes say to each other."""

log = logging.getLogger(__name__)


class NotReached(FedLoomError):
    """At none of the addresses in an invitation is the node that invites."""


@dataclass(frozen=True)
class PairedWith:
    """Another node, from now on a member, and the code that both ends show."""

    key: KeyId
    name: str
    code: str


@dataclass(frozen=True)
class OpenInvitation:
    """An invitation of this node's, and who has come by it."""

    invitation: MeshInvitation
    comes: asyncio.Future[PairedWith]


class _Messages:
    """A connection as `mesh.trust.pairing` sees it."""

    def __init__(self, stream: FrameStream) -> None:
        self._stream = stream

    async def send(self, message: bytes) -> None:
        await self._stream.write_message(Frame(pairing=message))

    async def receive(self) -> bytes:
        frame = await self._stream.read_message()
        match frame.WhichOneof("content"):
            case "pairing":
                return frame.pairing
            case "refusal":  # whose words are another's, and not for a terminal
                code = FrameRefusal.Code.Name(frame.refusal.code)
                raise talk.PairingFailed(f"The other node does not pair with this one ({code}).")
        raise talk.PairingFailed("The other node does something else than to pair.")


class Pairing:
    """Of one node. Used in its event loop."""

    def __init__(
        self,
        key: KeyPair,
        members: MemberStore,
        me: Callable[[], Introduction],
        invitations: Invitations,
        clock: Callable[[], float],
    ) -> None:
        """`me`: what the node says of itself at present. `clock`: monotonic seconds, those of the
        invitations."""
        self._key = key
        self._members = members
        self._me = me
        self._clock = clock
        self._invitations = invitations
        self._open: dict[str, asyncio.Future[PairedWith]] = {}
        self._refusals = SparseLog(log, clock)

    @property
    def refused(self) -> dict[str, int]:
        """How many tokens were refused, by reason."""
        return dict(self._invitations.refused)

    def invite(self, addresses: Sequence[Address]) -> OpenInvitation:
        """Invite one node, which is told these addresses of this one.

        Raises InvitationInvalid for none or too many, TooManyInvitations, and FolderUnusable.
        """
        unsealed = MeshInvitation(tuple(addresses), self._key.public.id, "")
        invitation = replace(unsealed, token=self._invitations.make(self._clock()))
        self._open = {token: comes for token, comes in self._open.items() if not comes.done()}
        comes = self._open[invitation.token] = asyncio.get_running_loop().create_future()
        return OpenInvitation(invitation, comes)

    def withdraw(self, invitation: MeshInvitation) -> None:
        """Have nobody come by it any more."""
        self._invitations.withdraw(invitation.token, self._clock())

    async def receive(self, guest: Guest, stream: FrameStream) -> None:
        """Somebody has come to pair, and has proven a key. What goes wrong is logged."""
        short = guest.key.id.short
        try:
            async with asyncio.timeout(TIMEOUT_S):
                code = await self._tell(guest, stream.there.host, _Messages(stream))
        except PairingRefused as refused:
            self._refusals.warning("a node with the key %s… was not paired: %s", short, refused.reason)
        except (FedLoomError, OSError) as error:  # TimeoutError is an OSError
            why = error or "it took too long"
            self._refusals.warning("pairing with a node with the key %s… failed: %s", short, why)
        else:
            self._paired(guest.token, PairedWith(guest.key.id, guest.introduction.name, code))

    async def join(self, invitation: MeshInvitation) -> PairedWith:
        """Come by an invitation, at the first of its addresses where the node is that has sent it.

        Raises NotReached, PairingRefused, PairingFailed, HandshakeFailed, NotTrusted, and FolderUnusable.
        """
        if invitation.key == self._key.public.id:
            raise NotTrusted("This is an invitation of this node's own: it is for another one.")
        self._members.require_acceptable(invitation.key)
        tried: list[str] = []
        for address in invitation.addresses:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    stream = await connect(address, invitation.key)
            except (OSError, WrongNode) as error:
                tried.append(f"{address}: {error or 'no answer'}")
                continue
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    return await self._join_over(stream, address, invitation)
            except (ConnectionEnded, TimeoutError, FrameInvalid) as error:
                raise talk.PairingFailed(
                    f"The node at {address} did not pair ({error or 'it took too long'}). Try again."
                ) from error
            finally:
                stream.abort()
        raise NotReached(
            f"The node that has sent the invitation is not reached. {'; '.join(tried)}. Does it run, and is "
            "the way to it open?"
        )

    async def _join_over(
        self, stream: FrameStream, address: Address, invitation: MeshInvitation
    ) -> PairedWith:
        me, token = self._key.public.id, invitation.token
        await say_hello(stream, self._key, self._me(), invitation.key, HandshakePurpose.PAIR, token)
        code, host = await talk.hear_code(_Messages(stream), me, invitation.key)
        self._members.pair(host.key, host.name, [*host.addresses, address])
        paired = PairedWith(invitation.key, host.name, code)
        _say(paired)
        return paired

    async def _tell(self, guest: Guest, host: str, messages: _Messages) -> str:
        """The check code, once both trust each other. `host`: from where the guest comes."""
        try:
            self._take_token(guest)
        except PairingRefused as refused:
            await talk.refuse(messages, refused.reason)
            raise
        me = self._me()
        own = () if me.listening is None else (me.listening,)
        introduction = talk.Introduction(self._key.public, me.name, own)

        def admit() -> None:
            self._members.pair(guest.key, guest.introduction.name, _listening(guest, host))

        return await talk.tell_code(messages, guest.key.id, introduction, admit)

    def _take_token(self, guest: Guest) -> None:
        try:
            self._members.require_acceptable(guest.key.id, guest.introduction.name)
        except NotTrusted as error:
            raise PairingRefused(Refusal.NOT_TAKEN) from error
        self._invitations.use(guest.token, guest.key.id, self._clock())

    def _paired(self, token: str, paired: PairedWith) -> None:
        _say(paired)
        comes = self._open.pop(token, None)
        if comes is not None and not comes.done():
            comes.set_result(paired)


def _listening(guest: Guest, host: str) -> tuple[Address, ...]:
    """Where it says that it listens. One that listens everywhere is found where it comes from."""
    said = guest.introduction.listening
    if said is None:
        return ()
    return (Address(host, said.port) if said.host in ANY_ADDRESS else said,)


def _say(paired: PairedWith) -> None:
    log.info(
        "paired with %s, key %s…. Both ends show the check code %s; if not, unpair it",
        paired.name,
        paired.key.short,
        paired.code,
    )
