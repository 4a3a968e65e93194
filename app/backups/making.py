"""Makes a backup of a server's folder and database, also while the server runs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from app.backups.archive import ArchiveWriter, BackupFailed
from app.backups.kept import BACKUP_DRAFT, files_of, name_of
from app.store.copying import copy_to_file
from app.store.files import sync_folder
from app.store.urls import FILE_NAME, parse_url

LOCK = "backup.lock"
"""Held as long as a backup is made of a folder."""

BESIDE_A_DATABASE = ("", "-wal", "-shm", "-journal", ".lock")
"""What may end the names of SQLite's files."""


@dataclass(frozen=True)
class Made:
    """What a backup holds. `bytes`: of the files in it."""

    files: int
    bytes: int


def make_backup(home: Path, store_url: str, file: Path, passphrase: str) -> Made:
    """Write all of a server into a file that is not there yet: it has its name when it is whole and on the
    disk.

    Raises BackupFailed, StoreUnavailable, and SettingsInvalid for a URL that names no store.
    """
    if file.exists():
        raise BackupFailed(f"{file} is there already, and is left as it is. Choose another name.")
    if not home.is_dir():
        raise BackupFailed(f"{home} is not there, so there is nothing to back up. Set FEDLOOM_HOME.")
    try:
        with FileLock(home / LOCK, timeout=0, mode=0o600):
            _remove_copies(home)
            return _make(home, store_url, file, passphrase)
    except Timeout as error:
        raise BackupFailed(
            f"Another backup of {home} is being made. Try again when it is done; this one was not begun."
        ) from error
    except OSError as error:
        raise BackupFailed(
            f"The backup {file} could not be made ({error.filename or file}: {error.strerror or error}). "
            "Nothing is left of it. Make room, or give this user the right to read there and write here."
        ) from error


def _make(home: Path, store_url: str, file: Path, passphrase: str) -> Made:
    descriptor, draft = tempfile.mkstemp(dir=file.absolute().parent, prefix=f"{BACKUP_DRAFT}{file.name}-")
    try:
        with os.fdopen(descriptor, "wb") as target:
            archive = ArchiveWriter(target, passphrase)
            _fill(archive, home, store_url, {Path(draft), file})
            archive.close()
            target.flush()
            os.fsync(descriptor)
        Path(draft).replace(file)
        sync_folder(file.absolute().parent)
    finally:
        Path(draft).unlink(missing_ok=True)
    return Made(archive.files, archive.bytes)


def _remove_copies(home: Path) -> None:
    """Remove the copies of the database that killed backups have left: who has the lock is the only one."""
    for copy in home.glob(f"{BACKUP_DRAFT}*"):
        if copy.is_dir() and not copy.is_symlink():
            shutil.rmtree(copy)


def _fill(archive: ArchiveWriter, home: Path, store_url: str, but: Collection[Path]) -> None:
    for path in files_of(home, {*but, *_database_files(home, store_url)}):
        archive.add(path, name_of(path, home))
    with tempfile.TemporaryDirectory(dir=home, prefix=BACKUP_DRAFT) as folder:  # of mode 0700
        database = Path(folder) / FILE_NAME
        copy_to_file(store_url, database)
        archive.add(database, FILE_NAME)


def _database_files(home: Path, store_url: str) -> list[Path]:
    """Files that are not copied as they are: a server may be writing into them."""
    databases = {home.absolute() / FILE_NAME}
    parsed = parse_url(store_url)
    if parsed.drivername.startswith("sqlite"):
        databases.add(Path(str(parsed.database)).absolute())
    databases |= {path.resolve() for path in databases}  # beside which SQLite has the others
    return [path.with_name(f"{path.name}{ending}") for path in databases for ending in BESIDE_A_DATABASE]
