"""Statements on many rows at once, as both databases take them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Table, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

from app.store.salvage import Row


def upsert(connection: Connection, table: Table, rows: Sequence[Row], *, keep: Collection[str] = ()) -> None:
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


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert those rows whose key is not there yet."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Both databases have the same `ON CONFLICT`; only SQLAlchemy's classes differ."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def delete_rows(connection: Connection, table: Table, keys: Sequence[Row]) -> None:
    """Delete the rows that have the values of one of `keys`, all with the same columns."""
    if keys:
        # The names of parameters must differ from those of columns.
        wanted = [table.c[name] == bindparam(f"{name}_") for name in keys[0]]
        given = [{f"{name}_": value for name, value in key.items()} for key in keys]
        connection.execute(delete(table).where(*wanted), given)
