"""Files for their user's eyes only: whole and on the disk before they have their name."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRIVATE_FOLDER = 0o700
_DRAFT = ".draft-"
WRITTEN_WITHIN_S = 60.0
"""A file that is older and has not got its name is nobody's any more."""


class NotOwn(Exception):
    """A file that others could have written, or can read. Says how, after the file's name."""


def make_private_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, which no other user may enter. Raises OSError.

    Those that are there stay as they are: who made them has decided who may enter.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            path.mkdir(mode=PRIVATE_FOLDER)
        sync_folder(path.parent)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def write_first(path: Path, data: bytes) -> None:
    """Write a file unless there is one: of two who do so at once, the first one's stays. Raises OSError."""
    with _draft(path, data) as draft, suppress(FileExistsError):
        os.link(draft, path)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, in place of the one that may be there. Raises OSError; then that one is as it was."""
    with _draft(path, data) as draft:
        draft.replace(path)


def read_own(path: Path, limit: int, forbidden: int = 0o077) -> bytes:
    """At most so many bytes of a file of this user's, which has none of these rights for others.

    Raises OSError, and NotOwn for one of somebody else's, one with such rights, and what is no file.
    """
    # Whoever put a pipe there could have us wait for ever otherwise.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        require_own(descriptor, forbidden)
        return file.read(limit)


def require_own(descriptor: int, forbidden: int = 0o077) -> None:
    """Raise NotOwn unless what is open is a file of this user's, without these rights for others."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise NotOwn("is no file")
    if os.name == "posix":
        if status.st_uid != os.geteuid():
            raise NotOwn("belongs to another user of this machine")
        if status.st_mode & forbidden:
            rights = "read or written" if status.st_mode & forbidden & 0o044 else "written"
            raise NotOwn(f"may be {rights} by other users of this machine")


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on the disk. Raises OSError."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _draft(path: Path, data: bytes) -> Iterator[Path]:
    """The data in a file beside `path`, of mode 0600, which is gone afterwards if it has not been renamed."""
    make_private_folder(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{_DRAFT}{path.name}-")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        yield draft
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def remove_drafts(path: Path) -> None:
    """Remove what a process that was killed while it wrote this file has left; not what is being written."""
    for draft in path.parent.glob(f"{_DRAFT}{path.name}-*"):
        with suppress(OSError):
            if draft.stat().st_mtime < time.time() - WRITTEN_WITHIN_S:
                draft.unlink()
