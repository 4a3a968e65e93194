"""A store of every schema that there was, with something in each table, is brought up to date whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    create_engine,
    func,
    insert,
    select,
)

from app.store import schema
from app.store.store import Store
from app.store.urls import parse_url
from tests.support.old_store import COMPLETED, CUT, DATA, STOPPED, put_sqlite

REVISIONS = sorted(
    script.revision for script in ScriptDirectory.from_config(schema._config()).walk_revisions()
)


@pytest.fixture
def beside(store_url: str) -> Iterator[Engine]:
    """A way past the store into the database, which has all that version 0.1 had left in it."""
    parsed = parse_url(store_url)
    if parsed.drivername.startswith("sqlite"):
        put_sqlite(Path(str(parsed.database)).parent)
    else:
        with psycopg.connect(store_url) as connection:
            connection.execute((DATA / "postgresql.sql").read_bytes())
    engine = create_engine(parsed)
    yield engine
    engine.dispose()


def bring_to(connection: Connection, revision: str) -> None:
    config = schema._config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def fill_what_is_empty(connection: Connection) -> dict[str, dict[str, Any]]:
    """Put a row into each table that has none; returns them."""
    tables = MetaData()
    tables.reflect(connection)
    made = {}
    for table in tables.sorted_tables:
        if connection.scalar(select(func.count()).select_from(table)) == 0:
            made[table.name] = {column.name: value_for(column) for column in table.columns}
            connection.execute(insert(table), made[table.name])
    return made


def value_for(column: Column[Any]) -> Any:
    match column.type:
        case JSON():
            return {"some": [1, 2.5, "ü"]}
        case Boolean():
            return True
        case Integer():
            return 7
        case Float():
            return 1.25
        case LargeBinary():
            return b"\0\xff"
    return f"some {column.name}"


def row_in(connection: Connection, name: str) -> dict[str, Any]:
    (row,) = connection.execute(select(Table(name, MetaData(), autoload_with=connection))).mappings()
    return dict(row)


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_was_in_it_is_there(store_url: str, beside: Engine, revision: str) -> None:
    with beside.begin() as connection:
        bring_to(connection, revision)
        made = fill_what_is_empty(connection)
    made.pop("members", None)  # from 0005 on; before, those are made of clients whose keys were known

    with Store.open(store_url) as store:
        runs = {run.id: str(run.state) for run in store.runs()}
        rounds = store.rounds(COMPLETED)
        clients = {client.id for client in store.clients()}

    assert runs == {COMPLETED: "completed", STOPPED: "stopped", CUT: "running"}
    assert [round_.round for round_ in rounds] == [0, 1, 2, 3]
    assert all(round_.unreadable is None for round_ in rounds)
    assert all(round_.accuracy is not None for round_ in rounds)
    assert {"client-1", "client-2"} <= clients
    with beside.connect() as connection:
        for name, row in made.items():
            assert row_in(connection, name).items() >= row.items(), name
        assert schema.require_store(connection, "store") == REVISIONS[-1]
