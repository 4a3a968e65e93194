"""/api/v1/events and /api/v1/logs: what happened, for those who do not follow it over Socket.IO."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.problems import Problem, problem
from app.api.reply import env, reply
from app.auth.roles import Role, needs
from app.event_bus import EventsGone
from app.events import Event
from app.records import LOG_LEVELS, LogEntry, LogLevel

events_api = APIBlueprint(
    "events", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="events", description="Events and logs")]
)


class EventQuery(BaseModel):
    since: int = Field(default=0, description="the last sequence number that was seen; 0: from the beginning")


class EventList(BaseModel):
    events: list[Event]
    last: int = Field(description="ask with `since` = this next time")
    instance: str = Field(description="numbers of another instance mean nothing to this one")


class LogQuery(BaseModel):
    level: LogLevel = Field(default="debug", description="this level and those above it")
    source: str | None = Field(default=None, description='only from "server" or from one client')
    limit: int = Field(default=500, ge=1, le=5_000, description="at most so many, the newest")


class LogList(BaseModel):
    logs: list[LogEntry]


@events_api.get("/events", summary="Events after a sequence number", responses={200: EventList, 410: Problem})
@needs(Role.VIEWER)
def list_events(query: EventQuery) -> Response:
    try:
        events = env().bus.since(query.since)
    except EventsGone as error:
        return problem(HTTPStatus.GONE, str(error))
    last = events[-1].seq if events else query.since
    return reply(EventList(events=events, last=last, instance=env().instance))


@events_api.get("/logs", summary="The newest log records, oldest first", responses={200: LogList})
@needs(Role.VIEWER)
def list_logs(query: LogQuery) -> Response:
    wanted = LOG_LEVELS[LOG_LEVELS.index(query.level) :]
    entries = [
        entry
        for entry in env().bus.logs()
        if entry.level in wanted and (query.source is None or entry.source == query.source)
    ]
    return reply(LogList(logs=entries[-query.limit :]))
