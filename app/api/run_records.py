"""/api/v1/runs/<run_id>/labels, /delivered and /logs: what its clients had and did, and what happened."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.log_query import period_of
from app.api.problems import Problem, asking_store
from app.api.reply import env, reply
from app.api.runs import RunPath, durable, run_of
from app.auth.roles import Role, needs
from app.records import LogCounts, LogEntry, LogFilter, Run

run_records_api = APIBlueprint(
    "run_records",
    __name__,
    url_prefix="/api/v1/runs/<run_id>",
    abp_tags=[Tag(name="runs", description="Training runs")],
)


class RunLabels(BaseModel):
    label_counts: dict[str, tuple[int, ...]] = Field(
        description="training samples by label, of each client of the run that tells them"
    )


class RunDelivered(BaseModel):
    delivered: dict[str, int] = Field(
        description="in how many complete rounds its update counted, of each client that was asked in them"
    )
    round: int = Field(description="the newest of these rounds; 0: there is none yet")


class RunLogQuery(BaseModel):
    limit: int = Field(default=500, ge=1, le=5_000, description="at most so many, the newest")


class RunLogs(BaseModel):
    logs: list[LogEntry] = Field(description="oldest first")
    counts: LogCounts = Field(description="of all, also of those that are not listed")


@run_records_api.get(
    "/labels",
    summary="The labels that each client had in a run",
    responses={200: RunLabels, 404: Problem, 503: Problem},
)
@needs(Role.VIEWER)
def get_labels(path: RunPath) -> Response:
    """As they were in this run: another one may divide the data in another way."""
    return _of_run(path.run_id, lambda run: RunLabels(label_counts=env().store.label_counts(run.id)))


@run_records_api.get(
    "/delivered",
    summary="In how many rounds of a run each client's update counted",
    responses={200: RunDelivered, 404: Problem, 503: Problem},
)
@needs(Role.VIEWER)
def get_delivered(path: RunPath) -> Response:
    """Over all rounds, of which a page does not have all clients' parts where they are very many."""

    def delivered_in(run: Run) -> RunDelivered:
        delivered, newest = env().store.delivered(run.id)
        return RunDelivered(delivered=delivered, round=newest)

    return _of_run(path.run_id, delivered_in)


@run_records_api.get(
    "/logs",
    summary="What happened while a run went on",
    responses={200: RunLogs, 404: Problem, 422: Problem, 503: Problem},
)
@needs(Role.VIEWER)
def get_run_logs(path: RunPath, query: RunLogQuery) -> Response:
    """Its own log records, and those that belong to no run, from its creation to its end. Of the newest run:
    from the start of the server, if that was earlier, until now."""

    def logs_of(run: Run) -> RunLogs:
        lines, wanted = env().store.lines, LogFilter(run=period_of(run))
        return RunLogs(logs=lines.newest(wanted, query.limit), counts=lines.counts(wanted))

    return _of_run(path.run_id, logs_of)


def _of_run(run_id: str, answer: Callable[[Run], BaseModel]) -> Response:
    run = durable(run_of(run_id))
    with asking_store():
        return reply(answer(run))
