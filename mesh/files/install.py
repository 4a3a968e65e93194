"""What the plan says, done: files become visible, are deleted, or give way. Nothing that was written is
lost.

Whatever lies under a name that is needed is moved away by one rename, and looked at only then: nobody can
change it in between. If it is not what the index says, somebody has changed it meanwhile, and it is kept
beside the new file.
"""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from itertools import count

from mesh.files.changes import tombstone
from mesh.files.entry import Entry
from mesh.files.index import Index, Local, Move
from mesh.files.kept import place_for
from mesh.files.names import conflict_name
from mesh.files.parts import Part
from mesh.files.plan import Aside, Wanted
from mesh.files.reading import content_of
from mesh.files.tree import Stat, Tree
from shared.errors import FedLoomError


class InTheWay(FedLoomError):
    """Something that is not shared lies where a file is to be. Says so as the end of a sentence."""


@dataclass(frozen=True)
class Installer:
    """For one folder; used by one thread. Raises OSError and IndexUnusable; then all is as before, or is
    mended by `recover`. What returns a bool says whether the folder has to be scanned."""

    tree: Tree
    index: Index

    def make_visible(self, wanted: Wanted, part: Part) -> bool:
        """A file that is there completely gets its name. Raises InTheWay, PartDamaged."""
        entry = wanted.entry
        self._clear_way(entry.name)
        sealed = part.seal(entry.modified_ns, executable=entry.executable)
        move = Move(entry, part.name, place_for(self.tree, entry.name, time.time_ns()))
        self.index.begin(move)
        try:
            is_kept_beside = self._take_away(move, is_conflict=wanted.is_conflict)
            self.tree.put(part.name, entry.name)
        except OSError:
            self._settle(move)
            raise
        now = self.tree.stat(entry.name)
        is_untouched = now is not None and sealed.is_moved(now)
        self.index.put(Local(entry, now if is_untouched else None))
        self.index.end(move)
        part.forget_marks()
        return is_kept_beside

    def adopt(self, entry: Entry) -> bool:
        """A file is as it should be, but for what is said of it and for its right to be run."""
        local = self.index.files.get(entry.name)
        seen = local.seen if local is not None else None
        if entry.content is not None and local is not None and local.entry.executable != entry.executable:
            seen = self._set_executable(entry, seen)
        self.index.put(Local(entry, seen))
        return False

    def delete(self, entry: Entry) -> bool:
        """A file was deleted elsewhere. If it was changed here meanwhile, it stays, and the change counts."""
        local = self.index.files[entry.name]
        if local.is_own_affair:
            self.index.put(Local(entry, local.seen, is_own_affair=self.tree.stat(entry.name) is not None))
            return False
        if self.tree.status(entry.name) is not None:
            kept = place_for(self.tree, entry.name, time.time_ns())
            self.tree.take(entry.name, kept)
            if not self._is_known(kept, local):
                self.tree.put(kept, entry.name)
                return True
            self.tree.remove_empty_folders(entry.name)
        self.index.put(Local(entry))
        return False

    def move_aside(self, aside: Aside) -> bool:
        """A file gives its name to another. For the others, it is deleted, and there is a new one. Raises
        VersionUsedUp."""
        local = self.index.files[aside.name]
        gone = tombstone(aside.name, self.index, time.time_ns())
        self._put_beside(aside.name, aside.name, local.entry.device)
        self.index.put(Local(gone))
        return True

    def recover(self) -> None:
        """Bring to an end, or undo, what a process was killed in."""
        for move in self.index.moves():
            self._settle(move)

    def _settle(self, move: Move) -> None:
        """Nothing, if the file that was to give way is still there. Else it comes back, or the new one has
        its name."""
        name, entry = move.entry.name, move.entry
        if self.tree.status(name) is None:
            if self.tree.status(move.kept) is not None:
                self.tree.put(move.kept, name)
            elif self.tree.status(move.part) is not None:
                self.tree.put(move.part, name)
                self.index.put(Local(entry, self.tree.stat(name)))
        elif self.tree.status(move.part) is None and self._content_is(name, entry):
            self.index.put(Local(entry, self.tree.stat(name)))
        self.index.end(move)

    def _take_away(self, move: Move, *, is_conflict: bool) -> bool:
        """Move what has the name; whether it is kept beside the new file, and not among old versions."""
        name = move.entry.name
        if self.tree.status(name) is None:
            return False
        self.tree.take(name, move.kept)
        local = self.index.files.get(name)
        is_known = local is not None and self._is_known(move.kept, local)
        if (is_known and not is_conflict) or self._content_is(move.kept, move.entry):
            return False
        device = local.entry.device if local is not None and is_known else self.index.device
        self._put_beside(move.kept, name, device)
        return True

    def _is_known(self, place: str, local: Local) -> bool:
        """Whether what was moved there is what the index says of the file."""
        now = self.tree.stat(place)
        if now is None or local.is_own_affair:
            return False
        if local.seen is not None and local.seen.is_moved(now):
            return True
        return self._content_is(place, local.entry)

    def _content_is(self, place: str, entry: Entry) -> bool:
        if self.tree.stat(place) is None:
            return False
        descriptor = self.tree.open(place)
        try:
            return content_of(descriptor) == entry.content
        finally:
            os.close(descriptor)

    def _put_beside(self, place: str, name: str, device: str) -> None:
        status = self.tree.status(place)
        modified_ns = status.st_mtime_ns if status is not None else 0
        for number in count(1):
            try:
                self.tree.put(place, conflict_name(name, modified_ns, device, number))
                return
            except FileExistsError:
                continue

    def _clear_way(self, name: str) -> None:
        """Remove an empty folder of this name. Raises InTheWay."""
        status = self.tree.status(name)
        if status is None or not stat.S_ISDIR(status.st_mode):
            return
        self.tree.remove_empty_folders(f"{name}/file")
        if self.tree.status(name) is not None:
            raise InTheWay("a folder of its name lies here, with files that are not shared")

    def _set_executable(self, entry: Entry, seen: Stat | None) -> Stat | None:
        descriptor = self.tree.open(entry.name)
        try:
            status = os.fstat(descriptor)
            mode = status.st_mode & 0o777
            os.fchmod(descriptor, mode | (mode & 0o444) >> 2 if entry.executable else mode & ~0o111)
            is_same = seen == Stat.of(status)
            return Stat.of(os.fstat(descriptor)) if is_same else None
        finally:
            os.close(descriptor)
