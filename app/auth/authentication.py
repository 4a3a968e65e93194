"""Authentication: what a server needs to tell who asks, in one object."""

from __future__ import annotations

import hmac
import logging
import os
import threading
import time
from pathlib import Path

from app.auth.accounts import USED_EVERY_S, Accounts
from app.auth.identity import By, Credential, Identity
from app.auth.limits import LoginLimits
from app.auth.page_key import load_or_make_page_key
from app.auth.passwords import PasswordWorkers
from app.auth.roles import Role
from app.auth.secret import hash_of, new_secret
from app.auth.socket_owner import NOBODY, is_known_here
from app.store.accounts import AccountStore
from shared.errors import StoreUnavailable
from shared.security.server_identity import KEYS

SETUP_S = 3_600.0
"""How long the first administrator can be made after the start."""

log = logging.getLogger(__name__)


class Authentication:
    """Accounts, limits and keys of one server. Safe from any thread."""

    def __init__(self, store: AccountStore, home: Path, *, ask_everybody: bool) -> None:
        """`ask_everybody`: also the user who started the server. Raises PageKeyUnusable, StoreUnavailable."""
        self.page_key = load_or_make_page_key(home / KEYS)
        self.accounts = Accounts(store, self.page_key)
        self.limits = LoginLimits()
        self.passwords = PasswordWorkers()
        self.ask_everybody = ask_everybody
        self.owner_is_known = not ask_everybody and is_known_here()
        """Whether whoever started the server is told from other users of the machine."""
        self._setup = new_secret()
        self._setup_until = time.monotonic() + SETUP_S
        self._stopping = threading.Event()

    @property
    def cookie(self) -> str:
        """The cookie's name: of this server, since a browser sends those of one host to all its ports."""
        return f"fedloom-{hash_of(self.page_key)[:8]}"

    def start(self) -> None:
        """Begin to note on the disk, now and then, when sessions were used."""
        threading.Thread(target=self._note_use, name="sessions", daemon=True).start()

    def stop(self) -> None:
        """Give up what has not begun, and note a last time when sessions were used."""
        self._stopping.set()
        self.passwords.close()
        self._save_use()

    # the owner

    def is_owner(self, uid: int | None) -> bool:
        """Whether this user of the machine started the server. Not even root is taken for that: a proxy that
        runs as root brings anybody."""
        return self.owner_is_known and uid is not None and uid == os.geteuid() != NOBODY

    def owner(self) -> Identity:
        """Whoever started the server."""
        return Identity(Role.ADMIN, By.OWNER, None, Credential(By.OWNER))

    # the first administrator

    @property
    def wants_first_user(self) -> bool:
        """Whether there is no user, and the time to make the first is not over."""
        return time.monotonic() < self._setup_until and not self.accounts.users()

    @property
    def setup_token(self) -> str:
        """Whoever has it makes the first administrator, once."""
        return self._setup

    def may_set_up(self, token: str) -> bool:
        """Whether the first administrator can be made with this."""
        fits = hmac.compare_digest(hash_of(token), hash_of(self._setup))
        return fits and self.wants_first_user

    # the disk

    def _note_use(self) -> None:
        while not self._stopping.wait(USED_EVERY_S):
            self._save_use()

    def _save_use(self) -> None:
        try:
            self.accounts.save_use()
        except StoreUnavailable as error:
            log.debug("when sessions were used could not be kept: %s", error)
