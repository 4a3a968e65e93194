"""Records as rows of the tables, and back: a row has those of a record's fields that have a column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import RowMapping, Table

from app.records import (
    LOG_SOURCE,
    Cause,
    Client,
    ClientRound,
    ClientState,
    IssuedInvitation,
    Judgement,
    LogEntry,
    LogRecord,
    Member,
    MembershipState,
    Round,
    Run,
    RunState,
    Verdict,
    VerdictEntry,
)
from app.store.models import Base, ClientRoundRow, ClientRow, LogRow, RoundRow, RunRow, VerdictRow
from app.store.salvage import Row, salvage, salvage_spec


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
LOG_FIELDS = _fields(LogRow, beside=["seq", "time", "size"])
VERDICT_FIELDS = _fields(VerdictRow, beside=["seq"])

LINE_SIZE = 200
"""What a line of the log takes beside its text."""


ENDED = frozenset({RunState.COMPLETED, RunState.STOPPED, RunState.FAILED})


def run_row(run: Run, added_seq: int) -> Row:
    """`added_seq` counts only if the run is new."""
    return {**run.model_dump(mode="json", include=RUN_FIELDS), "added_seq": added_seq}


def to_run(row: RowMapping) -> Run:
    """A run as it was kept. One that cannot be read whole has ended, and says why."""
    spec, wrong_spec = salvage_spec(row["spec"])
    values = {**_only(row, RUN_FIELDS), "id": str(row["id"]), "spec": spec, "tags": row["tags"] or ()}
    stand_ins = {"state": RunState.FAILED, "num_rounds": None, "created_at": 0.0}
    run, wrong = salvage(Run, values, stand_ins)
    words = wrong or wrong_spec
    if words is None:
        return run
    state = run.state if run.state in ENDED else RunState.FAILED
    changes = {"state": state, "reason": words, "cause": Cause.RECORD, "pending": None, "waiting_for": None}
    return run.model_copy(update={**changes, "can_resume": False})


def round_row(run_id: str, round_: Round) -> Row:
    """A round without its clients' parts."""
    return {**round_.model_dump(mode="json", include=ROUND_FIELDS), "run_id": run_id}


def to_round(row: RowMapping, per_client: Mapping[str, ClientRound]) -> Round:
    """A round as it was kept, as far as it can be read."""
    values = {**_only(row, ROUND_FIELDS), "per_client": per_client}
    round_, wrong = salvage(Round, values, {"round": 0, "complete": True, "started_at": 0.0})
    return round_ if wrong is None else round_.model_copy(update={"unreadable": wrong})


def client_round_row(run_id: str, round_number: int, client_id: str, part: ClientRound) -> Row:
    """A client's part in a round."""
    key = {"run_id": run_id, "round": round_number, "client_id": client_id}
    return {**part.model_dump(mode="json", include=CLIENT_ROUND_FIELDS), **key}


def to_client_round(row: RowMapping) -> ClientRound:
    """A client's part in a round as it was kept, as far as it can be read."""
    part, wrong = salvage(ClientRound, _only(row, CLIENT_ROUND_FIELDS), {})
    return part if wrong is None else part.model_copy(update={"error": wrong})


def client_row(client: Client) -> Row:
    """What stays true of a client when it is gone."""
    return client.model_dump(mode="json", include=CLIENT_FIELDS)


def to_client(row: RowMapping) -> Client:
    """A client as it was kept, as far as it can be read; nobody knows of it, so it is lost."""
    values = {**row, "id": str(row["id"]), "state": ClientState.LOST}
    nothing = {"dataset": "", "models": (), "host": "", "device": "", "connected_at": 0.0, "last_seen": 0.0}
    client, wrong = salvage(Client, values, nothing)
    return client if wrong is None else client.model_copy(update={"reason": wrong})


def to_member(row: RowMapping) -> Member:
    """A member as it was kept; one that cannot be read is not let in."""
    nothing = {"client_id": "", "state": MembershipState.REVOKED, "since": 0.0}
    member, wrong = salvage(Member, dict(row), nothing)
    return member if wrong is None else member.model_copy(update={"state": MembershipState.REVOKED})


def to_invitation(row: RowMapping) -> IssuedInvitation:
    """An invitation as it was kept; one that cannot be read is good for nobody."""
    values = {name: value for name, value in row.items() if name != "token_hash"}
    invitation, wrong = salvage(IssuedInvitation, values, {"kind": "one-off", "created_at": 0.0})
    return invitation if wrong is None else invitation.model_copy(update={"revoked_at": 0.0})


def log_row(seq: int, time: float, record: LogRecord) -> Row:
    """A log record with its place among the events."""
    size = LINE_SIZE + len(record.message) + len(record.traceback or "")
    return {**record.model_dump(include=LOG_FIELDS), "seq": seq, "time": time, "size": size}


def to_log_entry(row: RowMapping) -> LogEntry:
    """A log record as it was kept, as far as it can be read."""
    values = {name: value for name, value in row.items() if name != "size"}
    nothing = {"time": 0.0, "level": "error", "source": LOG_SOURCE, "logger": __name__, "message": ""}
    entry, wrong = salvage(LogEntry, values, nothing)
    return entry if wrong is None else entry.model_copy(update={"message": f"{entry.message} ({wrong})"})


def verdict_row(seq: int, judgement: Judgement) -> Row:
    """What was decided of a reply, with its place among the events."""
    return {**judgement.model_dump(mode="json", include=VERDICT_FIELDS), "seq": seq}


def to_verdict_entry(row: RowMapping) -> VerdictEntry:
    """What was decided of a reply as it was kept, as far as it can be read."""
    nothing = {"client_id": "", "key": "", "message_id": "", "verdict": Verdict.MALFORMED, "time": 0.0}
    entry, wrong = salvage(VerdictEntry, dict(row), nothing)
    return entry if wrong is None else entry.model_copy(update={"detail": wrong})


def _only(row: RowMapping, fields: set[str]) -> Row:
    return {name: value for name, value in row.items() if name in fields}
