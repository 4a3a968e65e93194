"""Which files of a server's folder are in a backup, and in which order."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from app.backups.archive import BackupFailed
from app.running_server import FILE

CHECKPOINTS = "checkpoints"

LOST_AND_FOUND = "lost+found"
"""A folder of the file system's own, where a disk is mounted. It belongs to no server."""

LEFT_OUT = frozenset({"data", "apps", "spool", "demo", "backups", LOST_AND_FOUND})
"""Folders that are fetched, made or filled again: data sets, copies of apps, replies on their way, demos; and
where other backups may be."""

MADE_AGAIN = frozenset({FILE, "invitation"})
"""Files that a server writes when it starts, with its address of then."""

BACKUP_DRAFT = ".backup-"
"""How names begin of what is written of a backup: its file, and the folder with the copy of the database."""

OF_A_MOMENT = (".draft-", BACKUP_DRAFT)
"""How names begin of what is written just now, or was when its process was killed."""

_Identity = tuple[int, int]
"""Of a folder, whatever its name: device and inode."""


def files_of(home: Path, but: Collection[Path]) -> Iterator[Path]:
    """The files of a folder, also behind links, without those of `but`; checkpoints come last, those of the
    run that is worked on at the very end.

    So the database, which is copied after them, tells of every round that there is a checkpoint of: a round
    is repeated at worst, and what a model has cost in privacy stays counted.

    Raises OSError for what cannot be read, and BackupFailed for a link that leads nowhere.
    """
    left_out = {path.absolute() for path in but} | {path.resolve() for path in but}
    above = frozenset({_identity(home.stat())})
    for entry in _entries(home):
        if entry.name not in LEFT_OUT and entry.name != CHECKPOINTS:
            yield from _below(entry, left_out, above)
    for run in sorted(_entries(home / CHECKPOINTS), key=_changed_at):
        # The newest first: older ones are pruned.
        yield from sorted(_below(run, left_out, above), reverse=True)


def name_of(path: Path, home: Path) -> str:
    """A file's name in a backup."""
    return PurePosixPath(path.relative_to(home)).as_posix()


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, in order; nothing where there is none. Raises as `_status` does."""
    status = _status(folder)
    return sorted(folder.iterdir()) if status is not None and stat.S_ISDIR(status.st_mode) else []


def _below(path: Path, left_out: Collection[Path], above: frozenset[_Identity]) -> Iterator[Path]:
    """The files in a folder, at any depth; or the file itself. `above`: the folders that it lies in. What a
    link leads back to is none of them a second time."""
    if path.name.startswith(OF_A_MOMENT) or path.absolute() in left_out:
        return
    status = _status(path)
    if status is None or path.resolve() in left_out:
        return
    if stat.S_ISDIR(status.st_mode):
        if (folder := _identity(status)) not in above:
            for entry in _entries(path):
                yield from _below(entry, left_out, above | {folder})
    elif stat.S_ISREG(status.st_mode) and path.name not in MADE_AGAIN and not path.name.endswith(".lock"):
        yield path


def _status(path: Path) -> os.stat_result | None:
    """Of what is there, if need be behind a link; None where nothing is. Raises OSError, and BackupFailed for
    a link that leads nowhere."""
    try:
        return path.stat()
    except FileNotFoundError as error:
        if not path.is_symlink():  # gone meanwhile
            return None
        raise BackupFailed(
            f"{path} is a link to {path.readlink()}, which is not there, so the backup would not be whole. "
            "Bring back what it leads to, such as a disk that is not mounted, or delete the link."
        ) from error


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # a run that was deleted meanwhile
        return 0.0
