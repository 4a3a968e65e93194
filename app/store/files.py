"""Files that survive a power cut, and file errors in words."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from shared.errors import StoreUnavailable
from shared.security.files import make_private_folder

TOO_MANY_OPEN = frozenset({errno.EMFILE, errno.ENFILE})


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they are still there after a power cut, and no other user of
    this machine can look into them. Raises OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    make_private_folder(folder)
    for made in missing:
        sync_folder(made.parent)


def require_writable(folder: Path) -> None:
    """Raise OSError unless files can be made in a folder."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def sync_file(path: Path) -> None:
    """Return once a file's content is on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on the disk, after one was made or changed. Raises OSError."""
    if sys.platform == "win32":  # where a folder cannot be opened, and renaming is written through
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":  # where fsync leaves data in the disk's own cache
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def disk_full(path: Path) -> StoreUnavailable:
    """What to say when there is no room left."""
    return StoreUnavailable(
        f"The disk that holds {path} is full, so nothing new can be kept. What was kept before is still "
        "there. Free some space on it."
    )


def not_writable(path: Path, detail: str) -> StoreUnavailable:
    """What to say when this process lacks the right, or the disk takes nothing."""
    return StoreUnavailable(
        f"{path} cannot be read and written here ({detail}), so nothing can be kept. Give this user the "
        "right to do so, or choose another folder with FEDLOOM_HOME."
    )


def too_many_open(path: object) -> StoreUnavailable:
    """What to say when this process, or the whole system, has too many files and connections open."""
    return StoreUnavailable(
        f"{path} cannot be opened now: this process has as many files and connections open as it may, so "
        "nothing can be kept until some are closed. Close pages and clients that are not needed, or raise "
        "the limit (ulimit -n) before the server is started."
    )


def is_too_many_open() -> bool:
    """Whether no file can be opened for that reason; for errors that do not tell."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in TOO_MANY_OPEN
    return False


def explain(error: OSError, path: Path) -> StoreUnavailable:
    """An error of the file system in words; `path`: the file or folder in question."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return disk_full(path)
    if error.errno in TOO_MANY_OPEN:
        return too_many_open(path)
    detail = error.strerror or str(error)
    if error.errno in (errno.ENOMEM, errno.ENOBUFS):
        return StoreUnavailable(
            f"{path} cannot be used ({detail}), so nothing can be kept until this machine has memory to "
            "spare. Close other programs."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return not_writable(path, detail)
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        obstacle = next((above for above in (path, *path.parents) if above.is_file()), path)
        return StoreUnavailable(
            f"The folder {path} cannot be made: {obstacle} is a file. Move it away, or choose another folder "
            "with FEDLOOM_HOME."
        )
    return StoreUnavailable(
        f"{path} cannot be used ({detail}), so nothing can be kept. Check the disk that it is on."
    )
