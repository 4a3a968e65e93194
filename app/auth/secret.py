"""Secrets as they are made and kept, and the names of users."""

from __future__ import annotations

import hashlib
import re
import secrets

from shared.errors import SettingsInvalid

SECRET_BYTES = 32
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


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
