"""What a client joins by: its own key, and an invitation, or what it remembers of the server."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

from client.known_server import SERVERS, KnownServer
from client.settings import ClientSettings
from shared.address import Address, parse_address
from shared.names import DEFAULT_LINK_PORT
from shared.proxy import Proxy, proxy_for
from shared.security.client_key import key_file, require_name
from shared.security.invitation import Invitation
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair
from shared.security.server_identity import local_invitation

log = logging.getLogger(__name__)

HERE = Address("127.0.0.1", DEFAULT_LINK_PORT)


@dataclass(frozen=True)
class WayIn:
    """Where a client goes, and by what it knows the server there.

    `memory`: the file in which it remembers the server; None: it does not. `proxy`: by which it goes there;
    None: directly.
    """

    address: Address
    home: Path
    given: Invitation | None = None
    memory: Path | None = None
    proxy: Proxy | None = None

    @classmethod
    def find(cls, home: Path, client_id: str | None, server: str | None, given: Invitation | None) -> WayIn:
        """That of a client, as ClientSettings has it. Raises MemoryUnusable, and SettingsInvalid for a
        variable that names no usable proxy."""
        memory = None if client_id is None else home / SERVERS / f"{client_id}.json"
        address = _where(server, given, memory)
        return cls(address, home, given, memory, proxy_for(address))

    def server(self) -> str:
        """The id of the server's key, as the invitation has it; empty: there is no invitation. Raises
        InvitationInvalid."""
        invitation = self.invitation()
        return "" if invitation is None else str(invitation.key)

    def invitation(self) -> Invitation | None:
        """The one that was given; or what is remembered of the server at this address; or the one that a
        server of the same user's leaves in its folder. Raises InvitationInvalid, and MemoryUnusable."""
        if self.given is not None:
            return self.given
        local = local_invitation(self.home)
        if local is None or local.address != self.address:
            known = self._known()
            if known is not None and known.address == self.address:
                return Invitation(known.address, known.key, known.token)
        return None if local is None else replace(local, address=self.address)

    def pins(self, invitation: Invitation) -> tuple[KeyId, ...]:
        """The keys by which the server may be known: that in the invitation, or those that have taken its
        place since, by its own word."""
        known = self._known()
        return known.pins if known is not None and known.was_ever(invitation.key) else (invitation.key,)

    def server_keys(self) -> tuple[KeyId, ...]:
        """Those that the server may have at present. Raises InvitationInvalid, and MemoryUnusable."""
        invitation = self.invitation()
        return () if invitation is None else self.pins(invitation)

    def _known(self) -> KnownServer | None:
        return None if self.memory is None else KnownServer.load(self.memory)


def _where(server: str | None, given: Invitation | None, memory: Path | None) -> Address:
    """Of what names a server, the first counts. Raises MemoryUnusable."""
    if given is not None:
        return given.address
    if server is not None:
        return parse_address(server)
    known = None if memory is None else KnownServer.load(memory)
    if known is None:
        return HERE
    log.info("goes to %s, where it has joined before; --server names another", known.address)
    return known.address


@dataclass(frozen=True)
class Membership(WayIn):
    """Of one client at one server."""

    key: KeyPair = field(kw_only=True)

    @classmethod
    def of(cls, settings: ClientSettings) -> Membership:
        """That of a client, whose key is made if it has none. Raises KeyUnusable, MemoryUnusable, and
        SettingsInvalid for a name that no server would take, or for a proxy that cannot be used."""
        require_name(settings.client_id)
        key = KeyPair.load_or_make(key_file(settings.home, settings.client_id))
        way = WayIn.find(settings.home, settings.client_id, settings.server, settings.invite)
        return cls(way.address, way.home, way.given, way.memory, way.proxy, key=key)

    def joined(self, invitation: Invitation, key: KeyId, *, ephemeral: bool) -> None:
        """The server, which has this key, has let the client in: remember it for the next start.

        A server of the same user's is found without that.
        """
        known = self._known()
        if known is None or not known.was_ever(key):
            if self.given is None:
                return
            known = KnownServer(invitation.address, key)
        token = invitation.token if ephemeral else ""
        self._remember(replace(known.seen_as(key), address=invitation.address, token=token))

    def heard_of(self, following: KeyId) -> None:
        """The server will have this key."""
        known = self._known()
        if known is not None:
            self._remember(replace(known, following=following))

    def _remember(self, server: KnownServer) -> None:
        if self.memory is None or server == self._known():
            return
        try:
            server.save(self.memory)
        except OSError as error:
            log.warning(
                "the server cannot be remembered: the next start needs the invitation again (%s)", error
            )
