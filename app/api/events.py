"""/api/v1/events: what happened, for those who do not follow it over Socket.IO."""

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

events_api = APIBlueprint(
    "events", __name__, url_prefix="/api/v1", abp_tags=[Tag(name="events", description="Events and logs")]
)


class EventQuery(BaseModel):
    since: int = Field(default=0, description="the last sequence number that was seen; 0: from the beginning")


class EventList(BaseModel):
    events: list[Event]
    last: int = Field(description="ask with `since` = this next time")
    instance: str = Field(description="numbers of another instance mean nothing to this one")


@events_api.get("/events", summary="Events after a sequence number", responses={200: EventList, 410: Problem})
@needs(Role.VIEWER)
def list_events(query: EventQuery) -> Response:
    try:
        events = env().bus.since(query.since)
    except EventsGone as error:
        return problem(HTTPStatus.GONE, str(error))
    last = events[-1].seq if events else query.since
    return reply(EventList(events=events, last=last, instance=env().instance))
