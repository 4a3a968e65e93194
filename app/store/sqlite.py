"""The embedded database: one SQLite file with its write-ahead log, for one server at a time."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, Self

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DBAPIError

from app.store import files
from app.store.database import ENGINE_OPTIONS, Database
from shared.errors import StoreInUse, StoreUnavailable

BUSY_TIMEOUT_S = 5.0
"""How long a statement waits for another program that holds the database."""

SETTINGS = (
    "foreign_keys = ON",
    "synchronous = FULL",  # a commit returns when it is on the disk,
    "fullfsync = ON",  # also on macOS, where that takes more
    "checkpoint_fullfsync = ON",
)

NO_ROOM = 1 << 20
"""Bytes free below which an input/output error is taken for a full disk."""


class SqliteDatabase(Database):
    """Made by `to_write` or `to_read`."""

    def __init__(self, path: Path, mode: Literal["rw", "ro", "ro&immutable=1"]) -> None:
        self._path = path
        self._mode = mode
        self._lock = FileLock(
            f"{path}.lock",
            timeout=0,
            thread_local=False,
            fallback_to_soft=False,
            on_acquired=_write_process_id,
        )
        self._identity: tuple[int, int] | None = None
        super().__init__(
            str(path),
            self._engine("BEGIN", pool_size=5, max_overflow=25),
            # At once, so that a transaction never has to give up half-way because another came first.
            self._engine("BEGIN IMMEDIATE", pool_size=1, max_overflow=0),
        )

    @classmethod
    def to_write(cls, path: Path) -> Self:
        """Lock the file, make it if need be, and check that it is sound. Raises StoreUnavailable."""
        database = cls(path, "rw")
        try:
            database._take_lock()
            database._prepare()
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def to_read(cls, path: Path) -> Self:
        """Only look, also while a server writes."""
        if not path.exists():
            raise StoreUnavailable(
                f"There is no store at {path}: no server has kept anything there. Check FEDLOOM_HOME and "
                "--store."
            )
        # Where nothing can be written, SQLite cannot make its shared memory; without a log it needs none.
        fixed = not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()
        return cls(path, "ro&immutable=1" if fixed else "ro")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """As `Database.writing`, with a look at the file first."""
        self._check_in_place()
        with super().writing() as connection:
            yield connection

    def copy_to(self, path: Path) -> None:
        """Write all that is in it now into a file, whatever is written meanwhile. Raises StoreUnavailable."""
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(self._connect()) as source, closing(sqlite3.connect(path)) as target:
                source.backup(target)  # in one step, and so of one moment
        except OSError as error:
            raise files.explain(error, path) from error
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def close(self) -> None:
        """Let go of the file and its lock. The last to do so moves the write-ahead log into the file."""
        super().close()
        self._lock.release()

    def explain(self, error: DBAPIError) -> StoreUnavailable:
        """By SQLite's own code for what went wrong."""
        return (
            self._explain(error.orig) if isinstance(error.orig, sqlite3.Error) else self._broken(str(error))
        )

    # opening

    def _take_lock(self) -> None:
        try:
            files.make_folder(self._path.parent)
            self._lock.acquire()
        except Timeout:
            raise StoreInUse(
                f"Another FedLoom server{self._holder()} uses the store {self._path}. Two servers would "
                "spoil each other's runs. Stop the other one, or give this one a folder of its own with "
                "FEDLOOM_HOME."
            ) from None
        except OSError as error:
            raise files.explain(error, self._path.parent) from error

    def _holder(self) -> str:
        process = Path(self._lock.lock_file).read_text().strip()
        return f" (process {process})" if process else ""

    def _prepare(self) -> None:
        try:
            # The rights that SQLite gives to the files that it puts beside this one: it holds secrets.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            files.sync_folder(self._path.parent)
            status = self._path.stat()
        except OSError as error:
            raise files.explain(error, self._path) from error
        self._identity = (status.st_dev, status.st_ino)
        try:
            with closing(self._connect()) as connection:
                self._check_sound(connection)
                self._turn_on_log(connection)
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _check_sound(self, connection: sqlite3.Connection) -> None:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise self._damaged(found.splitlines()[-1])

    def _turn_on_log(self, connection: sqlite3.Connection) -> None:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StoreUnavailable(
                f"{self._path} cannot have a write-ahead log: its file system lacks what that takes, as "
                "network shares do. Choose a folder on a local disk with FEDLOOM_HOME, or use PostgreSQL."
            )

    # connections

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={self._mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,  # transactions begin as `_engine` says, not when the module thinks so
            check_same_thread=False,  # the pool gives a connection to one thread at a time
        )
        connection.text_factory = _text
        try:
            for setting in SETTINGS:
                connection.execute(f"PRAGMA {setting}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _engine(self, begin: str, **pool: int) -> Engine:
        engine = create_engine(
            "sqlite://", creator=self._connect, poolclass=QueuePool, **pool, **ENGINE_OPTIONS
        )

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def _check_in_place(self) -> None:
        """SQLite would go on to write into a file that was deleted, and say that all is well."""
        try:
            status = self._path.stat()
            identity = (status.st_dev, status.st_ino)
        except OSError:
            identity = None
        if self._identity is None or identity != self._identity:
            raise StoreUnavailable(
                f"{self._path} was deleted, moved or replaced while the server runs, so nothing can be kept. "
                "Put the file back, or start the server again with what is there now."
            )

    # words

    def _explain(self, error: sqlite3.Error) -> StoreUnavailable:
        code = getattr(error, "sqlite_errorname", "")
        match code.removeprefix("SQLITE_").partition("_")[0]:
            case "CANTOPEN" | "IOERR" if files.is_too_many_open():
                return files.too_many_open(self._path)
            case "NOMEM":
                return files.explain(OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), self._path)
            case "FULL":
                return files.disk_full(self._path)
            case "IOERR" | "CANTOPEN" if self._no_room():
                return files.disk_full(self._path)
            case "BUSY" | "LOCKED":
                return StoreUnavailable(
                    f"{self._path} is locked by another program, so nothing can be kept until that lets go. "
                    "Close whatever looks into the database or copies it."
                )
            case "READONLY" | "PERM" | "CANTOPEN" if self._mode != "rw":
                return StoreUnavailable(
                    f"{self._path} cannot be read here ({error}). Ask for it as the user of the server, or "
                    "copy it, with the file that ends in -wal, to a folder that you may write to."
                )
            case "READONLY" | "PERM" | "CANTOPEN":
                return files.not_writable(self._path, str(error))
            case "NOTADB":
                return StoreUnavailable(
                    f"{self._path} is not a database: the file holds something else. It was not changed. "
                    "Move it away to begin with an empty store, or choose another folder with FEDLOOM_HOME."
                )
            case "CORRUPT":
                return self._damaged(str(error))
        return self._broken(f"{error}, {code}" if code else str(error))

    def _damaged(self, detail: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"The database {self._path} is damaged ({detail}). It was not changed, and the checkpoints "
            "beside it are untouched. Put a backup in its place, save what is in it with sqlite3's .recover, "
            "or move it away to begin with an empty store."
        )

    def _broken(self, detail: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"The database {self._path} does not work ({detail}), so nothing can be kept. Check the disk "
            "that it is on."
        )

    def _no_room(self) -> bool:
        try:
            return shutil.disk_usage(self._path.parent).free < NO_ROOM
        except OSError:
            return False


def _text(stored: bytes) -> str:
    """Also where the disk, or another program, has put what is no UTF-8."""
    return stored.decode(errors="replace")


def _write_process_id(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
