"""The file to which a command writes its result: tried before the work, written whole after it."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def try_to_write(path: Path) -> None:
    """Raise OSError if no file can be written at `path`. Whatever comes of it, nothing is left behind."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    folder = path.absolute().parent
    while not folder.exists():  # the others can be made then
        folder = folder.parent
    with tempfile.TemporaryFile(dir=folder):
        pass


def write_whole(path: Path, text: str) -> None:
    """Write a file, and its folder, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
