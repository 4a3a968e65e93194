"""/api/v1/system: what the server and its clients use of their machines."""

from __future__ import annotations

import time

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.aside import aside
from app.api.problems import Problem, asking_store
from app.api.reply import env, reply
from app.auth.roles import Role, needs
from app.records import ClientState, Usage
from app.usage.history import HISTORY_S
from app.usage.minutes import MINUTE_S
from app.usage.recent import RECENT_S, Node
from shared.natural_order import natural_key

MAX_POINTS = 1_000
MAX_ALL_POINTS = 20_000
"""In one answer, over all nodes: so large it may be that the web server is not held up."""

usage_api = APIBlueprint("usage", __name__, abp_tags=[Tag(name="system", description="The server itself")])


class UsageQuery(BaseModel):
    node: str | None = Field(
        default=None, description="only the client with this id; `server` (of a client, `client:server`)"
    )
    since: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="Unix seconds; a quarter of an hour ago"
    )
    until: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Unix seconds; now")
    points: int = Field(
        default=180,
        ge=1,
        le=MAX_POINTS,
        description=f"at most so many for each node, means of equal spans; fewer where all would be more "
        f"than {MAX_ALL_POINTS:,}",
    )


class NodeSeries(BaseModel):
    """A client's numbers are what it says itself."""

    client: str | None = Field(description="the client's id; null: the server")
    connected: bool
    latest: Usage | None = Field(description="null: nothing was heard for a quarter of an hour")
    series: list[Usage] = Field(description="oldest first")


class SystemUsage(BaseModel):
    since: float
    until: float
    step_s: float = Field(
        description="seconds that a point stands for, at most: where the next is much farther, nothing was "
        "heard"
    )
    nodes: list[NodeSeries] = Field(description="the server, then clients in their natural order")


@usage_api.get(
    "/api/v1/system",
    summary="What the server and its clients use of their machines",
    responses={200: SystemUsage, 422: Problem, 503: Problem},
)
@needs(Role.VIEWER)
def get_usage(query: UsageQuery) -> Response:
    """Every two seconds for a quarter of an hour, then means of minutes, for a day. Socket.IO tells what is
    new as `usage_update`."""
    now = time.time()
    until = min(now, query.until if query.until is not None else now)
    since = max(query.since if query.since is not None else now - RECENT_S, now - HISTORY_S)
    history = env().usage
    latest = history.latest()
    points = max(1, min(query.points, MAX_ALL_POINTS // max(1, len(latest))))
    with asking_store():
        series = {} if until < since else aside(lambda: history.series(since, until, points))
    there = {client.id for client in env().registry.snapshot() if client.state is not ClientState.LOST}
    nodes = [
        NodeSeries(
            client=node,
            connected=node is None or node in there,
            latest=latest.get(node),
            series=series.get(node, []),
        )
        for node in sorted(latest.keys() | series.keys(), key=_server_first)
        if _is_meant(node, query.node)
    ]
    step_s = max((until - since) / points, MINUTE_S if since < now - RECENT_S else 0.0)
    return reply(SystemUsage(since=since, until=until, step_s=max(0.0, step_s), nodes=nodes))


def _server_first(node: Node) -> tuple[bool, object]:
    return (node is not None, natural_key(node or ""))


def _is_meant(node: Node, wanted: str | None) -> bool:
    if wanted is None:
        return True
    if node is None:
        return wanted == "server"
    return wanted in (f"client:{node}", node) and wanted != "server"
