"""Where the bytes of a message are collected as they come, and read when they are all there."""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SMALL = 16 << 10
"""Bytes: pieces that are smaller are joined, or keeping track of them would take more memory than they do."""


class Buffer(ABC):
    """Bytes that whoever has them last releases, by name or by `with`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def add(self, data: bytes) -> None:
        """The next bytes. Raises OSError if they cannot be kept."""

    @abstractmethod
    def read(self, start: int, length: int) -> bytes:
        """So many bytes from a place on; fewer at the end."""

    @abstractmethod
    def pieces(self, start: int, length: int) -> Sequence[memoryview]:
        """The same bytes, one after the other, as they lie in memory. They stay when the buffer is released,
        but nobody counts them any more."""

    @abstractmethod
    def release(self) -> None:
        """Let go of the bytes; to do so again changes nothing."""


class MemoryBuffer(Buffer):
    """Bytes in memory. `on_release` is called once, when they are released."""

    def __init__(self, on_release: Callable[[], None] = lambda: None) -> None:
        self._parts: list[bytes | bytearray] = []
        self._ends: list[int] = []
        self._on_release: Callable[[], None] | None = on_release

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def add(self, data: bytes) -> None:
        """As Buffer has it."""
        if not data:
            return
        end = len(self) + len(data)
        last = self._parts[-1] if self._parts else None
        if isinstance(last, bytearray) and max(len(last), len(data)) < SMALL:
            last += data
            self._ends[-1] = end
        else:
            self._parts.append(bytearray(data) if len(data) < SMALL else data)
            self._ends.append(end)

    def read(self, start: int, length: int) -> bytes:
        """As Buffer has it. The bytes are copied once, from the pieces in which they came."""
        return b"".join(self.pieces(start, length))

    def pieces(self, start: int, length: int) -> Sequence[memoryview]:
        """As Buffer has it; none is copied."""
        end = min(start + length, len(self))
        pieces = []
        for number in range(bisect_right(self._ends, start), len(self._parts)):
            part, part_ends = self._parts[number], self._ends[number]
            part_begins = part_ends - len(part)
            if part_begins >= end:
                break
            pieces.append(memoryview(part)[max(start - part_begins, 0) : end - part_begins])
        return pieces

    def release(self) -> None:
        """As Buffer has it."""
        self._parts, self._ends = [], []
        on_release, self._on_release = self._on_release, None
        if on_release is not None:
            on_release()


class FileBuffer(Buffer):
    """Bytes in a file in `folder`, where it has no name. Raises OSError if it cannot be made."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Unbuffered: a full disk shows when the bytes are added, and closing writes nothing.
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - `release` closes it
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, data: bytes) -> None:
        """As Buffer has it."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._size += len(data)

    def read(self, start: int, length: int) -> bytes:
        """As Buffer has it."""
        parts = []
        while length > 0 and (part := os.pread(self._file.fileno(), length, start)):  # it reads 2 GiB at most
            parts.append(part)
            start, length = start + len(part), length - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def pieces(self, start: int, length: int) -> Sequence[memoryview]:
        """As Buffer has it."""
        return [memoryview(self.read(start, length))]

    def release(self) -> None:
        """As Buffer has it."""
        self._file.close()
