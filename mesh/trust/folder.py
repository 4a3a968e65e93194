"""A node's own folder, which one process has at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from shared.errors import FedLoomError
from shared.security.client_key import require_name
from shared.security.files import make_private_folder

MESH = "mesh"
"""The folder of all nodes, in FedLoom's own."""
_LOCK = "in-use"


class FolderInUse(FedLoomError):
    """Another process is this node at present."""


class FolderUnusable(FedLoomError):
    """What a node keeps cannot be read, or not be written."""


def folder_of(home: Path, name: str) -> Path:
    """The folder of the node with this name. Raises SettingsInvalid for a name that no client could have."""
    require_name(name)
    return home / MESH / name


@contextmanager
def taken(folder: Path) -> Iterator[None]:
    """Have a node's folder for this process, which is made if it is not there.

    Raises FolderInUse, and FolderUnusable. What a process that was killed has held is free.
    """
    try:
        make_private_folder(folder)
        lock = FileLock(folder / _LOCK, timeout=0, mode=0o600)
        lock.acquire()
    except Timeout as error:
        raise FolderInUse(
            f"Another process is the node {folder.name} already: {folder} is in use. A client with a mesh is "
            "a node itself. End that process, or be another node with another name."
        ) from error
    except OSError as error:
        raise FolderUnusable(
            f"The node's folder {folder} cannot be used ({error.strerror or error}). Give this user the "
            "right to write there, or name another place with FEDLOOM_HOME."
        ) from error
    try:
        yield
    finally:
        lock.release()
