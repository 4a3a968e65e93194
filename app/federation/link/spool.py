"""Where replies are collected: in memory while there is room for them, in files beyond that.

All clients may answer at once, each over a line of its own speed. Neither should the server's memory grow
with their number, nor one slow line hold the others up; so what does not fit into memory goes to the disk.
"""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from shared.buffers import Buffer, FileBuffer, MemoryBuffer

IN_MEMORY_BYTES = 64 << 20
"""Of replies that are arriving, or wait to be read, in all."""


class Spool:
    """Makes buffers for replies, from any thread. `folder` is for the files, which have no names there."""

    def __init__(self, folder: Path, in_memory_bytes: int = IN_MEMORY_BYTES) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._free = in_memory_bytes

    def buffer(self, total_bytes: int) -> Buffer:
        """A buffer for a reply of so many bytes. Raises OSError if there is no place for it."""
        with self._lock:
            fits = total_bytes <= self._free
            self._free -= total_bytes if fits else 0
        return MemoryBuffer(partial(self.give_back, total_bytes)) if fits else FileBuffer(self._folder)

    def give_back(self, size: int) -> None:
        """So many bytes in memory are free again."""
        with self._lock:
            self._free += size
