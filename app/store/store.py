"""Store: keeps what happens. The database has all of a batch or nothing of it, also after a power cut."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.events import Event
from app.store.accounts import AccountStore
from app.store.changes import Changes, Known, changes_of
from app.store.database import Database
from app.store.postgresql import PostgresDatabase
from app.store.reader import (
    CLIENT_ROUNDS,
    CLIENTS,
    EVENTS,
    INTERNALS,
    LOGS,
    ROUNDS,
    RUN_CLIENTS,
    RUNS,
    StoreReader,
)
from app.store.salvage import Row
from app.store.schema import upgrade
from app.store.sqlite import SqliteDatabase
from app.store.urls import parse_url

SECRET_BYTES = 32


class Store(StoreReader):
    """The store of one server, which no other server can open meanwhile. Safe from any thread."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._turn = threading.Lock()
        self._known = Known()
        self.accounts = AccountStore(database, self._turn)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a store, make it if it is not there, and bring it to this version's schema.

        Raises StoreUnavailable with what happened, what it means and what to do: no right to write, a disk
        that is full, a file that is damaged or no database, another server that uses it, a newer schema,
        PostgreSQL that cannot be reached. Raises SettingsInvalid for a URL that names no store.
        """
        parsed = parse_url(url)
        database: Database = (
            SqliteDatabase.to_write(Path(str(parsed.database)))
            if parsed.drivername.startswith("sqlite")
            else PostgresDatabase.to_write(parsed)
        )
        try:
            with database.writing() as connection:
                upgrade(connection, database.name)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def apply(self, events: Sequence[Event]) -> None:
        """Keep what events tell, in one transaction: when this returns, it is on the disk.

        Doing it twice is the same as doing it once. Raises StoreUnavailable when the database cannot keep it
        now; any other exception means that it refuses a value, now and later. Nothing was kept then.
        """
        with self._turn:
            changes = changes_of(events, self._known)
            if changes:
                try:
                    with self._database.writing() as connection:
                        _write(connection, changes)
                except BaseException:
                    self._known.forget_rows()  # a lost connection leaves it open whether all was kept
                    raise
            self._known.add(changes.known)

    def save_parts(self, run_id: str, parts: Mapping[str, int], num_partitions: int) -> None:
        """Keep which part of the data each client of a run has got, in place of what was kept before."""
        with self._turn, self._database.writing() as connection:
            _make_internals(connection, [run_id])
            connection.execute(
                update(INTERNALS).where(INTERNALS.c.run_id == run_id).values(num_partitions=num_partitions)
            )
            connection.execute(delete(RUN_CLIENTS).where(RUN_CLIENTS.c.run_id == run_id))
            if parts:
                given = [
                    {"run_id": run_id, "client_id": client_id, "partition": part}
                    for client_id, part in parts.items()
                ]
                connection.execute(insert(RUN_CLIENTS), given)

    def secret(self, run_id: str) -> bytes:
        """32 random bytes that belong to a run and never leave the server; kept before they are returned."""
        wanted = select(INTERNALS.c.secret).where(INTERNALS.c.run_id == run_id)
        with self._database.reading() as connection:
            known: bytes | None = connection.scalar(wanted)
        if known is not None:
            return known
        with self._turn, self._database.writing() as connection:
            _make_internals(connection, [run_id])
            made: bytes = connection.execute(wanted).scalar_one()
            return made


def _write(connection: Connection, changes: Changes) -> None:
    _upsert(connection, RUNS, changes.runs, keep=["added_seq"])
    _make_internals(connection, [row["id"] for row in changes.runs])
    _upsert(connection, ROUNDS, changes.rounds)
    _delete(connection, CLIENT_ROUNDS, changes.begun_rounds)
    _delete(connection, CLIENT_ROUNDS, changes.gone_client_rounds)
    _upsert(connection, CLIENT_ROUNDS, changes.client_rounds)
    _upsert(connection, CLIENTS, changes.clients)
    _insert_new(connection, EVENTS, changes.events)
    _insert_new(connection, LOGS, changes.logs)


def _make_internals(connection: Connection, run_ids: Sequence[str]) -> None:
    """Give a secret to those runs that have none."""
    made = [
        {"run_id": run_id, "secret": secrets.token_bytes(SECRET_BYTES), "num_partitions": None}
        for run_id in run_ids
    ]
    _insert_new(connection, INTERNALS, made)


def _upsert(connection: Connection, table: Table, rows: Sequence[Row], *, keep: Collection[str] = ()) -> None:
    """Insert rows, or replace those with the same key, all but the columns in `keep`."""
    if not rows:
        return
    statement = _insert(connection, table)
    replaced = {
        column.name: column
        for column in statement.excluded
        if column.name not in keep and not table.c[column.name].primary_key
    }
    key = [column.name for column in table.primary_key]
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=replaced), rows)


def _insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert those rows whose key is not there yet."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Both databases have the same `ON CONFLICT`; only SQLAlchemy's classes differ."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _delete(connection: Connection, table: Table, keys: Sequence[Row]) -> None:
    """Delete the rows that have the values of one of `keys`, all with the same columns."""
    if keys:
        # The names of parameters must differ from those of columns.
        wanted = [table.c[name] == bindparam(f"{name}_") for name in keys[0]]
        given = [{f"{name}_": value for name, value in key.items()} for key in keys]
        connection.execute(delete(table).where(*wanted), given)
