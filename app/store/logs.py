"""The log as it is kept: which lines there are, how many, and where one stands among them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, or_, select

from app.records import LOG_KINDS, PRINTED, LogCounts, LogEntry, LogFilter, RunPeriod
from app.store import rows
from app.store.database import Database
from app.store.models import LogRow

LOGS = rows.table_of(LogRow)

_KIND = case((and_(LOGS.c.logger == PRINTED, LOGS.c.level == "info"), "printed"), else_=LOGS.c.level)

CHUNK = 2_000
"""Lines that are deleted in one transaction: what happens meanwhile waits for it."""


@dataclass(frozen=True)
class LogPlace:
    """Where a line stands: how many of those that are looked for are older, and the line itself."""

    index: int
    entry: LogEntry


class LogReader:
    """Of one store. Any thread may ask; all methods raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, wanted: LogFilter, limit: int, *, before: int | None = None) -> list[LogEntry]:
        """The newest `limit` of the wanted lines, oldest first: of those with a number below `before`."""
        found = _of(wanted).order_by(LOGS.c.seq.desc()).limit(limit)
        if before is not None:
            found = found.where(LOGS.c.seq < before)
        return self._read(found)[::-1]

    def oldest(self, wanted: LogFilter, limit: int, *, after: int = 0, skip: int = 0) -> list[LogEntry]:
        """The oldest `limit` of the wanted lines with a number above `after`, without the first `skip`."""
        found = _of(wanted).where(LOGS.c.seq > after).order_by(LOGS.c.seq).limit(limit)
        return self._read(found.offset(skip) if skip else found)

    def counts(self, wanted: LogFilter) -> LogCounts:
        """How many there are of each kind, whichever kinds are wanted."""
        kind = _KIND.label("kind")
        numbers = func.count(), func.min(LOGS.c.seq), func.max(LOGS.c.seq)
        grouped = select(kind, *numbers).where(*_conditions(wanted, any_kind=True)).group_by(kind)
        with self._database.reading() as connection:
            found = connection.execute(grouped).all()
        known = {name: number for name, number, *_ in found if name in LOG_KINDS}
        first = min((oldest for _, _, oldest, _ in found), default=0)
        return LogCounts(first=first, last=max((newest for *_, newest in found), default=0), **known)

    def place(self, wanted: LogFilter, *, seq: int = 0, time: float | None = None) -> LogPlace | None:
        """The first of the wanted lines with at least this number, from this time (Unix seconds) on, or else
        the last of all; None: there is none."""
        from_here = _of(wanted).where(LOGS.c.seq >= seq).order_by(LOGS.c.seq).limit(1)
        if time is not None:
            from_here = from_here.where(LOGS.c.time >= time)
        last = _of(wanted).order_by(LOGS.c.seq.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(from_here).mappings().first()
            row = row or connection.execute(last).mappings().first()
            if row is None:
                return None
            older = select(func.count()).where(*_conditions(wanted), LOGS.c.seq < row["seq"])
            return LogPlace(connection.scalar(older) or 0, rows.to_log_entry(row))

    def _read(self, wanted: Select[Any]) -> list[LogEntry]:
        with self._database.reading() as connection:
            return [rows.to_log_entry(row) for row in connection.execute(wanted).mappings()]


class LogStore:
    """Keeps the log within bounds. Safe from any thread; all methods raise StoreUnavailable."""

    def __init__(self, database: Database, turn: threading.Lock) -> None:
        """`turn`: held while something is written."""
        self._database = database
        self._turn = turn

    def forget_older(self, time: float) -> int:
        """Forget lines from before this time (Unix seconds). Returns how many."""
        old = select(LOGS.c.seq).where(LOGS.c.time < time).limit(CHUNK)
        forgotten = 0
        while step := self._forget(old):
            forgotten += step
        return forgotten

    def forget_beyond(self, most: int) -> int:
        """Forget lines until all together take at most `most` (characters, as in `LogRow.size`): always the
        oldest of whoever has written most, so that nobody drives out the others' lines. Returns how many."""
        forgotten = 0
        while (source := self._largest_beyond(most)) is not None:
            oldest = select(LOGS.c.seq).where(LOGS.c.source == source).order_by(LOGS.c.seq).limit(CHUNK)
            step = self._forget(oldest)
            if step == 0:
                break  # what is left is the newest line
            forgotten += step
        return forgotten

    def _largest_beyond(self, most: int) -> str | None:
        """Who has written most, if all have written more than `most` together."""
        total = func.sum(LOGS.c.size).label("total")
        by_source = select(LOGS.c.source, total).group_by(LOGS.c.source)
        with self._database.reading() as connection:
            found: list[tuple[int, str]] = [
                (int(size), source) for source, size in connection.execute(by_source)
            ]
        if sum(size for size, _ in found) <= most:
            return None
        return max(found)[1]

    def _forget(self, wanted: Select[tuple[int]]) -> int:
        """Forget these, but for the newest line of all: numbers go on from it when the server starts."""
        with self._turn, self._database.writing() as connection:
            newest = select(func.max(LOGS.c.seq)).scalar_subquery()
            seqs = list(connection.scalars(wanted.where(LOGS.c.seq < newest)))
            if seqs:
                connection.execute(delete(LOGS).where(LOGS.c.seq.in_(seqs)))
            return len(seqs)


def _of(wanted: LogFilter) -> Select[Any]:
    return select(LOGS).where(*_conditions(wanted))


def _conditions(wanted: LogFilter, *, any_kind: bool = False) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.kinds and not any_kind:
        levels = {"info" if kind == "printed" else kind for kind in wanted.kinds}
        conditions.append(LOGS.c.level.in_(sorted(levels)))  # has an index, unlike the next one
        if ("info" in wanted.kinds) != ("printed" in wanted.kinds):
            conditions.append(_KIND.in_(sorted(wanted.kinds)))
    if wanted.source is not None:
        conditions.append(LOGS.c.source == wanted.source)
    if wanted.run is not None:
        conditions.append(_while_it_ran(wanted.run))
    if wanted.since is not None:
        conditions.append(LOGS.c.time > wanted.since)
    if wanted.text:
        columns = (LOGS.c.message, LOGS.c.traceback, LOGS.c.logger)
        conditions.append(or_(*(column.icontains(wanted.text, autoescape=True) for column in columns)))
    return conditions


def _while_it_ran(run: RunPeriod) -> ColumnElement[bool]:
    """Lines of a run, and those of no run between two times."""
    of_no_run = and_(LOGS.c.run_id.is_(None), LOGS.c.time >= run.since)
    if run.until is not None:
        of_no_run = and_(of_no_run, LOGS.c.time <= run.until)
    return or_(LOGS.c.run_id == run.run_id, of_no_run)
