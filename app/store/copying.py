"""A whole database in one SQLite file, as it was at one moment, and from there into an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, func, insert, select

from app.store.database import Database
from app.store.models import Base
from app.store.postgresql import PostgresDatabase
from app.store.schema import require_current, require_store, upgrade
from app.store.sqlite import SqliteDatabase
from app.store.urls import parse_url
from shared.errors import StoreUnavailable

Opened = TypeVar("Opened", bound=Database)

ROWS_AT_ONCE = 1000


def copy_to_file(url: str, path: Path) -> None:
    """Write all of a store into an SQLite file that is not there yet, also while a server writes.

    Raises StoreUnavailable, and SettingsInvalid for a URL that names no store.
    """
    parsed = parse_url(url)
    if parsed.drivername.startswith("sqlite"):
        with _closing(SqliteDatabase.to_read(Path(str(parsed.database)))) as source:
            with source.reading() as connection:
                require_store(connection, source.name)
            source.copy_to(path)
        return
    with _closing(PostgresDatabase.to_read(parsed)) as server, server.reading() as connection:
        require_current(connection, server.name)
        with _closing(SqliteDatabase.to_write(path)) as target, target.writing() as writing:
            upgrade(writing, target.name)
            _copy_rows(connection, writing)


def copy_from_file(path: Path, url: str) -> None:
    """Bring all that is in such a file into the store at `url`, which must be empty: all of it, or nothing.

    Raises StoreUnavailable, and SettingsInvalid for a URL that names no PostgreSQL database.
    """
    with _closing(PostgresDatabase.to_write(parse_url(url))) as target, target.writing() as writing:
        upgrade(writing, target.name)
        if filled := _filled(writing):
            raise StoreUnavailable(
                f"{target.name} is not empty ({', '.join(filled)} hold something), so nothing was restored "
                "into it. Give the backup a database of its own."
            )
        with _closing(SqliteDatabase.to_read(path)) as source, source.reading() as connection:
            require_current(connection, source.name)
            _copy_rows(connection, writing)


def bring_up_to_date(path: Path) -> None:
    """Check that an SQLite file is sound, and bring it to this version's schema. Raises StoreUnavailable."""
    with _closing(SqliteDatabase.to_write(path)) as database, database.writing() as connection:
        require_store(connection, database.name)
        upgrade(connection, database.name)


def _copy_rows(source: Connection, target: Connection) -> None:
    for table in Base.metadata.sorted_tables:  # runs before their rounds
        rows = source.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).mappings()
        for some in rows.partitions():
            target.execute(insert(table), [dict(row) for row in some])


def _filled(connection: Connection) -> list[str]:
    """Tables in which there is something."""
    counts = {
        table.name: connection.scalar(select(func.count()).select_from(table))
        for table in Base.metadata.sorted_tables
    }
    return [name for name, count in counts.items() if count]


@contextmanager
def _closing(database: Opened) -> Iterator[Opened]:
    try:
        yield database
    finally:
        database.close()
