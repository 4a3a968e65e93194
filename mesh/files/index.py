"""Index: what this node has of a folder, and what others have said of it last, kept over restarts.

An SQLite file in FedLoom's home, and the same in memory. Used by one thread at a time.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mesh.files.entry import Entry
from mesh.files.manifest import from_bytes, to_bytes
from mesh.files.names import NameRefused
from mesh.files.tree import Stat
from mesh.node import Content
from shared.errors import FedLoomError
from shared.security.files import make_private_folder
from shared.security.key_id import KeyId

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, entry BLOB NOT NULL,
    size INTEGER, modified INTEGER, changed INTEGER, inode INTEGER,
    is_own_affair INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deletions (name TEXT PRIMARY KEY, known_since INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS manifests (author BLOB PRIMARY KEY, sequence INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS moves (
    name TEXT PRIMARY KEY, entry BLOB NOT NULL, part TEXT NOT NULL, kept TEXT NOT NULL
) WITHOUT ROWID;
"""


class IndexUnusable(FedLoomError):
    """The index of a folder cannot be read or written."""


@dataclass(frozen=True)
class Local:
    """A file as this node has it."""

    entry: Entry
    seen: Stat | None = None
    """What the file was when it was read; None: it has to be read again, or is deleted."""
    is_own_affair: bool = False
    """The folder only receives, and the file was added, changed or deleted here: nobody is told. Its entry is
    what others know; of one that was added, it is what lies here."""


@dataclass(frozen=True)
class Move:
    """A file that was about to become visible."""

    entry: Entry
    part: str
    """Where it lay, complete."""
    kept: str
    """Where the file that had the name before was put."""


def index_file(home: Path, folder: str) -> Path:
    """Where the index of a folder is."""
    return home / f"{folder}.sqlite"


def forget_index(home: Path, folder: str) -> None:
    """Remove one that is not open. Raises OSError."""
    path = index_file(home, folder)
    for each in (path, *(path.with_name(f"{path.name}-{suffix}") for suffix in ("wal", "shm"))):
        each.unlink(missing_ok=True)


class Index:
    """Of one folder. Everything raises IndexUnusable; what was not written is not in memory either."""

    def __init__(self, path: Path, folder: str, device: str) -> None:
        self._path = path
        self.device = device
        """Of this node's key, as names of conflict copies have it."""
        try:
            make_private_folder(path.parent)
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            with self._errors():
                self._database.execute("PRAGMA journal_mode = WAL")
        except IndexUnusable:
            self._database.close()
            raise
        try:
            self._load(folder, device)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    @property
    def files(self) -> Mapping[str, Local]:
        """By name, with those that were deleted."""
        return self._files

    def name_of(self, content: Content) -> str | None:
        """A file here that holds this."""
        return next(iter(self._names.get(content, ())), None)

    def put(self, *locals_: Local) -> None:
        """These are so now; all or none."""
        with self._transaction() as database:
            database.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", map(_row, locals_)
            )
            self._note_deletions(database, locals_)
            database.execute("UPDATE about SET value = ? WHERE name = 'count'", (self._count,))
        for local in locals_:
            before = self._files.get(local.entry.name)
            if before is None or before.entry != local.entry or before.is_own_affair != local.is_own_affair:
                self.changes += 1
            self._set(local)

    def forget(self, *names: str) -> None:
        """These are no affair of the folder's any more."""
        with self._transaction() as database:
            for table in ("files", "deletions"):
                database.executemany(f"DELETE FROM {table} WHERE name = ?", [(name,) for name in names])
        for name in names:
            self._drop(name)
        self.changes += len(names)

    def deletions_before(self, time_ns: int) -> list[Entry]:
        """Those that were made before this time, by the clock of their node, and that are known since before
        it here. Nanoseconds since 1970."""
        with self._errors():
            select = "SELECT name FROM deletions WHERE known_since < ?"
            names = [name for (name,) in self._database.execute(select, (time_ns,))]
        entries = (self._files[name].entry for name in names)
        return [entry for entry in entries if entry.modified_ns < time_ns]

    def next_count(self) -> int:
        """For the version of the next change here, which is to be `put`. It grows over all files, so that one
        which was forgotten, and comes back, does not look older than it was."""
        self._count += 1
        return self._count

    def next_sequence(self) -> int:
        """The number of this node's next manifest."""
        with self._transaction(at_once=True) as database:
            database.execute("UPDATE about SET value = ? WHERE name = 'sequence'", (self.sequence + 1,))
        self.sequence += 1
        return self.sequence

    def mark(self) -> None:
        """The folder has its mark."""
        with self._transaction() as database:
            database.execute("UPDATE about SET value = 1 WHERE name = 'is_marked'")
        self._is_marked = True

    @property
    def is_marked(self) -> bool:
        """Whether the folder was found once, and has FedLoom's mark."""
        return self._is_marked

    def manifest_of(self, author: KeyId) -> tuple[int, bytes] | None:
        """What another node has said last, as it came, with its number; None: nothing. No bytes: it has been
        forgotten."""
        with self._errors():
            select = "SELECT sequence, data FROM manifests WHERE author = ?"
            found: tuple[int, bytes] | None = self._database.execute(select, (author.digest,)).fetchone()
        return found

    def keep_manifest(self, author: KeyId, sequence: int, data: bytes) -> None:
        """What another node says now."""
        with self._transaction() as database:
            row = (author.digest, sequence, data)
            database.execute("INSERT OR REPLACE INTO manifests VALUES (?, ?, ?)", row)

    def moves(self) -> list[Move]:
        """What was about to become visible and may not have."""
        with self._errors():
            rows = self._database.execute("SELECT entry, part, kept FROM moves").fetchall()
        return [Move(from_bytes(entry), part, kept) for entry, part, kept in rows]

    def begin(self, move: Move) -> None:
        """A file is about to become visible."""
        with self._transaction(at_once=True) as database:
            row = (move.entry.name, to_bytes(move.entry), move.part, move.kept)
            database.execute("INSERT OR REPLACE INTO moves VALUES (?, ?, ?, ?)", row)

    def end(self, move: Move) -> None:
        """It is visible, or will not be."""
        with self._transaction() as database:
            database.execute("DELETE FROM moves WHERE name = ?", (move.entry.name,))

    def _load(self, folder: str, device: str) -> None:
        with self._transaction() as database:
            for command in _SCHEMA.strip().split(";\n"):
                database.execute(command)
            # The clock is asked once for each index: whoever has lost one goes on above what it had reached.
            new = {
                "folder": folder,
                "writer": f"{device}-{secrets.token_hex(8)}",
                "sequence": time.time_ns() // 1_000_000,
                "is_marked": 0,
                "count": 0,
            }
            database.executemany("INSERT OR IGNORE INTO about VALUES (?, ?)", new.items())
            about = dict(database.execute("SELECT name, value FROM about"))
            rows = database.execute("SELECT * FROM files").fetchall()
            noted: dict[str, int] = dict(database.execute("SELECT name, known_since FROM deletions"))
        if about["folder"] != folder:
            raise IndexUnusable(
                f"{self._path} is the index of the folder {about['folder']}, not of {folder}."
            )
        self.writer: str = about["writer"]
        """By which this node is known in the versions that it counts in this index."""
        self.sequence: int = about["sequence"]
        """Of this node's last manifest."""
        self._is_marked = bool(about["is_marked"])
        self._count: int = about["count"]
        self._latest_ns = max((about["sequence"] * 1_000_000, *noted.values()))
        """Of the times at which something was noted here."""
        self.changes = 0
        """Grows with each change of what is here."""
        self._files: dict[str, Local] = {}
        self._names: dict[Content, set[str]] = {}
        try:
            for row in rows:
                self._set(_local(row))
        except (ValueError, KeyError, TypeError, NameRefused) as error:
            raise self._unusable(error) from error
        with self._transaction() as database:  # those of a FedLoom that did not note when it heard of them
            self._note_deletions(database, [loc for name, loc in self._files.items() if name not in noted])

    def _note_deletions(self, database: sqlite3.Connection, locals_: Sequence[Local]) -> None:
        """Since when each is known to be deleted; of files that are there, nothing. A clock that was set back
        counts as standing still: some machines begin in 1970 until they have asked for the time."""
        self._latest_ns = max(time.time_ns(), self._latest_ns)
        deleted = [(local.entry.name, self._latest_ns) for local in locals_ if local.entry.is_deleted]
        there = [(local.entry.name,) for local in locals_ if not local.entry.is_deleted]
        database.executemany("INSERT OR IGNORE INTO deletions VALUES (?, ?)", deleted)
        database.executemany("DELETE FROM deletions WHERE name = ?", there)

    def _set(self, local: Local) -> None:
        name = local.entry.name
        self._drop(name)
        self._files[name] = local
        if local.entry.content is not None and not local.is_own_affair:
            self._names.setdefault(local.entry.content, set()).add(name)

    def _drop(self, name: str) -> None:
        before = self._files.pop(name, None)
        if before is None or before.entry.content is None or before.is_own_affair:
            return
        names = self._names[before.entry.content]
        names.discard(name)
        if not names:
            del self._names[before.entry.content]

    @contextmanager
    def _transaction(self, *, at_once: bool = False) -> Iterator[sqlite3.Connection]:
        """`at_once`: it is on the disk afterwards, with all before. Others may be lost with the power: then
        the next scan finds again what they said."""
        with self._errors():
            self._database.execute(f"PRAGMA synchronous = {'FULL' if at_once else 'NORMAL'}")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> IndexUnusable:
        return IndexUnusable(
            f"The index {self._path} cannot be used: {error}. If its disk is full, make room. If it is "
            "damaged, remove it: all files are read again then, and none is lost."
        )


def _row(local: Local) -> tuple[str, bytes, int | None, int | None, int | None, int | None, bool]:
    seen = local.seen
    entry = to_bytes(local.entry)
    if seen is None:
        return local.entry.name, entry, None, None, None, None, local.is_own_affair
    return (
        local.entry.name,
        entry,
        seen.size,
        seen.modified_ns,
        seen.changed_ns,
        seen.inode,
        local.is_own_affair,
    )


def _local(row: tuple[str, bytes, int | None, int | None, int | None, int | None, int]) -> Local:
    _, entry, size, modified, changed, inode, is_own_affair = row
    seen = None
    if size is not None and modified is not None and changed is not None and inode is not None:
        seen = Stat(size, modified, changed, inode)
    return Local(from_bytes(entry), seen, bool(is_own_affair))
