"""Store: keeps what happens. The database has all of a batch or nothing of it, also after a power cut."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, delete, insert, select, update

from app.events import Event
from app.store.accounts import AccountStore
from app.store.audit import NOTHING_NEW, AuditBatch, make_log_id, write_audit
from app.store.changes import Changes, Known, changes_of
from app.store.database import Database
from app.store.enrolment import EnrolmentStore
from app.store.logs import LOGS, LogStore
from app.store.notices import NoticeStore
from app.store.postgresql import PostgresDatabase
from app.store.reader import (
    CLIENT_LABELS,
    CLIENT_ROUNDS,
    CLIENTS,
    EVENTS,
    INTERNALS,
    ROUNDS,
    RUN_CLIENTS,
    RUNS,
    VERDICTS,
    StoreReader,
)
from app.store.schema import upgrade
from app.store.sqlite import SqliteDatabase
from app.store.statements import delete_rows, insert_new, upsert
from app.store.urls import parse_url
from app.store.usage import UsageStore

SECRET_BYTES = 32


class Store(StoreReader):
    """The store of one server, which no other server can open meanwhile. Safe from any thread."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._turn = threading.Lock()
        self._known = Known()
        self.enrolment = EnrolmentStore(database, self._turn)
        self.accounts = AccountStore(database, self._turn)
        self.usage = UsageStore(database, self._turn)
        self.log = LogStore(database, self._turn)
        self.notices = NoticeStore(database, self._turn)

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

    def apply(self, events: Sequence[Event], audit: AuditBatch = NOTHING_NEW) -> None:
        """Keep what events tell, and the entries of the audit log that belong to them, in one transaction:
        when this returns, it is on the disk.

        Doing it twice is the same as doing it once. Raises StoreUnavailable when the database cannot keep it
        now; any other exception means that it refuses a value, now and later. Nothing was kept then.
        """
        with self._turn:
            changes = changes_of(events, self._known)
            if changes or audit:
                try:
                    with self._database.writing() as connection:
                        _write(connection, changes)
                        write_audit(connection, audit)
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

    def audit_log_id(self) -> bytes:
        """What tells the audit log of this store from every other; kept before it is returned."""
        with self._turn, self._database.writing() as connection:
            return make_log_id(connection)

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
    upsert(connection, RUNS, changes.runs, keep=["added_seq"])
    _make_internals(connection, [row["id"] for row in changes.runs])
    upsert(connection, ROUNDS, changes.rounds)
    delete_rows(connection, CLIENT_ROUNDS, changes.begun_rounds)
    delete_rows(connection, CLIENT_ROUNDS, changes.gone_client_rounds)
    upsert(connection, CLIENT_ROUNDS, changes.client_rounds)
    delete_rows(connection, CLIENTS, changes.gone_clients)
    upsert(connection, CLIENTS, changes.clients)
    upsert(connection, CLIENT_LABELS, changes.labels)
    insert_new(connection, EVENTS, changes.events)
    insert_new(connection, LOGS, changes.logs)
    insert_new(connection, VERDICTS, changes.verdicts)
    _delete_runs(connection, changes.gone_runs)


def _delete_runs(connection: Connection, run_ids: Sequence[str]) -> None:
    """All that is of these runs but the verdicts: by their numbers a reply is known that comes again."""
    for table in (EVENTS, LOGS, CLIENT_LABELS, RUN_CLIENTS, INTERNALS):
        delete_rows(connection, table, [{"run_id": run_id} for run_id in run_ids])
    delete_rows(connection, RUNS, [{"id": run_id} for run_id in run_ids])  # with its rounds


def _make_internals(connection: Connection, run_ids: Sequence[str]) -> None:
    """Give a secret to those runs that have none."""
    made = [
        {"run_id": run_id, "secret": secrets.token_bytes(SECRET_BYTES), "num_partitions": None}
        for run_id in run_ids
    ]
    insert_new(connection, INTERNALS, made)
