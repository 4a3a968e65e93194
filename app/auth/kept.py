"""What is kept of users, sessions and tokens, and how secrets are made and hashed."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

from app.auth.roles import Role
from shared.errors import SettingsInvalid

SECRET_BYTES = 32
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


@dataclass(frozen=True)
class User:
    """Somebody with a password. `password`: as `app/auth/passwords.py` keeps it."""

    name: str
    role: Role
    password: str
    created_at: float


@dataclass(frozen=True)
class Session:
    """A browser that has logged in: as a user, or by the server's key for the page, whose hash `key` then is.

    `id` is the hash of its cookie.
    """

    id: str
    user_name: str | None
    key: str | None
    created_at: float
    used_at: float


@dataclass(frozen=True)
class Token:
    """What a program shows. `creator`: the user who made it, whose role it never exceeds; None: the server's
    owner or its key."""

    id: str
    hash: str
    label: str
    role: Role
    creator: str | None
    created_at: float
    expires_at: float


def new_secret() -> str:
    """Too long to be guessed; fits into a URL and a header."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_of(secret: str) -> str:
    """What is kept of a secret that nobody has chosen, and so needs no salt and no patience."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def user_name(text: str) -> str:
    """A name as it is kept: upper and lower case are the same. Raises SettingsInvalid."""
    name = text.strip().lower()
    if not NAME.fullmatch(name):
        raise SettingsInvalid(
            "a name begins with a letter or digit and has letters, digits and . _ @ - only, 64 at most",
            "name",
        )
    return name
