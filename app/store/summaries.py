"""RunSummaries: of many runs at once, what can be told without their clients' parts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

from sqlalchemy import func, null, select

from app.records import Round, Verdict
from app.store import rows
from app.store.database import Database
from app.store.models import RoundRow, VerdictRow

ROUNDS = rows.table_of(RoundRow)
VERDICTS = rows.table_of(VerdictRow)

LARGE = frozenset({"class_accuracy", "confusion"})
"""Columns of a round that take longer to read than all others together."""


class RunSummaries:
    """Any thread may ask. All methods raise StoreUnavailable, in words, when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def received(self, run_ids: Collection[str]) -> dict[str, int]:
        """How many bytes of replies came from the clients of each of these runs; 0 is left out."""
        wanted = select(VERDICTS.c.run_id, func.sum(VERDICTS.c.bytes)).where(VERDICTS.c.run_id.in_(run_ids))
        with self._database.reading() as connection:
            found = connection.execute(wanted.group_by(VERDICTS.c.run_id)).all()
        return {run_id: int(size) for run_id, size in found if size}

    def received_of_all(self) -> dict[str, int]:
        """The same of every run. It reads an index alone, of which each reply is an entry."""
        wanted = select(VERDICTS.c.run_id, func.sum(VERDICTS.c.bytes)).group_by(VERDICTS.c.run_id)
        with self._database.reading() as connection:
            return {run_id: int(size) for run_id, size in connection.execute(wanted) if run_id and size}

    def rounds(self, run_ids: Collection[str]) -> dict[str, list[Round]]:
        """The complete rounds of each run in order, without their clients, classes and confusion."""
        columns = [null().label(each.name) if each.name in LARGE else each for each in ROUNDS.c]
        wanted = select(*columns).where(ROUNDS.c.run_id.in_(run_ids), ROUNDS.c.complete)
        found: dict[str, list[Round]] = {run_id: [] for run_id in run_ids}
        with self._database.reading() as connection:
            for row in connection.execute(wanted.order_by(ROUNDS.c.run_id, ROUNDS.c.round)).mappings():
                found[row["run_id"]].append(rows.to_round(row, {}))
        return found

    def verdicts(self, run_id: str) -> dict[str, Counter[Verdict]]:
        """How many replies of each client of a run got each verdict."""
        wanted = (
            select(VERDICTS.c.client_id, VERDICTS.c.verdict, func.count())
            .where(VERDICTS.c.run_id == run_id)
            .group_by(VERDICTS.c.client_id, VERDICTS.c.verdict)
            .order_by(VERDICTS.c.client_id)
        )
        found: dict[str, Counter[Verdict]] = defaultdict(Counter)
        with self._database.reading() as connection:
            for client_id, name, count in connection.execute(wanted):
                if name in set(Verdict):  # or it is by another version
                    found[client_id][Verdict(name)] = count
        return dict(found)
