"""ServerIdentity: a server's key, its certificate, and the invitation for clients of its own user's."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from shared.address import ANY_ADDRESS, Address
from shared.security.certificate import load_or_make_certificate
from shared.security.files import NotOwn, read_own, remove_drafts, write_whole
from shared.security.invitation import MAX_CHARACTERS, Invitation, InvitationInvalid
from shared.security.keys import KeyPair, KeyUnusable

KEYS = "keys"
INVITATION = "invitation"
TOKEN_BYTES = 24

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerIdentity:
    """What a server is known by. `token` is that of the local invitation."""

    key: KeyPair
    certificate: bytes
    """In PEM."""
    token: str = field(repr=False)

    @classmethod
    def load_or_make(cls, home: Path) -> Self:
        """The identity of the server whose folder this is. Raises KeyUnusable, and InvitationInvalid for a
        local invitation that others could have put there."""
        key = KeyPair.load_or_make(home / KEYS / "server.pem")
        _warn_of_others(home)
        try:
            certificate = load_or_make_certificate(home / KEYS / "server.crt", key)
        except OSError as error:
            raise KeyUnusable(
                f"The server's certificate cannot be kept in {home / KEYS} ({error.strerror or error}), so "
                "clients could not connect. Give this user the right to write there, or free some space."
            ) from error
        invitation = local_invitation(home)
        kept = invitation is not None and invitation.key == key.public.id
        return cls(
            key, certificate, invitation.token if kept and invitation else secrets.token_urlsafe(TOKEN_BYTES)
        )

    def invite(self, home: Path, host: str, port: int) -> None:
        """Leave the local invitation in the server's folder, for its user's eyes only. Raises KeyUnusable."""
        address = Address("127.0.0.1" if host in ANY_ADDRESS else host, port)
        path = home / INVITATION
        remove_drafts(path)
        try:
            write_whole(path, f"{Invitation(address, self.key.public.id, self.token)}\n".encode())
        except OSError as error:
            raise KeyUnusable(
                f"The invitation for this machine's clients cannot be kept as {path} "
                f"({error.strerror or error}), so none could join. Give this user the right to write there, "
                "or free some space."
            ) from error

    def is_invited(self, token: str) -> bool:
        """Whether this is the token of an invitation that holds."""
        return hmac.compare_digest(token.encode(), self.token.encode())


def local_invitation(home: Path) -> Invitation | None:
    """The invitation that a server of this user's has left in its folder; None: there is none.

    Raises InvitationInvalid for one that others could have put there.
    """
    path = home / INVITATION
    try:
        text = read_own(path, MAX_CHARACTERS + 1, forbidden=0o022).decode()
    except FileNotFoundError:
        return None
    except NotOwn as error:
        raise InvitationInvalid(f"The invitation {path} is not used: it {error}. Delete it.") from error
    except (OSError, ValueError) as error:
        raise InvitationInvalid(f"{path} cannot be read: {error}.") from error
    return Invitation.parse(text)


def _warn_of_others(home: Path) -> None:
    """The folder of a server that was made by hand, or by an older FedLoom, may be open to others."""
    if os.name == "posix" and home.stat().st_mode & 0o077:
        log.warning(
            "other users of this machine can look into %s, where runs, models and logs are kept. If that is "
            "not wanted, run `chmod 700 %s`.",
            home,
            home,
        )
