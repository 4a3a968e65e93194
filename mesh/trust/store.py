"""MemberStore: whom a node trusts, on the disk before it counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mesh.members import Member, Origin
from mesh.trust.addresses import MAX_ADDRESSES, AddressBook, write_addresses
from mesh.trust.record import Paired, Trust, read, write
from shared.address import ANY_ADDRESS, Address
from shared.errors import FedLoomError
from shared.names import CLIENT_ID
from shared.security.key_id import KeyId
from shared.security.keys import PublicKey
from shared.security.roster import MAX_MEMBERS, MAX_ROSTER_BYTES, Roster

FILE = "members.json"
ADDRESSES = "addresses.json"
ROSTER = "roster.json"
MAX_BLOCKED = 10_000
KEPT_ROSTERS = 64
"""Servers whose newest version is remembered, of those that this node has belonged to."""

log = logging.getLogger(__name__)


class NotTrusted(FedLoomError):
    """A node cannot be, or is not, a member here. The text says why."""


class RosterOutdated(FedLoomError):
    """A roster is older than one that was taken before."""


class MemberStore:
    """`mesh.members.Members` of one node, in its folder, which must be `taken`. Used in one thread.

    What people and servers decide is on the disk before it counts, and then told to all who `watch`.
    """

    def __init__(self, folder: Path, me: KeyId) -> None:
        """Raises FolderUnusable."""
        self._folder = folder
        self._me = me
        self._trust = Trust.load(folder / FILE)
        self._roster = self._kept_roster()
        self._addresses = AddressBook.load(folder / ADDRESSES)
        self._watchers: list[Callable[[], None]] = []
        self._all = self._compiled()

    def all(self) -> Mapping[KeyId, Member]:
        """As Members has it."""
        return self._all

    def watch(self, changed: Callable[[], None]) -> None:
        """As Members has it; also after a member was heard of at a new address."""
        self._watchers.append(changed)

    def found(self, key: KeyId, address: Address) -> None:
        """As Members has it; written by the next `keep_addresses`."""
        member = self._all.get(key)
        if member is None or member.addresses[-1:] == (address,) or address.host in ANY_ADDRESS:
            return
        is_news = self._addresses.add(key, address)
        places = self._places(key, member.addresses)
        self._all = MappingProxyType({**self._all, key: replace(member, addresses=places)})
        if is_news:
            self._tell()

    def blocked(self) -> Mapping[KeyId, str]:
        """Whom people here have blocked, with the name by which they were known."""
        return MappingProxyType(dict(self._trust.blocked))

    @property
    def is_listed(self) -> bool | None:
        """Whether the federation's server vouches for this node itself; None: it has sent no roster."""
        if self._roster is None:
            return None
        return any(entry.key.id == self._me for entry in self._roster.members)

    def pair(self, key: PublicKey, name: str, addresses: Collection[Address] = ()) -> Member:
        """People have paired a node with this one. Raises NotTrusted, KeyUnusable and FolderUnusable."""
        key.require_usable()
        self.require_acceptable(key.id, name)
        self._decide(paired={**self._trust.paired, key.id: Paired(key, name)})
        for address in addresses:
            if address.host not in ANY_ADDRESS:
                self._addresses.add(key.id, address)
        self._changed()
        if (data := self._addresses.as_file()) is not None:
            write_addresses(self._folder / ADDRESSES, data)
        return self._all[key.id]

    def require_acceptable(self, key: KeyId, name: str | None = None) -> None:
        """Raise NotTrusted for a node that cannot be paired with this one. `name`: if it is known yet."""
        if key == self._me:
            raise NotTrusted("A node cannot be paired with itself.")
        if key in self._trust.blocked:
            raise NotTrusted("This node is blocked here. Unblock it first, if it is meant.")
        if key not in self._all and len(self._all) >= MAX_MEMBERS:
            raise NotTrusted(f"This node has {MAX_MEMBERS:,} members already, which is the most it can have.")
        if name is not None and not CLIENT_ID.fullmatch(name):
            raise NotTrusted("This node has a name that no node can have, so that it is not taken.")

    def unpair(self, key: KeyId) -> Member | None:
        """Take back that people have paired it. What it is then: a member still, if the server's roster has
        it; else None. Raises NotTrusted for one that is not paired, and FolderUnusable."""
        if key not in self._trust.paired:
            raise NotTrusted(
                "This node is not paired: it is a member by the word of the federation's server, which "
                "`block` overrules."
                if key in self._all
                else "There is no such node that is paired with this one."
            )
        self._decide(paired=_without(self._trust.paired, key))
        self._changed()
        return self._all.get(key)

    def block(self, key: KeyId) -> None:
        """Have nothing to do with a node any more, whoever vouches for it. Raises NotTrusted, and
        FolderUnusable."""
        if key == self._me:
            raise NotTrusted("A node cannot block itself.")
        if len(self._trust.blocked) >= MAX_BLOCKED:
            raise NotTrusted(f"{MAX_BLOCKED:,} nodes are blocked already. Unblock those that are gone.")
        member = self._all.get(key)
        name = self._trust.blocked.get(key, "") if member is None else member.name
        self._decide(paired=_without(self._trust.paired, key), blocked={**self._trust.blocked, key: name})
        self._changed()

    def unblock(self, key: KeyId) -> None:
        """Take that back. It is a member again only if the roster has it. Raises NotTrusted, and
        FolderUnusable."""
        if key not in self._trust.blocked:
            raise NotTrusted("This node is not blocked.")
        self._decide(blocked=_without(self._trust.blocked, key))
        self._changed()

    def take_roster(self, data: bytes, servers: Collection[KeyId]) -> bool:
        """Trust those for whom one of these servers vouches, in place of all that one did before.

        `servers`: the keys that this node's own server may have. Whether it is news. Raises RosterInvalid,
        BadSignature, RosterOutdated, and FolderUnusable.
        """
        roster = Roster.verified(data, servers)
        newest = max(
            (self._trust.rosters[each] for each in servers if each in self._trust.rosters), default=None
        )
        if newest is not None and roster.version < newest:
            raise RosterOutdated(
                f"The server's roster {roster.generation}.{roster.sequence} is older than "
                f"{newest[0]}.{newest[1]}, which it has sent before. It is not taken."
            )
        if self._roster is not None and self._roster.version == roster.version == newest:
            return False
        write(self._folder / ROSTER, data)
        marks = {**_without(self._trust.rosters, roster.server), roster.server: roster.version}
        self._decide(rosters=dict(list(marks.items())[-KEPT_ROSTERS:]), federation=roster.server)
        self._roster = roster
        self._changed()
        return True

    def drop_roster(self, unless_of: Collection[KeyId] = ()) -> None:
        """Trust nobody by a server's word any more, unless by that of one of these. Raises FolderUnusable."""
        if self._trust.federation is not None and self._trust.federation not in unless_of:
            self._decide(federation=None)
            self._roster = None
            self._changed()

    async def keep_addresses(self) -> None:
        """Write where members were heard of, if that has changed. Off the event loop; one at a time."""
        if (data := self._addresses.as_file()) is not None:
            await asyncio.to_thread(write_addresses, self._folder / ADDRESSES, data)

    def _decide(self, **changes: Any) -> None:
        """On the disk, then here."""
        trust = replace(self._trust, **changes)
        trust.save(self._folder / FILE)
        self._trust = trust

    def _changed(self) -> None:
        self._all = self._compiled()
        self._addresses.keep_only(self._all)
        self._tell()

    def _tell(self) -> None:
        for changed in tuple(self._watchers):
            changed()

    def _compiled(self) -> Mapping[KeyId, Member]:
        listed = {} if self._roster is None else {entry.key.id: entry for entry in self._roster.members}
        members = {}
        for key, paired in self._trust.paired.items():
            places = self._places(key, listed[key].addresses if key in listed else ())
            members[key] = Member(paired.key, paired.name, Origin.PAIRED, places)
        for key, entry in listed.items():
            if key != self._me and not (key in members or key in self._trust.blocked):
                members[key] = Member(
                    entry.key, entry.name, Origin.ROSTER, self._places(key, entry.addresses)
                )
        if len(members) > MAX_MEMBERS:
            log.warning(
                "of the server's %d members, %d are left out: a node has at most %d, and those that are "
                "paired go first",
                len(listed),
                len(members) - MAX_MEMBERS,
                MAX_MEMBERS,
            )
        return MappingProxyType(dict(list(members.items())[:MAX_MEMBERS]))

    def _places(self, key: KeyId, listed: Collection[Address]) -> tuple[Address, ...]:
        heard = self._addresses.of(key)
        return (*(each for each in listed if each not in heard), *heard)[-MAX_ADDRESSES:]

    def _kept_roster(self) -> Roster | None:
        """The one that was taken last. It was on the disk before it counted."""
        server = self._trust.federation
        if server is None:
            return None
        data = read(self._folder / ROSTER, MAX_ROSTER_BYTES)
        if data is None:
            return None
        try:
            roster = Roster.verified(data, [server])
        except FedLoomError as error:
            log.warning(
                "the server's list of members, %s, is not used until it sends it again: %s",
                self._folder / ROSTER,
                error,
            )
            return None
        return roster if roster.version >= self._trust.rosters[server] else None


def _without(mapping: Mapping[KeyId, Any], key: KeyId) -> dict[KeyId, Any]:
    return {each: value for each, value in mapping.items() if each != key}
