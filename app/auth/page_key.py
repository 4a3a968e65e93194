"""The server's key for the page: whoever has it is an administrator. It lies in the server's folder, for its
user's eyes only, and stays the same, so that a page that was opened by it is open after a restart, too.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from app.auth.secret import new_secret
from shared.errors import FedLoomError

PAGE_KEY = "page-key"
SHORTEST = 32


class PageKeyUnusable(FedLoomError):
    """The file with the server's key for the page cannot be used."""


def load_or_make_page_key(folder: Path) -> str:
    """The key, made if there is none. Raises PageKeyUnusable."""
    path = folder / PAGE_KEY
    try:
        if not path.exists():
            write_privately(path, f"{new_secret()}\n")
        status = path.stat()
        key = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise PageKeyUnusable(
            f"The key for the page cannot be kept in {path}: {error}. Give the server a folder that it can "
            "write to with FEDLOOM_HOME."
        ) from error
    if os.name == "posix" and (status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077):
        raise PageKeyUnusable(
            f"{path} can be read or written by other users of this machine, who could open the page as "
            "administrators. Delete it: the server makes another."
        )
    if len(key) < SHORTEST:
        raise PageKeyUnusable(
            f"{path} holds no key that is long enough. Delete it: the server makes another."
        )
    return key


def write_privately(path: Path, text: str) -> None:
    """Write a file for its owner's eyes only, as a whole or not at all. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # of mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
