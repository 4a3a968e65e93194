"""Statements on many rows at once, as both databases take them. Each is put together once, which takes
about half as long as to carry it out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from sqlalchemy import Connection, Insert, Table, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

from app.store.salvage import Row


def upsert(connection: Connection, table: Table, rows: Sequence[Row], *, keep: Collection[str] = ()) -> None:
    """Insert rows, or replace those with the same key, all but the columns in `keep`."""
    if rows:
        connection.execute(_upserting(connection.dialect.name, table, frozenset(keep)), rows)


def insert_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert those rows whose key is not there yet."""
    if rows:
        connection.execute(_inserting(connection.dialect.name, table), rows)


@lru_cache
def _upserting(dialect: str, table: Table, keep: frozenset[str]) -> Insert:
    statement = _insert(dialect, table)
    replaced = {
        column.name: column
        for column in statement.excluded
        if column.name not in keep and not table.c[column.name].primary_key
    }
    key = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(index_elements=key, set_=replaced)


@lru_cache
def _inserting(dialect: str, table: Table) -> Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Both databases have the same `ON CONFLICT`; only SQLAlchemy's classes differ."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def delete_rows(connection: Connection, table: Table, keys: Sequence[Row]) -> None:
    """Delete the rows that have the values of one of `keys`, all with the same columns."""
    if keys:
        # The names of parameters must differ from those of columns.
        wanted = [table.c[name] == bindparam(f"{name}_") for name in keys[0]]
        given = [{f"{name}_": value for name, value in key.items()} for key in keys]
        connection.execute(delete(table).where(*wanted), given)
