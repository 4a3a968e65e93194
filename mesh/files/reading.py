"""What a file holds, as content: read once, in pieces, with a look whether it changes meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable

from mesh.files.tree import Stat, Tree
from mesh.node import CHUNK_BYTES, Content
from shared.security.merkle import Growing, leaf_hash


class FileChanged(ValueError):
    """A file is not what it was."""


def content_of(descriptor: int, go_on: Callable[[], None] = lambda: None) -> Content:
    """Of an open file, as long as it is now: one that grows would never end. `go_on` is called for each
    chunk, and ends it by raising. Raises OSError."""
    tree, size, end = Growing(), 0, os.fstat(descriptor).st_size
    while size < end and (chunk := _read(descriptor, size, min(CHUNK_BYTES, end - size))):
        go_on()
        tree.add(leaf_hash(chunk))
        size += len(chunk)
    return Content(tree.root, size)


def _read(descriptor: int, start: int, length: int) -> bytes:
    """So many bytes, or fewer at the end of the file only."""
    data = os.pread(descriptor, length, start)
    while 0 < len(data) < length and (more := os.pread(descriptor, length - len(data), start + len(data))):
        data += more
    return data


class BytesSource:
    """Bytes in memory, as the mesh gives them to others: a `mesh.node.Source`."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, start: int, length: int) -> bytes:
        """As Source has it."""
        return self._data[start : start + length]


class FileSource:
    """A shared file, as the mesh gives it to others: a `mesh.node.Source`. Used in any thread."""

    def __init__(self, tree: Tree, name: str, seen: Stat) -> None:
        self._tree = tree
        self._name = name
        self._seen = seen

    def read(self, start: int, length: int) -> bytes:
        """As Source has it: FileChanged, a ValueError, once the file is not the one that was seen."""
        descriptor = self._tree.open(self._name)
        try:
            if Stat.of(os.fstat(descriptor)) != self._seen:
                raise FileChanged(f"{self._name} has changed")
            data = _read(descriptor, start, length)
        finally:
            os.close(descriptor)
        if len(data) != length:
            raise FileChanged(f"{self._name} is shorter than it was")
        return data
