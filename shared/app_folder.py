"""What lies in the folder of a Flower app and belongs to the app."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.machinery import all_suffixes
from pathlib import Path

from shared import paths

COPY_MARK = ".fedloom-copy"
"""The file in a copy of an app that says so, and what of it FedLoom has put there (`shared.app_copy`)."""

_NEVER = frozenset({".git", ".fedloom", ".venv", "__pycache__", "node_modules"})
_MARKS_OF_OTHERS = frozenset({COPY_MARK, "pyvenv.cfg", "conda-meta"})
"""What lies in copies of apps, and in Python environments."""

_CODE = tuple(all_suffixes())


def is_code(name: str) -> bool:
    """Whether Python could import a file of that name."""
    return name.endswith(_CODE)


def is_never_the_apps(path: str) -> bool:
    """Whether a file lies in a folder that is left out wherever it is found; `path` is that in the app's."""
    return not _NEVER.isdisjoint(path.split("/")[:-1])


def entries(folder: Path, app_folder: Path) -> list[os.DirEntry[str]] | None:
    """What lies directly in a folder of an app, by name, without what is never the app's.

    That is: FedLoom's own files, copies of apps, Python environments, repositories, caches. None: the folder
    itself is such a thing. Raises OSError when it cannot be read.
    """
    with os.scandir(folder) as scanned:
        found = sorted(scanned, key=lambda entry: entry.name)
    if folder != app_folder and any(entry.name in _MARKS_OF_OTHERS for entry in found):
        return None
    home = str(paths.home_dir().resolve())
    return [entry for entry in found if entry.name not in _NEVER and entry.path != home]


def files_ending_with(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    """The app's regular files with such names, by path (with slashes); no links, as Flower has it.

    A folder that may not be read counts as empty, as with Flower. Raises OSError for the app's own.
    """
    return {path.relative_to(folder).as_posix(): path for path in _regular_files(folder, endings)}


def _regular_files(app_folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    waiting = [app_folder]
    while waiting:
        folder = waiting.pop()
        try:
            found = entries(folder, app_folder) or []
        except OSError:
            if folder == app_folder:
                raise
            continue
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(folder / entry.name)
            elif entry.name.endswith(endings) and entry.is_file(follow_symlinks=False):
                yield folder / entry.name
