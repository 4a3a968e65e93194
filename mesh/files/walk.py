"""What lies in a folder now: its files, and what is not shared, with the reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mesh.files.ignore import IgnoreRules
from mesh.files.names import IGNORE_FILE, OWN_FOLDER, NameRefused, fold, folders_of, require_safe
from mesh.files.tree import Stat, Tree


@dataclass(frozen=True)
class Found:
    """A plain file."""

    name: str
    stat: Stat
    executable: bool


@dataclass(frozen=True)
class NotShared:
    """Something that lies in the folder and is not shared."""

    name: str
    why: str
    """The end of a sentence."""


def walk(tree: Tree, rules: IgnoreRules, go_on: Callable[[], None]) -> Iterator[Found | NotShared]:
    """All files that are not ignored, in no order. Links are not followed. Raises OSError: where a folder
    cannot be read, what is in it must not pass for deleted."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        go_on()
        with tree.folder(folder) as descriptor, os.scandir(descriptor) as items:
            found = [(item.name, item.stat(follow_symlinks=False)) for item in items]
        for last, status in found:
            name = f"{folder}/{last}" if folder else last
            if name in (OWN_FOLDER, IGNORE_FILE):
                continue
            if stat.S_ISDIR(status.st_mode):
                if not rules.ignores_folder(_readable(name)):
                    waiting.append(name)
            elif not rules.ignores(_readable(name)):
                yield _judged(name, status)


def _judged(name: str, status: os.stat_result) -> Found | NotShared:
    if stat.S_ISLNK(status.st_mode):
        return NotShared(_readable(name), "it is a link")
    if not stat.S_ISREG(status.st_mode):
        return NotShared(_readable(name), "it is no plain file")
    try:
        require_safe(name)
    except NameRefused as error:
        return NotShared(_readable(name), str(error))
    return Found(name, Stat.of(status), bool(status.st_mode & stat.S_IXUSR))


def _readable(name: str) -> str:
    """For people and for patterns: bytes that are no Unicode are shown."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


class Spellings:
    """Names that can lie side by side on a file system which does not tell large from small letters."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def rival(self, name: str) -> str | None:
        """What a name cannot lie beside: a file or a folder of these; None: it can."""
        for folder in folders_of(name):
            if (file := self._files.get(fold(folder))) is not None:
                return file
        if (other := self.other_spelling(name)) is not None:
            return other
        folded = fold(name)
        file = self._files.get(folded, name)
        return file if file != name else self._folders.get(folded)

    def other_spelling(self, name: str) -> str | None:
        """How a folder that a name lies in is spelled already, if not as there."""
        spelled = ((folder, self._folders.get(fold(folder), folder)) for folder in folders_of(name))
        return next((other for folder, other in spelled if other != folder), None)

    def add(self, name: str) -> None:
        """One that has no rival."""
        self._files[fold(name)] = name
        self.add_folders(name)

    def add_folders(self, name: str) -> None:
        """Only the folders that it lies in."""
        for folder in folders_of(name):
            self._folders[fold(folder)] = folder
