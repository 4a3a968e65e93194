"""The server's key for the page: whoever has it is an administrator. It lies in the server's folder, for its
user's eyes only, and stays the same, so that a page that was opened by it is open after a restart, too.
"""

from __future__ import annotations

from pathlib import Path

from app.auth.secret import new_secret
from shared.errors import FedLoomError
from shared.security.files import NotOwn, make_private_folder, read_own, write_first

PAGE_KEY = "page-key"
SHORTEST = 32
MAX_BYTES = 4096


class PageKeyUnusable(FedLoomError):
    """The file with the server's key for the page cannot be used."""


def load_or_make_page_key(folder: Path) -> str:
    """The key, made if there is none. Raises PageKeyUnusable."""
    path = folder / PAGE_KEY
    try:
        make_private_folder(folder)
        write_first(path, f"{new_secret()}\n".encode())
        key = read_own(path, MAX_BYTES).decode("ascii").strip()
    except NotOwn as error:
        raise PageKeyUnusable(
            f"The key for the page, {path}, is not used: it {error}, who could open the page as an "
            "administrator. Delete it: the server makes another."
        ) from error
    except (OSError, ValueError) as error:
        raise PageKeyUnusable(
            f"The key for the page cannot be kept in {path}: {error}. Give the server a folder that it can "
            "write to with FEDLOOM_HOME."
        ) from error
    if len(key) < SHORTEST:
        raise PageKeyUnusable(
            f"{path} holds no key that is long enough. Delete it: the server makes another."
        )
    return key
