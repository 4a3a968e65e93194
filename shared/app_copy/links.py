"""Which files of an app's folder are linked into its copy: those that Flower does not bundle, but no code."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from shared.app_folder import entries, is_code
from shared.flower_app import FlowerApp

MAX_LINKS = 5_000
"""A folder with more to link than that, and without code, is linked as a whole."""

Links = dict[str, Path | None]
"""Where each link leads, by its path in the copy (with slashes); None for a folder of its own."""


def links_into(app: FlowerApp, copy: Path) -> Links:
    """What the copy has beside the bundled files. Raises OSError when the app's folder cannot be read.

    Folders come before what is in them. Hidden folders are left out; a link in the app's folder that leads to
    something in it leads to the same in the copy.
    """
    return dict(_Survey(app, copy).links_in(app.folder))


class _Survey:
    def __init__(self, app: FlowerApp, copy: Path) -> None:
        self._app = app
        self._copy = copy
        code = (app.folder / path for path in app.files if is_code(path))
        self._with_code = {folder for file in (*code, copy) for folder in file.parents}
        """Folders that never are links: the copy has code, or itself, in them."""

    def links_in(self, folder: Path) -> Iterator[tuple[str, Path | None]]:
        for entry in entries(folder, self._app.folder) or ():
            path = folder / entry.name
            if entry.is_symlink():
                if path.exists() and not is_code(entry.name):
                    yield self._name(path), self._target_of(path)
            elif entry.is_dir():
                if not entry.name.startswith("."):
                    yield from self._links_for(path)
            elif entry.is_file() and not is_code(entry.name) and self._name(path) not in self._app.files:
                yield self._name(path), path

    def _links_for(self, folder: Path) -> list[tuple[str, Path | None]]:
        """For a folder in the app's: a link to it, or the folder and the links in it."""
        name = self._name(folder)
        inside = self.links_in(folder)
        try:
            if entries(folder, self._app.folder) is None:
                return []
            if folder in self._with_code:
                return [(name, None), *inside]
            found = list(islice(inside, MAX_LINKS + 1))
        except OSError:  # it may not be read: what the app makes of that is its own affair
            return [(name, folder)]
        return [(name, folder)] if len(found) > MAX_LINKS else [(name, None), *found]

    def _target_of(self, link: Path) -> Path:
        target = Path(os.path.realpath(link))
        if target.is_relative_to(self._app.folder):
            return self._copy / target.relative_to(self._app.folder)
        return target

    def _name(self, path: Path) -> str:
        return path.relative_to(self._app.folder).as_posix()
