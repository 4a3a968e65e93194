"""Where the bytes of a message are collected as they come, and read when they are all there."""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SMALL = 16 << 10
"""Bytes: pieces that are smaller are joined, or keeping track of them would take more memory than they do."""

LARGE = 256 << 10
"""Bytes of a part that is joined as soon as it is there, so that its pieces need not lie beside it."""

Place = tuple[int, int]
"""Where something is in a buffer: its start, and its length."""


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
    def expect(self, places: Iterable[Place]) -> None:
        """Before anything is added: what will be read as one, in order."""

    @abstractmethod
    def add(self, data: bytes | memoryview) -> None:
        """The next bytes, which must not change any more. Raises OSError if they cannot be kept."""

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


_Bytes = bytes | bytearray | memoryview


class MemoryBuffer(Buffer):
    """Bytes in memory. `on_release` is called once, when they are released."""

    def __init__(self, on_release: Callable[[], None] = lambda: None) -> None:
        self._parts: list[_Bytes] = []
        self._ends: list[int] = []
        self._large: deque[Place] = deque()
        """What is expected and not there yet, as its start and its end."""
        self._collected: list[_Bytes] = []
        """What has come of the first of these."""
        self._size = 0
        self._on_release: Callable[[], None] | None = on_release

    def __len__(self) -> int:
        return self._size

    def expect(self, places: Iterable[Place]) -> None:
        """As Buffer has it."""
        self._large.extend((start, start + length) for start, length in places if length >= LARGE)

    def add(self, data: bytes | memoryview) -> None:
        """As Buffer has it."""
        rest = memoryview(data)
        while rest:
            start, end = self._large[0] if self._large else (self._size + len(rest), 0)
            room = (start if self._size < start else end) - self._size
            piece, rest = rest[:room], rest[room:]
            if self._size < start:
                self._size += len(piece)
                self._append(piece)
                continue
            self._size += len(piece)
            _add_to(self._collected, piece)
            if self._size == end:
                self._large.popleft()
                self._append(b"".join(self._collected))
                self._collected = []

    def read(self, start: int, length: int) -> bytes:
        """As Buffer has it. What was expected is not copied."""
        pieces = self.pieces(start, length)
        if len(pieces) == 1 and isinstance(whole := pieces[0].obj, bytes) and len(whole) == len(pieces[0]):
            return whole
        return b"".join(pieces)

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
        self._parts, self._ends, self._collected, self._size = [], [], [], 0
        self._large.clear()
        on_release, self._on_release = self._on_release, None
        if on_release is not None:
            on_release()

    def _append(self, piece: bytes | memoryview) -> None:
        if not _add_to(self._parts, piece):
            self._ends.pop()
        self._ends.append(self._size)


def _add_to(parts: list[_Bytes], piece: bytes | memoryview) -> bool:
    """Whether it became a part of its own."""
    last = parts[-1] if parts else None
    if isinstance(last, bytearray) and max(len(last), len(piece)) < SMALL:
        last += piece
        return False
    parts.append(bytearray(piece) if len(piece) < SMALL else piece)
    return True


class FileBuffer(Buffer):
    """Bytes in a file in `folder`, where it has no name. Raises OSError if it cannot be made."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Unbuffered: a full disk shows when the bytes are added, and closing writes nothing.
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - `release` closes it
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def expect(self, places: Iterable[Place]) -> None:
        """As Buffer has it: nothing is gained by it here."""

    def add(self, data: bytes | memoryview) -> None:
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
