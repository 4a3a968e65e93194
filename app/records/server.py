"""The server as a whole."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.records.base import Record
from app.records.clients import Client, ClientCounts
from app.records.logs import LogEntry
from app.records.rounds import Round
from app.records.runs import AppInfo, Run
from shared.run_spec import RunSpec


class StoreStatus(Record):
    problem: str | None = Field(description="why nothing can be kept at present, in words; null: all is well")


class AuditWitness(Record):
    """A client that has cosigned a checkpoint of the audit log."""

    client: str
    key: str = Field(description="the id of its key, in groups")
    size: int = Field(description="entries of the newest checkpoint that it has cosigned")
    time: float = Field(description="of that checkpoint")


class AuditStatus(Record):
    """The audit log at a glance: its newest checkpoint, and who has seen it."""

    log: str = Field(description="what tells this log from others, in hex")
    key: str = Field(description="the id of the server's key, which signs the checkpoints, in groups")
    size: int = Field(description="entries, all of which the newest checkpoint covers")
    root: str | None = Field(description="of the tree over them (RFC 9162), in hex; null: there are none yet")
    time: float | None = Field(description="of the newest checkpoint")
    witnesses: tuple[AuditWitness, ...] = Field(description="each with the newest that it has cosigned")


class LinkAddress(Record):
    host: str
    port: int


class Status(Record):
    version: str
    instance: str = Field(description="random for each start of the server")
    started_at: float
    uptime_s: float
    seq: int = Field(description="the newest event's number")
    async_mode: Literal["eventlet", "threading"]
    link: LinkAddress
    active_run: str | None
    queued_runs: int
    clients: ClientCounts
    refused: dict[str, int] = Field(
        default_factory=dict,
        description="how often somebody was not let in since the server started, by the reason's code; "
        "link-… and page-… are connections",
    )
    app: AppInfo | None = Field(description="the Flower app that this server runs; null: the built-in one")
    resume: Literal["auto", "never"] = Field(description="what happens to interrupted runs at start")
    store: str = Field(description="where runs are kept, without a password")
    store_problem: str | None = Field(description="why nothing can be kept at present, in words")
    default_spec: RunSpec = Field(description="what the start form begins with")
    join_command: str = Field(description="what to type to join with one more client")
    export_command: str = Field(description="what to type, with a run's id after it, to export the run")


class Snapshot(Record):
    """What a page needs to start from nothing, as of event `seq`."""

    seq: int
    time: float
    instance: str
    status: Status
    runs: tuple[Run, ...] = Field(description="those that go on or are queued, and the newest others")
    total_runs: int = Field(description="how many runs there are in all; GET /api/v1/runs lists them")
    rounds: dict[str, tuple[Round, ...]] = Field(
        description="all of the newest and of the active run, unless they are too many for one message"
    )
    newest_rounds: dict[str, Round] = Field(
        default_factory=dict, description="the newest of the same runs, which changes are told of"
    )
    clients: tuple[Client, ...]
    logs: tuple[LogEntry, ...]
    audit: AuditStatus
