"""StoreReader: what is kept, as records. Any thread may ask."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any, Self

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from app.records import (
    FEW_CLIENTS,
    LOG_LEVELS,
    SPREAD_OF,
    Client,
    ClientRound,
    LogEntry,
    LogLevel,
    Record,
    Round,
    Run,
    Spread,
    Verdict,
    VerdictEntry,
    numbers_of,
    spreads,
)
from app.store import rows
from app.store.audit import AuditReader
from app.store.database import Database
from app.store.logs import LOGS, LogReader
from app.store.models import (
    ClientLabelsRow,
    ClientRoundRow,
    ClientRow,
    EventRow,
    RoundRow,
    RunClientRow,
    RunInternalsRow,
    RunRow,
    VerdictRow,
)
from app.store.postgresql import PostgresDatabase
from app.store.salvage import salvage
from app.store.schema import require_current
from app.store.sqlite import SqliteDatabase
from app.store.summaries import RunSummaries
from app.store.urls import parse_url

RUNS = rows.table_of(RunRow)
INTERNALS = rows.table_of(RunInternalsRow)
RUN_CLIENTS = rows.table_of(RunClientRow)
CLIENT_LABELS = rows.table_of(ClientLabelsRow)
ROUNDS = rows.table_of(RoundRow)
CLIENT_ROUNDS = rows.table_of(ClientRoundRow)
CLIENTS = rows.table_of(ClientRow)
EVENTS = rows.table_of(EventRow)
VERDICTS = rows.table_of(VerdictRow)

GENUINE = (Verdict.ACCEPTED, Verdict.MALFORMED, Verdict.LATE)
"""Verdicts on replies whose number counts, if they were looked at and so have hashes."""


class PastEvent(Record):
    """A change of state of a run or client, or a round that was completed."""

    seq: int
    time: float
    type: str
    subject: str
    run_id: str | None
    data: dict[str, Any]


class StoreReader:
    """Reads a store. All methods raise StoreUnavailable, in words, when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.audit = AuditReader(database)
        self.lines = LogReader(database)
        self.summaries = RunSummaries(database)

    @classmethod
    def open_to_read(cls, url: str) -> Self:
        """Look into a store, also while a server uses it.

        Raises StoreUnavailable, and SettingsInvalid for a URL that names no store.
        """
        parsed = parse_url(url)
        database: Database = (
            SqliteDatabase.to_read(Path(str(parsed.database)))
            if parsed.drivername.startswith("sqlite")
            else PostgresDatabase.to_read(parsed)
        )
        try:
            with database.reading() as connection:
                require_current(connection, database.name)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        newest_first = select(RUNS).order_by(RUNS.c.added_seq.desc(), RUNS.c.created_at.desc(), RUNS.c.id)
        with self._database.reading() as connection:
            return [rows.to_run(row) for row in connection.execute(newest_first).mappings()]

    def run(self, run_id: str) -> Run | None:
        """One run, or None."""
        with self._database.reading() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).mappings().first()
            return rows.to_run(row) if row else None

    def rounds(self, run_id: str) -> list[Round]:
        """A run's rounds in order, with the results of each client; the last may not be complete."""
        with self._database.reading() as connection:
            parts = _client_rounds(connection, run_id)
            of_run = select(ROUNDS).where(ROUNDS.c.run_id == run_id).order_by(ROUNDS.c.round)
            return [rows.to_round(row, parts[row["round"]]) for row in connection.execute(of_run).mappings()]

    def rounds_at(
        self, run_id: str, numbers: Collection[int], clients: Collection[str] | None = None
    ) -> list[Round]:
        """Those of a run's rounds that have these numbers, in order and with their spreads. `clients`: whose
        parts are among them; None: everybody's."""
        of_run = select(ROUNDS).where(ROUNDS.c.run_id == run_id, ROUNDS.c.round.in_(numbers))
        with self._database.reading() as connection:
            found = connection.execute(of_run.order_by(ROUNDS.c.round)).mappings().all()
            if clients is None:
                parts = _client_rounds(connection, run_id, CLIENT_ROUNDS.c.round.in_(numbers))
                return [rows.to_round(row, parts[row["round"]]).with_spread() for row in found]
            told = _spreads(connection, run_id, numbers)
            chosen = CLIENT_ROUNDS.c.round.in_(numbers), CLIENT_ROUNDS.c.client_id.in_(clients)
            parts = _client_rounds(connection, run_id, *chosen)
        rounds = [rows.to_round(row, parts[row["round"]]) for row in found]
        return [each.model_copy(update={"spread": told.get(each.round, {})}) for each in rounds]

    def outline(self, run_id: str) -> list[tuple[int, float | None]]:
        """The numbers of a run's complete rounds, in order, each with what its model is worth: its accuracy,
        or the negative of its loss."""
        worth = func.coalesce(
            ROUNDS.c.accuracy, ROUNDS.c.client_accuracy, -ROUNDS.c.loss, -ROUNDS.c.client_loss
        )
        of_run = select(ROUNDS.c.round, worth).where(ROUNDS.c.run_id == run_id, ROUNDS.c.complete)
        with self._database.reading() as connection:
            return [(number, value) for number, value in connection.execute(of_run.order_by(ROUNDS.c.round))]

    def clients(self) -> list[Client]:
        """All clients that were ever connected, by id. Each is `lost`: who is there, only a server knows."""
        with self._database.reading() as connection:
            found = connection.execute(select(CLIENTS).order_by(CLIENTS.c.id)).mappings().all()
            verdicts = _verdicts_by_client(connection)
        return [rows.to_client(row).model_copy(update=verdicts.get(row["id"], {})) for row in found]

    def label_counts(self, run_id: str) -> dict[str, tuple[int, ...]]:
        """How many training samples of each label each client of a run had, of those that tell it."""
        of_run = select(CLIENT_LABELS).where(CLIENT_LABELS.c.run_id == run_id)
        with self._database.reading() as connection:
            found = connection.execute(of_run.order_by(CLIENT_LABELS.c.client_id)).mappings().all()
        return {row["client_id"]: tuple(row["label_counts"]) for row in found}

    def delivered(self, run_id: str) -> tuple[dict[str, int], int]:
        """In how many complete rounds of a run each client's update has counted, of every client that was
        asked in them; and the number of the newest of them, 0 if there is none."""
        complete = select(ROUNDS.c.round).where(ROUNDS.c.run_id == run_id, ROUNDS.c.complete)
        has_trained = and_(
            CLIENT_ROUNDS.c.round > 0,
            CLIENT_ROUNDS.c.error.is_(None),
            or_(CLIENT_ROUNDS.c.train_loss.is_not(None), CLIENT_ROUNDS.c.samples.is_not(None)),
        )
        rounds = func.sum(case((has_trained, 1), else_=0))
        newest = func.max(CLIENT_ROUNDS.c.round)
        of_run = select(CLIENT_ROUNDS.c.client_id, rounds, newest).where(
            CLIENT_ROUNDS.c.run_id == run_id, CLIENT_ROUNDS.c.round.in_(complete)
        )
        with self._database.reading() as connection:
            found = connection.execute(of_run.group_by(CLIENT_ROUNDS.c.client_id)).all()
        counted = {client_id: int(times) for client_id, times, _ in found}
        return counted, max((number for *_, number in found), default=0)

    def verdicts(
        self,
        limit: int,
        *,
        run_id: str,
        client_id: str | None = None,
        verdict: Verdict | None = None,
        before_seq: int | None = None,
    ) -> list[VerdictEntry]:
        """What was decided of the newest `limit` replies in a run, oldest first: of a client, of one kind,
        before a number."""
        wanted = select(VERDICTS).where(VERDICTS.c.run_id == run_id)
        wanted = wanted.order_by(VERDICTS.c.seq.desc()).limit(limit)
        if client_id is not None:
            wanted = wanted.where(VERDICTS.c.client_id == client_id)
        if verdict is not None:
            wanted = wanted.where(VERDICTS.c.verdict == verdict)
        if before_seq is not None:
            wanted = wanted.where(VERDICTS.c.seq < before_seq)
        return [rows.to_verdict_entry(row) for row in self._oldest_first(wanted)]

    def sequences(self) -> dict[str, int]:
        """Of each client, the number of its newest reply that was genuine."""
        newest = (
            select(VERDICTS.c.client_id, func.max(VERDICTS.c.sequence))
            .where(VERDICTS.c.verdict.in_(GENUINE), VERDICTS.c.arrays_digest.is_not(None))
            .group_by(VERDICTS.c.client_id)
        )
        with self._database.reading() as connection:
            return {name: number for name, number in connection.execute(newest) if number is not None}

    def logs(
        self,
        limit: int,
        level: LogLevel = "debug",
        source: str | None = None,
        *,
        run_id: str | None = None,
        before_seq: int | None = None,
    ) -> list[LogEntry]:
        """The newest `limit` log records, oldest first: of `level` and above, of a source, of a run, before a
        number."""
        wanted = select(LOGS).order_by(LOGS.c.seq.desc()).limit(limit)
        if level != LOG_LEVELS[0]:
            wanted = wanted.where(LOGS.c.level.in_(LOG_LEVELS[LOG_LEVELS.index(level) :]))
        if source is not None:
            wanted = wanted.where(LOGS.c.source == source)
        if run_id is not None:
            wanted = wanted.where(LOGS.c.run_id == run_id)
        if before_seq is not None:
            wanted = wanted.where(LOGS.c.seq < before_seq)
        return [rows.to_log_entry(row) for row in self._oldest_first(wanted)]

    def events(
        self, limit: int, *, run_id: str | None = None, before_seq: int | None = None
    ) -> list[PastEvent]:
        """The newest `limit` entries of the history, oldest first: of a run, before a number."""
        wanted = select(EVENTS).order_by(EVENTS.c.seq.desc()).limit(limit)
        if run_id is not None:
            wanted = wanted.where(EVENTS.c.run_id == run_id)
        if before_seq is not None:
            wanted = wanted.where(EVENTS.c.seq < before_seq)
        nothing = {"time": 0.0, "type": "", "subject": "", "run_id": None, "data": {}}
        return [salvage(PastEvent, dict(row), nothing)[0] for row in self._oldest_first(wanted)]

    def last_seq(self) -> int:
        """The highest number of an event or log record that is kept; 0 if there is none."""
        with self._database.reading() as connection:
            newest = (connection.scalar(select(func.max(table.c.seq))) for table in (EVENTS, LOGS, VERDICTS))
            return max(number or 0 for number in newest)

    def parts(self, run_id: str) -> dict[str, int]:
        """Which part of the data each client of a run has got."""
        of_run = select(RUN_CLIENTS).where(RUN_CLIENTS.c.run_id == run_id)
        with self._database.reading() as connection:
            return {row["client_id"]: row["partition"] for row in connection.execute(of_run).mappings()}

    def num_partitions(self, run_id: str) -> int | None:
        """Into how many parts a run's data is divided; None before parts were given out."""
        wanted = select(INTERNALS.c.num_partitions).where(INTERNALS.c.run_id == run_id)
        with self._database.reading() as connection:
            return connection.scalar(wanted)

    def _oldest_first(self, newest_first: Select[Any]) -> list[Any]:
        with self._database.reading() as connection:
            return list(connection.execute(newest_first).mappings().all())[::-1]


def _verdicts_by_client(connection: Connection) -> dict[str, dict[str, Any]]:
    """Of each client, how many of its replies got each verdict, and the newest one."""
    grouped = select(
        VERDICTS.c.client_id, VERDICTS.c.verdict, func.count(), func.max(VERDICTS.c.seq)
    ).group_by(VERDICTS.c.client_id, VERDICTS.c.verdict)
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"verdict": None, "verdicts": {}})
    newest: dict[str, int] = {}
    for client_id, name, count, seq in connection.execute(grouped):
        if name not in set(Verdict):
            continue  # by another version
        found[client_id]["verdicts"][Verdict(name)] = count
        if seq > newest.get(client_id, -1):
            newest[client_id] = seq
            found[client_id]["verdict"] = Verdict(name)
    return found


def _client_rounds(
    connection: Connection, run_id: str, *which: ColumnElement[bool]
) -> dict[int, dict[str, ClientRound]]:
    """The clients' parts in the rounds of a run, by round and client id."""
    of_run = (
        select(CLIENT_ROUNDS)
        .where(CLIENT_ROUNDS.c.run_id == run_id, *which)
        .order_by(CLIENT_ROUNDS.c.round, CLIENT_ROUNDS.c.client_id)
    )
    found: dict[int, dict[str, ClientRound]] = defaultdict(dict)
    for row in connection.execute(of_run).mappings():
        found[row["round"]][row["client_id"]] = rows.to_client_round(row)
    return found


def _spreads(connection: Connection, run_id: str, numbers: Collection[int]) -> dict[int, dict[str, Spread]]:
    """How the clients' numbers lie in rounds of a run, without a record of each client's part."""
    columns = [CLIENT_ROUNDS.c[name] for name in SPREAD_OF]
    of_run = select(CLIENT_ROUNDS.c.round, CLIENT_ROUNDS.c.stages, *columns).where(
        CLIENT_ROUNDS.c.run_id == run_id, CLIENT_ROUNDS.c.round.in_(numbers)
    )
    clients: Counter[int] = Counter()
    values: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, stages, *known in connection.execute(of_run):
        clients[number] += 1
        for name, value in numbers_of(dict(zip(SPREAD_OF, known, strict=True)), stages or {}).items():
            values[number][name].append(value)
    return {number: spreads(told) for number, told in values.items() if clients[number] > FEW_CLIENTS}
