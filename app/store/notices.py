"""NoticeStore: notices that have not arrived yet, so that they outlast the server."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from pydantic import ValidationError
from sqlalchemy import delete, select

from app.records.notices import Notice
from app.store import rows
from app.store.database import Database
from app.store.models import NoticeRow
from app.store.statements import upsert

NOTICES = rows.table_of(NoticeRow)


class NoticeStore:
    """Of one store. Safe from any thread; all methods raise StoreUnavailable."""

    def __init__(self, database: Database, turn: threading.Lock) -> None:
        """`turn`: held while something is written."""
        self._database = database
        self._turn = turn

    def keep(self, notice: Notice) -> None:
        """Until it is forgotten."""
        row = {"id": notice.id, "time": notice.time, "notice": notice.model_dump(mode="json")}
        with self._turn, self._database.writing() as connection:
            upsert(connection, NOTICES, [row])

    def forget(self, notice_ids: Iterable[str]) -> None:
        """They have arrived, or are given up."""
        with self._turn, self._database.writing() as connection:
            connection.execute(delete(NOTICES).where(NOTICES.c.id.in_(list(notice_ids))))

    def all(self) -> list[Notice]:
        """Oldest first; those that this version cannot read are left out."""
        found = []
        with self._database.reading() as connection:
            for row in connection.execute(select(NOTICES).order_by(NOTICES.c.time)).mappings():
                try:
                    found.append(Notice.model_validate(row["notice"]))
                except ValidationError:
                    continue
        return found
