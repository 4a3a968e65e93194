"""Settings by environment variables, of which a secret one may stand in a file instead.

Containers are handed their secrets as files: `NAME_FILE` names the one that holds what `NAME` would.
"""

from __future__ import annotations

import os
from pathlib import Path

from shared.errors import SettingsInvalid

MAX_CHARACTERS = 4096
"""Of what is in a file: a URL with a password, or an invitation."""

OF_ONE_PROCESS = ("FEDLOOM_INVITE", "FEDLOOM_REDIS", "FEDLOOM_STORE", "FEDLOOM_WEBHOOK")
"""Secret, and meant for the process alone that has them: URLs that may hold a secret, and an invitation,
which would lead a client to another server."""


def passed_on() -> dict[str, str]:
    """The environment for a process that this one starts: all but what is meant for this one alone."""
    own = {f"{name}{ending}" for name in OF_ONE_PROCESS for ending in ("", "_FILE")}
    return {name: value for name, value in os.environ.items() if name not in own}


def setting(name: str) -> str | None:
    """What the variable says, or the file that `name`_FILE names; None: neither, or nothing. Raises
    SettingsInvalid."""
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if not path:
        return value or None
    if value:
        raise SettingsInvalid(f"{name} and {name}_FILE are both set. Set one of them.")
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(MAX_CHARACTERS + 1).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SettingsInvalid(f"{name}_FILE: {path} cannot be read: {reason}.") from error
    if not text or len(text) > MAX_CHARACTERS or not text.isprintable():
        raise SettingsInvalid(
            f"{name}_FILE: {path} does not hold one line of text, of up to {MAX_CHARACTERS:,} characters."
        )
    return text
