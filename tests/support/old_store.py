"""The store of version 0.1 that lies in `tests/data/store-0.1`, with what must still be in it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from app.store.urls import FILE_NAME
from tests.support.postgres import PostgresServer
from tests.support.processes import ROOT

DATA = ROOT / "tests/data/store-0.1"

COMPLETED, STOPPED, CUT = "75da4da2", "4190e0e2", "2bdab92d"
"""Its runs."""

CUT_AFTER = 2
"""The round of which the last one has its newest checkpoint."""


def put_sqlite(home: Path) -> Path:
    """Lay the database and its checkpoints into a server's folder; returns the database's file."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    put_checkpoints(home)
    path = home / FILE_NAME
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript((DATA / "sqlite.sql").read_text(encoding="utf-8"))
    path.chmod(0o600)
    return path


def put_postgresql(server: PostgresServer) -> str:
    """Make a database of it; returns its URL."""
    url = server.new_database()
    with server.connect(url.rpartition("/")[2]) as connection:
        connection.execute((DATA / "postgresql.sql").read_text(encoding="utf-8").encode())
    return url


def put_checkpoints(home: Path) -> None:
    """Those of the database, where a server looks for them."""
    shutil.copytree(DATA / "checkpoints", home / "checkpoints")


def rows(database: Path, table: str) -> list[tuple[object, ...]]:
    """All that is in a table of an SQLite file."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()


def schema_of(database: Path) -> str:
    """The migration that it has reached."""
    with closing(sqlite3.connect(database)) as connection:
        (version,) = connection.execute("SELECT version_num FROM fedloom_version").fetchone()
        return str(version)
