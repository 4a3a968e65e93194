"""Where replies are collected: in memory while there is room for them, in files beyond that.

All clients may answer at once, each over a line of its own speed. Neither should the server's memory grow
with their number, nor one slow line hold the others up; so what does not fit into memory goes to the disk.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import BinaryIO, cast

from shared.protowire import InFile, InMemory
from shared.wire import Room

IN_MEMORY_BYTES = 64 << 20
"""Of replies that are arriving, or wait to be read, in all."""


class Receiving:
    """Makes rooms for replies. Safe from any thread. `folder` is for the files, which have no names there."""

    def __init__(self, folder: Path, in_memory_bytes: int = IN_MEMORY_BYTES) -> None:
        self._folder = folder
        self._lock = threading.RLock()  # a share may be given back by the garbage collector, anywhere
        self._free = in_memory_bytes

    def room(self, total_bytes: int) -> Room:
        """A room for a reply of so many bytes."""
        with self._lock:
            fits = total_bytes <= self._free
            self._free -= total_bytes if fits else 0
        return _MemoryRoom(_Share(self, total_bytes)) if fits else _FileRoom(self._folder)

    def give_back(self, size: int) -> None:
        """So many bytes in memory are free again."""
        with self._lock:
            self._free += size


class _Share:
    """A part of the memory for replies, given back when nobody refers to this object any more."""

    def __init__(self, receiving: Receiving, size: int) -> None:
        self._receiving = receiving
        self._size = size

    def __del__(self) -> None:
        self._receiving.give_back(self._size)


class _SharedMemory(InMemory):
    """A reply in memory, with its share."""

    def __init__(self, data: bytes, share: _Share) -> None:
        super().__init__(data)
        self._share = share


class _MemoryRoom:
    def __init__(self, share: _Share) -> None:
        self._share = share
        self._parts: list[bytes] = []

    def add(self, data: bytes) -> None:
        """As Room has it."""
        self._parts.append(data)

    def whole(self) -> InMemory:
        """As Room has it."""
        return _SharedMemory(b"".join(self._parts), self._share)


class _FileRoom:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = cast(BinaryIO, tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - InFile closes it

        self._whole = InFile(self._file)  # which closes it, also when the reply is never complete

    def add(self, data: bytes) -> None:
        """As Room has it."""
        self._file.write(data)

    def whole(self) -> InFile:
        """As Room has it."""
        self._file.flush()
        return self._whole
