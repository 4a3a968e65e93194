"""A part: a file that comes, chunk by chunk, until it is whole. It survives a crash.

Which chunks are there, a second file says, with one byte for each. After a power cut it may claim too many:
therefore all of the file is read again before it becomes visible.
"""

from __future__ import annotations

import os
from collections.abc import Set

from mesh.files.names import OWN_FOLDER
from mesh.files.reading import content_of
from mesh.files.tree import Stat, Tree
from mesh.node import CHUNK_BYTES, Content
from shared.security.merkle import Growing, leaf_hash

PARTS = f"{OWN_FOLDER}/parts"
_THERE = b"\1"


class PartDamaged(Exception):
    """What lies on the disk is not what was written. The part is gone; it has to come again."""


def part_name(content: Content) -> str:
    """Where it lies, inside the shared folder, so that it only has to be renamed."""
    return f"{PARTS}/{content.root.hex()}-{content.size}"


class Part:
    """Of one content. To be closed. Raises OSError, as files do."""

    def __init__(self, tree: Tree, content: Content) -> None:
        self._tree = tree
        self.content = content
        self.name = part_name(content)
        self._marks_name = f"{self.name}.chunks"
        self._is_sealed = False
        self._data = tree.create(self.name)
        try:
            self._marks = tree.create(self._marks_name)
        except OSError:
            os.close(self._data)
            raise
        self._have = {place for place, mark in enumerate(self._read_marks()) if mark}

    def _read_marks(self) -> bytes:
        return os.pread(self._marks, self.content.chunks, 0)

    @property
    def have(self) -> Set[int]:
        """The chunks that are there."""
        return self._have

    @property
    def is_complete(self) -> bool:
        """Whether all chunks are there."""
        return len(self._have) == self.content.chunks

    def store(self, place: int, chunk: bytes) -> None:
        """A chunk that was verified."""
        if self._is_sealed:
            raise ValueError("the file has its own name now: nothing is written into it any more")
        start = place * CHUNK_BYTES
        view = memoryview(b"" if chunk.count(0) == len(chunk) else chunk)  # a hole takes no room
        while view:
            written = os.pwrite(self._data, view, start)
            view, start = view[written:], start + written
        os.pwrite(self._marks, _THERE, place)
        self._have.add(place)

    def read(self) -> bytes:
        """All of it. Raises PartDamaged unless it is the content."""
        chunks = [
            os.pread(self._data, CHUNK_BYTES, place * CHUNK_BYTES).ljust(
                min(CHUNK_BYTES, self.content.size - place * CHUNK_BYTES), b"\0"
            )  # what ends with a hole is shorter on the disk
            for place in range(self.content.chunks)
        ]
        tree = Growing()
        for chunk in chunks:
            tree.add(leaf_hash(chunk))
        data = b"".join(chunks)
        if Content(tree.root, len(data)) != self.content:
            self.discard()
            raise PartDamaged(self.name)
        return data

    def seal(self, modified_ns: int, *, executable: bool) -> Stat:
        """Have all of it on the disk, with its time. Raises PartDamaged unless it is the content, and all of
        it."""
        self._is_sealed = True
        if os.fstat(self._data).st_size < self.content.size:  # it ends with a hole
            os.ftruncate(self._data, self.content.size)
        if content_of(self._data) != self.content:
            self.discard()
            raise PartDamaged(self.name)
        mode = os.fstat(self._data).st_mode & 0o777
        os.fchmod(self._data, mode | (mode & 0o444) >> 2 if executable else mode & ~0o111)
        os.utime(self._data, ns=(modified_ns, modified_ns))
        os.fsync(self._data)
        return Stat.of(os.fstat(self._data))

    def discard(self) -> None:
        """Remove what has come."""
        self._tree.remove(self.name)
        self.forget_marks()

    def forget_marks(self) -> None:
        """The file has its own name now: remove what was kept of its chunks."""
        self._tree.remove(self._marks_name)

    def close(self) -> None:
        """Let go of the files; what has come stays."""
        os.close(self._data)
        os.close(self._marks)
