"""AccountStore: users of the page, their sessions, and tokens, as rows. Secrets come here hashed already."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TypeVar

from sqlalchemy import Row, Table, delete, insert, select

from app.account_records import Role, Session, Token, User
from app.store.database import Database
from app.store.models import SessionRow, TokenRow, UserRow
from app.store.rows import table_of

USERS = table_of(UserRow)
SESSIONS = table_of(SessionRow)
TOKENS = table_of(TokenRow)

T = TypeVar("T")
Kept = User | Session | Token

log = logging.getLogger(__name__)


class AccountStore:
    """Safe from any thread. All methods raise StoreUnavailable when the database fails."""

    def __init__(self, database: Database, turn: threading.Lock) -> None:
        """`turn`: held by whoever writes."""
        self._database = database
        self._turn = turn

    def users(self) -> list[User]:
        """All that are kept."""
        return self._read(USERS, lambda row: User(**{**row._mapping, "role": Role(row.role)}))

    def sessions(self) -> list[Session]:
        """All that are kept, also those that have expired."""
        return self._read(SESSIONS, lambda row: Session(**row._mapping))

    def tokens(self) -> list[Token]:
        """All that are kept, also those that have expired."""
        return self._read(TOKENS, lambda row: Token(**{**row._mapping, "role": Role(row.role)}))

    def put(self, *records: Kept) -> None:
        """Keep records, in place of those of the same name or id."""
        self._write((), records)

    def remove(self, *records: Kept) -> None:
        """Forget records."""
        self._write(records, ())

    def replace(self, gone: Iterable[Kept], new: Iterable[Kept]) -> None:
        """Forget some and keep others, all or nothing of it."""
        self._write(gone, new)

    def _write(self, gone: Iterable[Kept], new: Iterable[Kept]) -> None:
        with self._turn, self._database.writing() as connection:
            for record in (*gone, *new):
                table, key = _place_of(record)
                connection.execute(delete(table).where(next(iter(table.primary_key)) == key))
            for record in new:
                connection.execute(insert(_place_of(record)[0]).values(**asdict(record)))

    def _read(self, table: Table, to_record: Callable[[Row[tuple[object, ...]]], T]) -> list[T]:
        records = []
        with self._database.reading() as connection:
            for row in connection.execute(select(table)):
                try:
                    records.append(to_record(row))
                except ValueError:
                    log.warning("a row of %s cannot be read, and lets nobody in", table.name)
        return records


def _place_of(record: Kept) -> tuple[Table, str]:
    """The table of a record, and its key there."""
    match record:
        case User():
            return USERS, record.name
        case Session():
            return SESSIONS, record.id
        case Token():
            return TOKENS, record.id
