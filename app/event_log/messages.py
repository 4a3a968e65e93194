"""What a dashboard asks its federation, and the answers (`app/api/replicas.py`)."""

from __future__ import annotations

from pydantic import Field

from app.auth.identity import Credential, Identity
from app.events import Event
from app.records import ClientLink, NodeUsage
from app.records.base import Record

PREFIX = "/internal/v1"
"""Below it are the routes for dashboards."""

MOST_EVENTS = 500
"""In one answer."""

RECENT_EVENTS = 2_000
"""That a dashboard has from before its start."""

LONGEST_WAIT_S = 10.0


class Following(Record):
    """Events of one start of the federation, oldest first, without a gap."""

    events: tuple[Event, ...]


class Pulse(Record):
    """What a dashboard asks every second: whether those at its sockets are still who they were."""

    credentials: tuple[Credential, ...]


class PulseAnswer(Record):
    """The federation as it is now."""

    instance: str
    last: int = Field(description="the newest event that may be shown")
    identities: tuple[Identity | None, ...] = Field(
        description="of each credential that was asked for; null: it no longer holds"
    )
    usage: tuple[NodeUsage, ...] = Field(description="the newest of every node")
    links: tuple[ClientLink, ...] = Field(description="those of all clients that are connected")


class Recognised(Record):
    """Who sends a request that a dashboard has got."""

    identity: Identity
