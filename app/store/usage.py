"""UsageStore: what nodes used of their machines, minute by minute, for a day."""

from __future__ import annotations

import threading

from pydantic import ValidationError
from sqlalchemy import delete, select

from app.records import Usage
from app.store import rows
from app.store.database import Database
from app.store.models import UsageMinuteRow
from app.store.statements import upsert
from app.usage.minutes import MinuteMean

MINUTES = rows.table_of(UsageMinuteRow)

SERVER = ""
"""The node that is no client: no client's id is empty."""


class UsageStore:
    """Of one store. Safe from any thread; all methods raise StoreUnavailable."""

    def __init__(self, database: Database, turn: threading.Lock) -> None:
        """`turn`: held while something is written."""
        self._database = database
        self._turn = turn

    def keep(self, minutes: list[MinuteMean], oldest: int) -> None:
        """Keep these, and nothing that is older than minute `oldest`."""
        made = [
            {
                "node": minute.node or SERVER,
                "minute": minute.minute,
                "usage": minute.usage.model_dump(mode="json"),
            }
            for minute in minutes
        ]
        with self._turn, self._database.writing() as connection:
            upsert(connection, MINUTES, made)
            connection.execute(delete(MINUTES).where(MINUTES.c.minute < oldest))

    def forget(self, node: str | None) -> None:
        """Keep none of a node."""
        with self._turn, self._database.writing() as connection:
            connection.execute(delete(MINUTES).where(MINUTES.c.node == (node or SERVER)))

    def between(self, first: int, last: int) -> list[MinuteMean]:
        """Those from one minute to another, oldest first; those that cannot be read are left out."""
        wanted = select(MINUTES).where(MINUTES.c.minute.between(first, last)).order_by(MINUTES.c.minute)
        found = []
        with self._database.reading() as connection:
            for row in connection.execute(wanted).mappings():
                try:
                    usage = Usage.model_validate(row["usage"])
                except ValidationError:
                    continue
                found.append(MinuteMean(row["node"] or None, row["minute"], usage))
        return found
