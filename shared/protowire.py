"""As much of protobuf's wire format as it takes to keep large byte strings out of protobuf's hands.

protobuf copies a bytes field on every level of nesting, and again when it is read. For a model these copies
are most of what a message costs, in time and memory; here its arrays are passed by, and the rest is left to
protobuf. See https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

MAX_BLOBS = 100_000
"""Byte strings in one message; a model has one for each of its arrays."""

MAX_REST = 64 << 20
"""Bytes of a message that are not in them."""

MAX_FIELDS = 1_000_000
"""Fields of a message, on all levels of the way to them."""


class Source(Protocol):
    """A serialised message that need not lie in memory."""

    def __len__(self) -> int: ...

    def read(self, start: int, length: int) -> bytes:
        """So many bytes from a place on; fewer at the end."""


class InMemory:
    """A source that does lie in memory."""

    def __init__(self, data: bytes) -> None:
        self._view = memoryview(data)

    def __len__(self) -> int:
        return len(self._view)

    def read(self, start: int, length: int) -> bytes:
        """As Source has it."""
        return bytes(self._view[start : start + length])


class InFile:
    """A source in a file that is open for reading, from its beginning; it is closed with this object."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __len__(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def read(self, start: int, length: int) -> bytes:
        """As Source has it."""
        parts = []
        while length > 0 and (part := os.pread(self._file.fileno(), length, start)):  # it reads 2 GiB at most
            parts.append(part)
            start, length = start + len(part), length - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def __del__(self) -> None:
        self._file.close()


def varint(number: int) -> bytes:
    """A number from 0 up."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def head(field: int, length: int) -> bytes:
    """What stands before the `length` bytes of a field of bytes, text or a message."""
    return varint(field << 3 | BYTES) + varint(length)


def cut(parts: Sequence[bytes], size: int) -> Iterator[list[memoryview]]:
    """The concatenation of `parts` in pieces of `size` bytes, the last smaller, each as views that follow."""
    piece: list[memoryview] = []
    room = size
    for part in parts:
        view = memoryview(part)
        while view:
            piece.append(view[:room])
            room -= len(piece[-1])
            view = view[len(piece[-1]) :]
            if not room:
                yield piece
                piece, room = [], size
    if piece:
        yield piece


def take_out(source: Source, path: Sequence[int]) -> tuple[bytes, list[bytes]]:
    """Replace each byte string at `path`, the field numbers from the outside in, by its number in decimal.

    Returns the rest of the message, which protobuf can parse, and the byte strings. Raises ValueError where
    the bytes are no message; what it passes by, protobuf still has to check.
    """
    taking = _Taking(source, path)
    return taking.message(0, len(source), 0), taking.blobs


class _Taking:
    """One pass over one message."""

    def __init__(self, source: Source, path: Sequence[int]) -> None:
        self._source = source
        self._path = path
        self._rest = self._fields = 0
        self.blobs: list[bytes] = []

    def message(self, start: int, end: int, depth: int) -> bytes:
        """The message in [start, end), without the byte strings in it."""
        out = bytearray()
        while start < end:
            self._fields += 1
            if self._fields > MAX_FIELDS:
                raise ValueError(f"it has more than {MAX_FIELDS:,} fields")
            key, after_key = self._varint(start, end)
            kind, field = key & 7, key >> 3
            if kind == BYTES:
                length, inside = self._varint(after_key, end)
                following = inside + length
                if following <= end and field == self._path[depth]:
                    out += self._content(field, inside, length, depth)
                    start = following
                    continue
            elif kind == VARINT:
                _, following = self._varint(after_key, end)
            elif kind in (FIXED64, FIXED32):
                following = after_key + (8 if kind == FIXED64 else 4)
            else:
                raise ValueError(f"field {field} has the kind {kind}")
            if following > end:
                raise ValueError(f"field {field} is cut short")
            out += self._keep(start, following - start)
            start = following
        return bytes(out)

    def _content(self, field: int, start: int, length: int, depth: int) -> bytes:
        """A field on the path: what stands in its place."""
        if depth < len(self._path) - 1:
            content = self.message(start, start + length, depth + 1)
        else:
            if len(self.blobs) == MAX_BLOBS:
                raise ValueError(f"it has more than {MAX_BLOBS:,} arrays")
            content = str(len(self.blobs)).encode()
            self.blobs.append(self._source.read(start, length))
        return head(field, len(content)) + content

    def _keep(self, start: int, length: int) -> bytes:
        self._rest += length
        if self._rest > MAX_REST:
            raise ValueError(f"it has more than {MAX_REST:,} bytes that belong to no array")
        return self._source.read(start, length)

    def _varint(self, start: int, end: int) -> tuple[int, int]:
        """The number at `start`, and where it ends."""
        number = 0
        for place, byte in enumerate(self._source.read(start, min(10, end - start))):
            number |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return number, start + place + 1
        raise ValueError("a number is cut short")
