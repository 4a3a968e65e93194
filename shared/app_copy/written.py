"""What an app has written beside itself, into its copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from shared.app_copy.manifest import Manifest
from shared.app_folder import COPY_MARK, is_code

_NAMED = 3


def written(copy: Path) -> tuple[str, ...]:
    """The files (and links) in a copy that FedLoom has not put there, by path, in order; code is left out."""
    return tuple(sorted(_written(copy, Manifest.read(copy))))


def where_it_wrote(copy: Path) -> str | None:
    """In words, where what the app wrote lies; None if it wrote nothing."""
    files = written(copy)
    if not files:
        return None
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return f"What the app wrote beside itself is in {copy}: {', '.join(files[:_NAMED])}{more}."


def _written(copy: Path, manifest: Manifest) -> Iterator[str]:
    for folder, names, files in os.walk(copy):
        here = Path(folder)
        if "__pycache__" in names:
            names.remove("__pycache__")
        links = [name for name in names if (here / name).is_symlink()]
        for name in (*files, *links):
            path = (here / name).relative_to(copy).as_posix()
            if path == COPY_MARK or is_code(name):
                continue
            if not manifest.has_file(copy, path) and not manifest.has_link(copy, path):
                yield path
