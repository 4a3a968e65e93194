"""NodeActions: what people at a client's own page have its node do: whom it trusts is theirs to decide."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from client.offline.status import InvitationStanding, JoinStanding, PairedHere
from client.page.answers import JOIN, Json, NoSuchAction
from mesh.discovery.interfaces import is_loopback
from mesh.pairing import OpenInvitation, PairedWith
from mesh.running import RunningNode
from mesh.trust.invitation import MAX_ADDRESSES, MeshInvitation
from mesh.trust.open_invitations import LIFETIME_S
from shared import qr
from shared.errors import FedLoomError
from shared.security.key_id import KeyId

log = logging.getLogger(__name__)


class StillJoining(FedLoomError):
    """The node comes by one invitation at a time."""


class NodeActions:
    """Of one node. Used in its event loop; each action answers at once, and raises FedLoomError."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._open: OpenInvitation | None = None
        self._expires = 0.0
        self._joining: asyncio.Task[PairedWith] | None = None
        self._actions: Mapping[str, Callable[[Json], Json]] = {
            "block": self._block,
            "unblock": self._unblock,
            "unpair": self._unpair,
            "invite": self._invite,
            "withdraw": self._withdraw,
            JOIN: self._join,
        }

    @property
    def invitation(self) -> InvitationStanding | None:
        """The newest one, until it has expired unused or was taken back. Of its secret nothing is told."""
        if self._open is None:
            return None
        comes = self._open.comes
        if comes.done() and not comes.cancelled():
            paired = comes.result()
            return InvitationStanding(self._expires, PairedHere(paired.name, paired.code))
        return InvitationStanding(self._expires, None) if time.time() < self._expires else None

    @property
    def joining(self) -> JoinStanding | None:
        """The newest invitation by which people have the node come."""
        if (task := self._joining) is None:
            return None
        if not task.done() or task.cancelled():
            return JoinStanding(paired=None, problem=None)
        if (error := task.exception()) is None:
            paired = task.result()
            return JoinStanding(PairedHere(paired.name, paired.code), None)
        if not isinstance(error, FedLoomError):
            return JoinStanding(None, "It failed: the client's log says how.")
        return JoinStanding(None, str(error))

    def carry_out(self, name: str, fields: Json) -> Json:
        """As `client.page.answers.Act` has it."""
        action = self._actions.get(name)
        if action is None:
            raise NoSuchAction(name)
        return action(fields)

    def _block(self, fields: Json) -> Json:
        self._node.members.block(_key(fields))
        return {}

    def _unblock(self, fields: Json) -> Json:
        self._node.members.unblock(_key(fields))
        return {}

    def _unpair(self, fields: Json) -> Json:
        return {"still": self._node.members.unpair(_key(fields)) is not None}

    def _invite(self, _fields: Json) -> dict[str, Any]:
        """One at a time: the one before is taken back."""
        self._withdraw({})
        addresses = self._node.addresses[:MAX_ADDRESSES]
        self._open = self._node.pairing.invite(addresses)
        self._expires = time.time() + LIFETIME_S
        text = str(self._open.invitation)
        return {
            "text": text,
            "qr": qr.svg(text),
            "expires": self._expires,
            "only_here": all(is_loopback(address.host) for address in addresses),
        }

    def _withdraw(self, _fields: Json) -> Json:
        if self._open is not None:
            self._node.pairing.withdraw(self._open.invitation)
            self._open = None
        return {}

    def _join(self, fields: Json) -> Json:
        """Begin to; what comes of it, `joining` tells. Raises InvitationInvalid and StillJoining."""
        invitation = MeshInvitation.parse(str(fields.get("text", "")))
        if self._joining is not None and not self._joining.done():
            raise StillJoining("It still comes by the invitation before. Wait until that is over.")
        self._joining = asyncio.create_task(self._node.pairing.join(invitation))
        self._joining.add_done_callback(_log_bug)
        return {}


def _log_bug(task: asyncio.Task[PairedWith]) -> None:
    if task.cancelled() or (error := task.exception()) is None or isinstance(error, FedLoomError):
        return
    log.error("to come by an invitation failed", exc_info=error)


def _key(fields: Json) -> KeyId:
    """Raises KeyIdInvalid."""
    return KeyId.parse(str(fields.get("key", "")))
