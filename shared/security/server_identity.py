"""ServerIdentity: a server's key, its certificate, and the invitation for clients of its own user's."""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from shared.address import ANY_ADDRESS, Address
from shared.security.certificate import load_or_make_certificate
from shared.security.files import NotOwn, read_own, remove_drafts, write_first, write_whole
from shared.security.invitation import MAX_CHARACTERS, Invitation, InvitationInvalid
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, KeyUnusable

KEYS = "keys"
SERVER_KEY = "server.pem"
NEXT_KEY = "server.next.pem"
SWITCH = "switch-at-next-start"
INVITATION = "invitation"
LOCAL_TOKEN = "local-token"
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
        try:
            _switch_if_told(home / KEYS)
        except OSError as error:
            raise KeyUnusable(f"The server's next key cannot take its place: {error}.") from error
        key = KeyPair.load_or_make(home / KEYS / SERVER_KEY)
        _warn_of_others(home)
        try:
            certificate = load_or_make_certificate(home / KEYS / "server.crt", key)
        except OSError as error:
            raise KeyUnusable(
                f"The server's certificate cannot be kept in {home / KEYS} ({error.strerror or error}), so "
                "clients could not connect. Give this user the right to write there, or free some space."
            ) from error
        return cls(key, certificate, _local_token(home, key.public.id))

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


def next_key(home: Path) -> KeyPair | None:
    """The key that will take the place of the server's in this folder; None: none was made. Raises
    KeyUnusable."""
    path = home / KEYS / NEXT_KEY
    return KeyPair.load_or_make(path) if path.exists() else None


def make_next_key(home: Path) -> KeyPair:
    """The same; it is made if there is none."""
    return KeyPair.load_or_make(home / KEYS / NEXT_KEY)


def switch_at_next_start(home: Path) -> None:
    """Have the next key take its place when the server is started again. Raises OSError."""
    (home / KEYS / SWITCH).touch(mode=0o600)


def _switch_if_told(keys: Path) -> None:
    """In an order in which a crash leaves a server with one of both keys, and what is to be done."""
    if not (keys / SWITCH).exists():
        return
    with suppress(FileNotFoundError):  # it was cut after that, or another server is started at this moment
        (keys / NEXT_KEY).replace(keys / SERVER_KEY)
    (keys / SWITCH).unlink(missing_ok=True)


def _local_token(home: Path, key: KeyId) -> str:
    """The token of the local invitation: one for all servers of this folder with this key, also for those
    that are started at the same moment. Raises KeyUnusable, and InvitationInvalid."""
    path = home / KEYS / f"{LOCAL_TOKEN}.{key.short}"
    invitation = local_invitation(home)
    is_kept = invitation is not None and invitation.key == key
    token = invitation.token if invitation and is_kept else secrets.token_urlsafe(TOKEN_BYTES)
    try:
        if not path.exists():
            write_first(path, f"{token}\n".encode())
        found = read_own(path, MAX_CHARACTERS).decode("ascii").strip()
    except NotOwn as error:
        raise KeyUnusable(f"{path} is not used: it {error}. Delete it, and {home / INVITATION}.") from error
    except (OSError, ValueError) as error:
        raise KeyUnusable(
            f"The secret of the invitation for this machine's clients cannot be kept as {path}: {error}."
        ) from error
    if len(found) < TOKEN_BYTES:
        raise KeyUnusable(f"{path} holds no secret that is long enough. Delete it: the server makes another.")
    return found


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
