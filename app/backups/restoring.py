"""Makes a server's folder of a backup: all of it, or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.audit.export import NothingToExport, export
from app.audit.verify import NotVerified, Verified, verify
from app.backups.archive import extract
from app.backups.kept import LOST_AND_FOUND
from app.backups.sealed import BackupUnusable, SealedReader
from app.store.copying import bring_up_to_date, copy_from_file
from app.store.files import make_folder, sync_folder
from app.store.urls import FILE_NAME, default_url
from shared.errors import FedLoomError
from shared.security.files import make_private_folder


class RestoreFailed(FedLoomError):
    """A backup could not be restored. Nothing was written, unless the message says so."""


@dataclass(frozen=True)
class Restored:
    """What was restored. `audit` None: the audit log does not verify, for `objection`, or there is none."""

    files: int
    audit: Verified | None
    objection: str = ""


def restore(file: Path, folder: Path, passphrase: str, store_url: str | None = None) -> Restored:
    """Restore a backup into a folder that is empty or not there yet, and with `store_url` its database into
    that PostgreSQL, which must be empty. A folder that is there stays the one it is: a disk may be mounted
    there, or a link lead to it.

    Raises BackupUnusable, RestoreFailed and StoreUnavailable; then the folder is as it was, and so is the
    PostgreSQL, unless the message says that it is filled.
    """
    _require_empty(folder)
    parent = folder.absolute().parent
    try:
        make_folder(parent)
        is_there = folder.exists()
        work = Path(tempfile.mkdtemp(dir=folder if is_there else parent, prefix=f".restore-{folder.name}-"))
    except OSError as error:
        raise RestoreFailed(_in_words(error, file, folder)) from error
    draft, database = work / "files", work / FILE_NAME
    is_filled = False
    try:
        make_private_folder(draft)
        restored = _prepare(file, draft, passphrase)
        if store_url is not None:
            (draft / FILE_NAME).replace(database)
        _sync(draft)
        if store_url is not None:  # last of all that is likely to fail
            copy_from_file(database, store_url)
            is_filled = True
        _place(draft, folder, is_inside=is_there)
    except OSError as error:
        if is_filled:
            raise RestoreFailed(_in_words_of_half(error, draft, folder)) from error
        raise RestoreFailed(_in_words(error, file, folder)) from error
    finally:
        if not (is_filled and draft.exists() and any(draft.iterdir())):
            shutil.rmtree(work, ignore_errors=True)
    return restored


def _prepare(file: Path, draft: Path, passphrase: str) -> Restored:
    """Have in a folder what is to be in the server's: the database as one file, of today's schema."""
    with file.open("rb") as source:
        count = extract(SealedReader(source, passphrase, str(file)), draft, str(file))
    database = draft / FILE_NAME
    if not database.exists():
        raise BackupUnusable(f"{file} holds no database, so it is no backup of a server.")
    bring_up_to_date(database)
    restored = _audited(draft, count)
    for path in draft.glob(f"{FILE_NAME}*"):
        if path != database:  # what looking into it has left
            path.unlink()
    return restored


def _place(draft: Path, folder: Path, *, is_inside: bool) -> None:
    """Make the draft the folder; or, from inside, what is in it what is in the folder, the database last.
    All of it, or nothing. Raises OSError."""
    moves = [(draft, folder)]
    if is_inside:
        entries = sorted(draft.iterdir(), key=lambda path: path.name == FILE_NAME)
        moves = [(path, folder / path.name) for path in entries]
    moved = []
    try:
        for path, to in moves:
            path.replace(to)
            moved.append((path, to))
        sync_folder(folder if is_inside else folder.absolute().parent)
    except OSError:
        for path, to in reversed(moved):
            to.replace(path)
        raise


def _audited(draft: Path, count: int) -> Restored:
    exported = draft / ".audit"
    try:
        export(default_url(draft), exported)
        with exported.open("rb") as lines:
            return Restored(count, verify(lines))
    except (NothingToExport, NotVerified) as error:
        return Restored(count, None, str(error))
    finally:
        exported.unlink(missing_ok=True)


def _require_empty(folder: Path) -> None:
    if folder.is_symlink() and not folder.exists():
        raise RestoreFailed(
            f"{folder} is a link to {folder.readlink()}, which is not there. Make that folder, or name "
            "another."
        )
    try:
        entries = folder.exists() and any(path.name != LOST_AND_FOUND for path in folder.iterdir())
    except OSError as error:
        raise RestoreFailed(
            f"{folder} cannot be used: {error.strerror or error}. Name another folder."
        ) from error
    if entries:
        raise RestoreFailed(
            f"{folder} is not empty, so nothing was restored into it. Name an empty or new folder."
        )


def _sync(folder: Path) -> None:
    """Return once all files below are on the disk."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with (Path(parent) / name).open("rb+") as file:
                os.fsync(file.fileno())
        sync_folder(Path(parent))


def _in_words(error: OSError, file: Path, folder: Path) -> str:
    return f"{file} could not be restored into {folder} ({error.strerror or error}). Nothing was written."


def _in_words_of_half(error: OSError, draft: Path, folder: Path) -> str:
    return (
        f"The database was restored into the PostgreSQL, but the files could not be moved to {folder} "
        f"({error.strerror or error}). They lie in {draft}, whole: move what is in it to {folder} yourself. "
        "Or empty the database, delete them, and restore the backup once more."
    )
