"""PostgreSQL, for more than one machine: the one connection that writes holds the lock of the store."""

from __future__ import annotations

from typing import Any, Self

import psycopg
from sqlalchemy import URL, create_engine, event
from sqlalchemy.exc import DBAPIError

from app.store import files
from app.store.database import ENGINE_OPTIONS, Database
from shared.errors import StoreInUse, StoreUnavailable

LOCK_TIMEOUT_S = 5
"""How long to wait for the lock: PostgreSQL may take a moment to notice that a server was killed."""

CONNECT_DEFAULTS = {
    "application_name": "fedloom",
    "connect_timeout": "10",
    # A connection that is dead without a word is found out within some 25 seconds.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}

PREPARE_WRITER = (
    # Whatever the database's own settings: a commit returns when it is on the disk.
    "SET synchronous_commit = on",
    # So that the server's end, too, finds out about a dead connection, and lets go of the lock.
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'",
    "SELECT pg_advisory_lock(hashtextextended('fedloom in ' || coalesce(current_schema(), ''), 0))",
)

HINTS = (
    ("password authentication failed", "Check user and password in the store's URL."),
    ("no password supplied", "Give the password in the store's URL, or in PGPASSWORD."),
    ("does not exist", "Create it (createuser, createdb), or correct the store's URL."),
    ("Connection refused", "Start PostgreSQL, or correct host and port in the store's URL."),
    ("resolve host", "Correct the host in the store's URL."),
    ("No such file or directory", "Start PostgreSQL, or name its host in the store's URL."),
    ("timeout expired", "Check that PostgreSQL runs there, and that no firewall is in between."),
)


class PostgresDatabase(Database):
    """Made by `to_write` or `to_read`."""

    def __init__(self, url: URL) -> None:
        shown = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
        defaults = {key: value for key, value in CONNECT_DEFAULTS.items() if key not in url.query}
        options: dict[str, Any] = {"connect_args": defaults, **ENGINE_OPTIONS}
        reads = create_engine(
            url,
            isolation_level="REPEATABLE READ",
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=25,
            execution_options={"postgresql_readonly": True},
            **options,
        )
        writes = create_engine(url, pool_size=1, max_overflow=0, **options)
        event.listen(writes, "connect", self._take_lock)
        super().__init__(shown.render_as_string(), reads, writes)

    @classmethod
    def to_write(cls, url: URL) -> Self:
        """Connect and take the lock of the store. Raises StoreUnavailable."""
        database = cls(url)
        try:
            with database.writing():
                pass
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def to_read(cls, url: URL) -> Self:
        """Only look, also while a server writes."""
        return cls(url)

    def explain(self, error: DBAPIError) -> StoreUnavailable:
        """PostgreSQL's own words, and what to do."""
        if isinstance(error.orig, psycopg.errors.DiskFull):
            return StoreUnavailable(
                f"The disk of {self.name} is full, so nothing new can be kept. What was kept before is still "
                "there. Free some space on it."
            )
        if files.is_too_many_open():
            return files.too_many_open(self.name)
        said = " ".join(str(error.orig).split())
        hint = next(
            (hint for sign, hint in HINTS if sign in said), "Check that PostgreSQL is up and in order."
        )
        return StoreUnavailable(f"{self.name} cannot be used ({said}), so nothing can be kept. {hint}")

    def _take_lock(self, connection: psycopg.Connection, _record: object) -> None:
        """Each new connection that writes must get the lock first: it may have been lost with the one before,
        and another server may have taken over."""
        try:
            for statement in PREPARE_WRITER:
                connection.execute(statement)
            connection.commit()
        except psycopg.errors.LockNotAvailable:
            connection.close()
            raise StoreInUse(
                f"Another FedLoom server uses the store {self.name}. Two servers would spoil each other's "
                "runs. Stop the other one, or give this one a database of its own with --store."
            ) from None
        except BaseException:
            connection.close()
            raise
