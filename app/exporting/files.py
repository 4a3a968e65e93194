"""The files of an export, and how several of them become one archive.

Content is made piece by piece while it is written, so that a long run with many clients does not fill the
memory.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import RawIOBase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


FIRST_TIME = 315_532_800.0
LAST_TIME = 4_354_819_198.0
"""Of a file in a ZIP archive: 1980-01-01 00:00:00 and 2107-12-31 23:59:58, in UTC."""


@dataclass(frozen=True)
class ExportFile:
    """A file: where it belongs, relative and with slashes, and its content, which can be read once."""

    path: str
    content: Iterable[bytes]


def zipped(files: Iterable[ExportFile], modified_at: float) -> Iterator[bytes]:
    """A ZIP archive of the files, piece by piece; `modified_at` (Unix seconds) is the time of all of them.

    The format knows the years from 1980 to 2107; another clock's time becomes the nearest that it knows.
    """
    collected = _Collector()
    modified = time.gmtime(min(max(modified_at, FIRST_TIME), LAST_TIME))
    with zipfile.ZipFile(collected, "w") as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.path, modified[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as target:
                for piece in file.content:
                    target.write(piece)
                    yield collected.take()
            yield collected.take()
    yield collected.take()


class _Collector(RawIOBase):
    """What `zipfile` writes, until it is taken. It cannot seek, and `zipfile` does without."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        piece = memoryview(data)
        self._written += piece
        return piece.nbytes

    def take(self) -> bytes:
        """All that was written since the last call; may be nothing."""
        taken = bytes(self._written)
        self._written.clear()
        return taken
