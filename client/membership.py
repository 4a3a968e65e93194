"""What a client joins by: its own key, and an invitation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from client.settings import ClientSettings
from shared.address import Address, parse_address
from shared.errors import SettingsInvalid
from shared.names import CLIENT_ID
from shared.security.invitation import Invitation
from shared.security.keys import KeyPair
from shared.security.server_identity import KEYS, local_invitation


def key_file(home: Path, client_id: str) -> Path:
    """Where a client's key is."""
    return home / KEYS / "clients" / f"{client_id}.pem"


@dataclass(frozen=True)
class Membership:
    """Of one client at one server."""

    key: KeyPair
    address: Address
    home: Path
    given: Invitation | None = None

    @classmethod
    def of(cls, settings: ClientSettings) -> Membership:
        """That of a client, whose key is made if it has none. Raises KeyUnusable, and SettingsInvalid for a
        name that no server would take."""
        if not CLIENT_ID.fullmatch(settings.client_id):
            raise SettingsInvalid(
                "A client id has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a "
                "letter or digit. Choose another --client-id."
            )
        key = KeyPair.load_or_make(key_file(settings.home, settings.client_id))
        address = settings.invite.address if settings.invite else parse_address(settings.server)
        return cls(key, address, settings.home, settings.invite)

    def server(self) -> str:
        """The id of the server's key, as the invitation has it; empty: there is no invitation. Raises
        InvitationInvalid."""
        invitation = self.invitation()
        return "" if invitation is None else str(invitation.key)

    def invitation(self) -> Invitation | None:
        """The one that was given, or else that of a server of the same user's on this machine, which leaves
        one when it starts. Raises InvitationInvalid."""
        if self.given is not None:
            return self.given
        local = local_invitation(self.home)
        return None if local is None else replace(local, address=self.address)
