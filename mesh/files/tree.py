"""Tree: a shared folder, in which every step is taken from a folder that is open and never through a link.

Whoever swaps a folder for a link between two calls leads nobody out of it: names are resolved one component
at a time, by `dir_fd` with O_NOFOLLOW.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.errors import FedLoomError

_FOLDER = (
    os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)
_FILE = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What file systems without hard links say."""
_MAX_INODE = (1 << 63) - 1
"""The largest that an index can keep; some network file systems have larger ones."""


class FolderUnusable(FedLoomError):
    """A shared folder is not there, or not what it was."""


@dataclass(frozen=True)
class Stat:
    """By what a file is known to be unchanged, without reading it."""

    size: int
    modified_ns: int
    changed_ns: int
    """When its data, or what the file system knows of it, changed last: no program can set it back."""
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """From what the system says."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & _MAX_INODE)

    def is_moved(self, other: Stat) -> bool:
        """Whether another one is of the same file, with the same data, perhaps under another name."""
        return (self.size, self.modified_ns, self.inode) == (other.size, other.modified_ns, other.inode)


class Tree:
    """A folder that is open, until it is closed. Names are paths from it on, with slashes."""

    def __init__(self, root: Path) -> None:
        if os.open not in os.supports_dir_fd or not hasattr(os, "O_NOFOLLOW"):
            raise FolderUnusable(
                "Folders are not shared on this system: it cannot open files without following links. "
                "Run this node on Linux or macOS."
            )
        self.root = root
        try:
            self._descriptor = os.open(root, _FOLDER & ~os.O_NOFOLLOW)  # the way to it is its owner's choice
        except OSError as error:
            raise FolderUnusable(
                f"The folder {root} cannot be opened: {error.strerror or error}. Make it, move it back or "
                "mount its disk. Nothing counts as deleted meanwhile."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)

    def is_in_place(self) -> bool:
        """Whether its path still leads to it: it may have been moved, or a disk been mounted over it."""
        try:
            there = self.root.stat()
        except OSError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))

    @contextmanager
    def folder(self, name: str, *, make: bool = False) -> Iterator[int]:
        """A folder inside, open; "" is the folder itself. `make`: those that are missing. Raises OSError."""
        descriptor = os.dup(self._descriptor)
        try:
            for component in filter(None, name.split("/")):
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(component, dir_fd=descriptor)
                inner = os.open(component, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def open(self, name: str) -> int:
        """A file to be read, as a descriptor. Raises OSError, also for what is no plain file."""
        with self.folder(_parent(name)) as folder:
            descriptor = os.open(_last(name), _FILE, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "It is no plain file", name)
        return descriptor

    def create(self, name: str, *, executable: bool = False) -> int:
        """A file to be written and read, which is made with its folders if it is not there."""
        with self.folder(_parent(name), make=True) as folder:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            return os.open(_last(name), flags, 0o777 if executable else 0o666, dir_fd=folder)

    def read(self, name: str, limit: int) -> bytes:
        """At most so many bytes of a file. Raises OSError."""
        with os.fdopen(self.open(name), "rb") as file:
            return file.read(limit)

    def status(self, name: str) -> os.stat_result | None:
        """What is there, and not what a link leads to; None: nothing, or there is no way to it."""
        try:
            with self.folder(_parent(name)) as folder:
                return os.stat(_last(name), dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link is on the way
                return None
            raise

    def stat(self, name: str) -> Stat | None:
        """Of a plain file; None: there is none of this name."""
        status = self.status(name)
        return Stat.of(status) if status is not None and stat.S_ISREG(status.st_mode) else None

    def take(self, name: str, target: str) -> None:
        """Rename whatever is there, in place of what `target` is. The new name is on the disk afterwards."""
        with self.folder(_parent(name)) as source, self.folder(_parent(target), make=True) as end:
            os.rename(_last(name), _last(target), src_dir_fd=source, dst_dir_fd=end)
            os.fsync(end)

    def put(self, name: str, target: str) -> None:
        """Rename a file. Raises FileExistsError if `target` is there: it is never replaced."""
        with self.folder(_parent(name)) as source, self.folder(_parent(target), make=True) as end:
            try:
                os.link(_last(name), _last(target), src_dir_fd=source, dst_dir_fd=end, follow_symlinks=False)
                os.unlink(_last(name), dir_fd=source)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                if self.status(target) is not None:
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from error
                os.rename(_last(name), _last(target), src_dir_fd=source, dst_dir_fd=end)
            os.fsync(end)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there. Raises OSError."""
        with suppress(FileNotFoundError), self.folder(_parent(name)) as folder:
            os.unlink(_last(name), dir_fd=folder)

    def remove_empty_folders(self, name: str) -> None:
        """Remove the folders that a name lies in, from the inside out, as far as nothing else is in them."""
        with suppress(OSError):
            while name := _parent(name):
                with self.folder(_parent(name)) as folder:
                    os.rmdir(_last(name), dir_fd=folder)

    def room(self) -> int:
        """Bytes that this user may still write."""
        status = os.fstatvfs(self._descriptor)
        return status.f_bavail * status.f_frsize


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _last(name: str) -> str:
    return name.rpartition("/")[2]
