"""Records as rows of the tables, and back: a row has those of a record's fields that have a column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import RowMapping, Table

from app.records import Client, ClientRound, ClientState, LogEntry, LogRecord, Round, Run
from app.store.models import Base, ClientRoundRow, ClientRow, LogRow, RoundRow, RunRow
from shared.run_spec import RunSpec

Row = dict[str, Any]


def table_of(model: type[Base]) -> Table:
    """The table that a model describes."""
    return Base.metadata.tables[model.__tablename__]


def _fields(model: type[Base], *, beside: Iterable[str] = ()) -> set[str]:
    """The columns that are a record's fields: all but those in `beside`."""
    return {column.name for column in table_of(model).columns} - set(beside)


RUN_FIELDS = _fields(RunRow, beside=["added_seq"])
ROUND_FIELDS = _fields(RoundRow, beside=["run_id"])
CLIENT_ROUND_FIELDS = _fields(ClientRoundRow, beside=["run_id", "round", "client_id"])
CLIENT_FIELDS = _fields(ClientRow)
LOG_FIELDS = _fields(LogRow, beside=["seq", "time"])


def run_row(run: Run, added_seq: int) -> Row:
    """`added_seq` counts only if the run is new."""
    return {**run.model_dump(mode="json", include=RUN_FIELDS), "added_seq": added_seq}


def to_run(row: RowMapping) -> Run:
    """A run as it was kept."""
    return Run.model_validate({**_only(row, RUN_FIELDS), "spec": RunSpec.from_store(row["spec"])})


def round_row(run_id: str, round_: Round) -> Row:
    """A round without its clients' parts."""
    return {**round_.model_dump(mode="json", include=ROUND_FIELDS), "run_id": run_id}


def to_round(row: RowMapping, per_client: Mapping[str, ClientRound]) -> Round:
    """A round as it was kept."""
    return Round.model_validate({**_only(row, ROUND_FIELDS), "per_client": per_client})


def client_round_row(run_id: str, round_number: int, client_id: str, part: ClientRound) -> Row:
    """A client's part in a round."""
    key = {"run_id": run_id, "round": round_number, "client_id": client_id}
    return {**part.model_dump(mode="json", include=CLIENT_ROUND_FIELDS), **key}


def to_client_round(row: RowMapping) -> ClientRound:
    """A client's part in a round as it was kept."""
    return ClientRound.model_validate(_only(row, CLIENT_ROUND_FIELDS))


def client_row(client: Client) -> Row:
    """What stays true of a client when it is gone."""
    return client.model_dump(mode="json", include=CLIENT_FIELDS)


def to_client(row: RowMapping) -> Client:
    """A client as it was kept; nobody knows of it, so it is lost."""
    return Client.model_validate({**row, "state": ClientState.LOST})


def log_row(seq: int, time: float, record: LogRecord) -> Row:
    """A log record with its place among the events."""
    return {**record.model_dump(include=LOG_FIELDS), "seq": seq, "time": time}


def to_log_entry(row: RowMapping) -> LogEntry:
    """A log record as it was kept."""
    return LogEntry.model_validate(dict(row))


def _only(row: RowMapping, fields: set[str]) -> Row:
    return {name: value for name, value in row.items() if name in fields}
