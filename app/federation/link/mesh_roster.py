"""MeshRoster: the clients that take part in the mesh, for whom the server vouches by its signature.

It outlasts the server in a file: a client that has not come back yet is still a member, and the others stay
connected with it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from pathlib import Path

from app.enrolment.enrolment import Enrolment
from app.federation.link.door import Guest
from app.federation.link.mesh_blocks import MeshBlocks
from app.federation.link.session import Session
from shared.address import Address, parse_address
from shared.errors import FedLoomError
from shared.proto.link_pb2 import MeshReport, ServerFrame
from shared.proto.link_pb2 import MeshRoster as RosterFrame
from shared.security.files import NotOwn, read_own, write_whole
from shared.security.keys import KeyPair
from shared.security.roster import MAX_MEMBERS, MAX_ROSTER_BYTES, Roster, RosterEntry

ROSTER = "mesh-roster.json"
"""The file, in the server's folder."""

SETTLE_S = 1.0
"""For so long changes are collected: each makes a roster that goes to every member."""

log = logging.getLogger(__name__)


class MeshRoster:
    """Of one server; in the link thread."""

    def __init__(
        self,
        key: KeyPair,
        enrolment: Enrolment,
        sessions: Callable[[], Collection[Session]],
        blocks: MeshBlocks,
        file: Path | None,
    ) -> None:
        """`sessions`: of the clients that are here. `blocks`: who is left out. `file`: None: none."""
        self._key = key
        self._enrolment = enrolment
        self._sessions = sessions
        self._blocks = blocks
        self._file = file
        before = None if file is None else _kept(file, key)
        self._members = {} if before is None else {member.name: member for member in before.members}
        # by the clock, so that it grows as well where the file was lost
        self._generation = max(int(time.time()), 0 if before is None else before.generation + 1)
        self._sequence = 0
        self._newest: bytes | None = None
        self._changed = asyncio.Event()

    def entered(self, guest: Guest, session: Session) -> None:
        """A client is here. One that takes part in the mesh is told who else does."""
        if not guest.hello.HasField("mesh"):
            return
        if self._newest is not None:
            session.send([_frame(self._newest)])
        self._put(RosterEntry(guest.hello.client_id, guest.public_key, _addresses(guest.hello.mesh)))

    def reported(self, session: Session, report: MeshReport) -> None:
        """A client that is here tells of its node, in a report that can be."""
        if (member := self._members.get(session.client_id)) is not None:
            self._put(RosterEntry(member.name, member.key, _addresses(report)))

    def standing_changed(self) -> None:
        """Somebody may not be a member any more, or may be one again."""
        if self._members:
            self._changed.set()

    async def run(self) -> None:
        """Sign and send what has changed, until this is cancelled."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(SETTLE_S)
            self._changed.clear()
            self._members = {name: member for name, member in self._members.items() if self._is_one(member)}
            self._sequence += 1
            members = tuple(
                member for member in self._members.values() if not self._blocks.has(str(member.key.id))
            )
            roster = Roster(self._key.public.id, self._generation, self._sequence, members)
            signed = self._newest = roster.signed(self._key)
            if self._file is not None:
                await asyncio.to_thread(_keep, self._file, signed)
            for session in self._sessions():
                if session.hello.HasField("mesh"):
                    session.send([_frame(signed)])

    def _put(self, member: RosterEntry) -> None:
        if self._members.get(member.name) == member and self._newest is not None:
            return
        if member.name not in self._members and len(self._members) >= MAX_MEMBERS:
            log.warning("%s is not on the mesh's roster, which has %d members", member.name, MAX_MEMBERS)
            return
        self._members[member.name] = member
        self._changed.set()

    def _is_one(self, member: RosterEntry) -> bool:
        return self._enrolment.is_admitted(member.name, str(member.key.id))


def _addresses(report: MeshReport) -> tuple[Address, ...]:
    return tuple(map(parse_address, report.addresses))


def _frame(signed: bytes) -> ServerFrame:
    return ServerFrame(roster=RosterFrame(signed=signed))


def _kept(file: Path, key: KeyPair) -> Roster | None:
    """The one of before; None, if it is of another key or cannot be read: its members will come back."""
    try:
        return Roster.verified(read_own(file, MAX_ROSTER_BYTES + 1), [key.public.id])
    except FileNotFoundError:
        return None
    except (OSError, NotOwn, FedLoomError) as error:
        log.warning("the mesh's roster in %s cannot be used, and begins anew: %s", file, error)
        return None


def _keep(file: Path, signed: bytes) -> None:
    try:
        write_whole(file, signed)
    except OSError as error:
        log.warning("the mesh's roster cannot be kept in %s: %s", file, error)
