"""Journal: a file to which texts are only added, each on the disk before anything else happens.

Several processes of one user may do so at once. A part of a line that a power cut has left at the end is
removed: whoever added it was never told that it stands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from client.ledger.chain import Chain, LineDamaged, whole
from shared.errors import FedLoomError
from shared.security.files import NotOwn, make_private_folder, require_own, sync_folder


class JournalUnusable(FedLoomError):
    """What was written cannot be read, or nothing more can be written."""


@dataclass(frozen=True)
class Held:
    """A journal that no other process adds to meanwhile."""

    news: Sequence[bytes]
    """The texts that were added since it was last read, by whomever."""
    add: Callable[[bytes], None]
    """Add a text without a line's end; returns once it is on the disk."""


class Journal:
    """Of one file, used by one thread at a time. Raises JournalUnusable wherever the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._chain = Chain()
        self._size = 0
        """Bytes that were read."""
        self._file: tuple[int, int] | None = None
        """Which one it is for the system, once it was opened."""
        self._broken: JournalUnusable | None = None

    def read(self) -> Sequence[bytes]:
        """The texts that were added since it was last read. Waits for nobody and changes nothing."""
        with self._opened(os.O_RDONLY) as descriptor:
            return () if descriptor is None else self._news(descriptor)

    @contextmanager
    def held(self) -> Iterator[Held]:
        """Within this block no other process adds to it."""
        with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT) as descriptor:
            assert descriptor is not None  # it was made
            _lock(descriptor)
            news = self._news(descriptor)
            if os.fstat(descriptor).st_size > self._size:
                os.ftruncate(descriptor, self._size)
            os.fsync(descriptor)  # what others have added who were killed before they did this
            yield Held(news, lambda text: self._add(descriptor, text))

    @contextmanager
    def _opened(self, flags: int) -> Iterator[int | None]:
        """The file; None: it is not there, and not to be made."""
        if self._broken is not None:
            raise self._broken
        try:
            descriptor = self._open(flags)
        except OSError as error:
            raise self._unusable(f"cannot be opened ({error.strerror or error})") from error
        try:
            if descriptor is not None:
                self._require_same(descriptor)
            yield descriptor
        except NotOwn as error:
            raise self._unusable(str(error)) from error
        except LineDamaged as error:
            self._broken = self._unusable(f"is damaged: {error}")
            raise self._broken from error
        except OSError as error:
            raise self._unusable(f"cannot be used ({error.strerror or error})") from error
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _open(self, flags: int) -> int | None:
        if self._file is not None:
            flags &= ~os.O_CREAT
        elif flags & os.O_CREAT:
            make_private_folder(self.path.parent)
        is_new = not self.path.exists()
        try:
            descriptor = os.open(self.path, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
        except FileNotFoundError:
            if self._file is not None:
                raise
            return None
        if is_new:
            sync_folder(self.path.parent)
        return descriptor

    def _require_same(self, descriptor: int) -> None:
        require_own(descriptor)
        status = os.fstat(descriptor)
        file = (status.st_dev, status.st_ino)
        if self._file not in (None, file) or status.st_size < self._size:
            raise LineDamaged("it was replaced or cut while this process had it")
        self._file = file

    def _news(self, descriptor: int) -> Sequence[bytes]:
        os.lseek(descriptor, self._size, os.SEEK_SET)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read()
        data = data[: whole(data)]
        texts = self._chain.read(data)
        self._size += len(data)
        return texts

    def _add(self, descriptor: int, text: bytes) -> None:
        line = self._chain.line(text)
        try:
            if os.write(descriptor, line) < len(line):
                raise OSError("there is no room")
            os.fsync(descriptor)
        except OSError as error:
            # Nobody knows what of it is on the disk. It must not count as written for those who read it.
            with suppress(OSError):
                os.ftruncate(descriptor, self._size)
                os.fsync(descriptor)
            self._broken = self._unusable(f"cannot be written ({error.strerror or error})")
            raise self._broken from error
        self._chain.read(line)
        self._size += len(line)

    def _unusable(self, problem: str) -> JournalUnusable:
        return JournalUnusable(f"{self.path.absolute()} {problem}")


def _lock(descriptor: int) -> None:
    """Wait until this process alone has the file, until that is closed."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 1 << 40, os.SEEK_SET)  # a byte that nobody reads
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
