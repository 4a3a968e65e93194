"""/internal/v1: what a federation answers to its dashboards alone. No part of the REST API."""

from __future__ import annotations

import time
from contextlib import suppress
from http import HTTPStatus

from flask import Blueprint, Response, current_app, request
from pydantic import ValidationError

from app.api.access import gate_of, unauthorized
from app.api.aside import aside, web_sleep
from app.api.problems import problem
from app.api.reply import env, reply
from app.auth.roles import replicas_only
from app.event_bus import EventsGone
from app.event_log.messages import (
    LONGEST_WAIT_S,
    MOST_EVENTS,
    PREFIX,
    RECENT_EVENTS,
    Following,
    Pulse,
    PulseAnswer,
    Recognised,
)
from app.events import Event
from app.records import NodeUsage
from shared.errors import StoreUnavailable

replicas_api = Blueprint("replicas", __name__, url_prefix=PREFIX)

LOOK_S = 0.02
"""How often it is looked whether there is something new, for a dashboard that waits for it."""

SETTLE_S = 0.5

UNKNOWN = "You are not known here. Log in on the page."


@replicas_api.get("/snapshot")
@replicas_only
def get_snapshot() -> Response:
    """A Snapshot, as pages are sent it."""
    server = env()

    def made() -> str:
        with suppress(StoreUnavailable):  # the snapshot says so
            server.writer.flush(SETTLE_S)
        return server.snapshot().model_dump_json()

    return Response(aside(made), content_type="application/json")


@replicas_api.get("/recent")
@replicas_only
def get_recent() -> Response:
    """The newest events that may be shown: pages that come from another dashboard may have missed some."""
    server = env()
    recent = server.writer.shown(server.bus.newest(RECENT_EVENTS))
    encoded = aside(lambda: Following.model_construct(events=tuple(recent)).model_dump_json())
    return Response(encoded, content_type="application/json")


@replicas_api.get("/events")
@replicas_only
def get_events() -> Response:
    """Those after `since`, of the start `instance`, once there are any or `wait_s` is over."""
    since = request.args.get("since", -1, type=int)
    wait_s = min(request.args.get("wait_s", 0.0, type=float), LONGEST_WAIT_S)
    deadline, sleep = time.monotonic() + wait_s, web_sleep()
    if request.args.get("instance") != env().instance:
        return problem(HTTPStatus.GONE, "The federation has started again. Take a snapshot.")
    try:
        while not (events := _events_after(since)) and time.monotonic() < deadline:
            sleep(LOOK_S)
    except EventsGone as error:
        return problem(HTTPStatus.GONE, str(error))
    return reply(Following.model_construct(events=tuple(events[:MOST_EVENTS])))


def _events_after(since: int) -> list[Event]:
    return env().writer.shown(env().bus.since(since))


@replicas_api.post("/pulse")
@replicas_only
def pulse() -> Response:
    """Whoever is at a dashboard's sockets uses their session by that."""
    server = env()
    try:
        asked = Pulse.model_validate_json(request.get_data())
    except ValidationError as error:
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"This is not a pulse as it should be: {error}")
    return reply(
        PulseAnswer(
            instance=server.instance,
            last=server.bus.last if server.writer.problem else server.writer.written,
            identities=tuple(server.auth.accounts.identity(each) for each in asked.credentials),
            usage=tuple(NodeUsage(client=node, usage=usage) for node, usage in server.usage.latest().items()),
            links=tuple(server.link.measures.newest.values()),
        )
    )


@replicas_api.get("/identity")
@replicas_only
def identify() -> Response:
    """Who sends a request with these headers, which a dashboard has got for one of its sockets."""
    identity = gate_of(current_app).identify(request)
    return reply(Recognised(identity=identity)) if identity is not None else unauthorized(UNKNOWN)
