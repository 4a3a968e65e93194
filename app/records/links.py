"""The links between the server and its clients, as they are now."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from app.records.base import Record

MAX_LATENCY_S = 3_600.0
"""Of an answer that took longer nobody would know any more that it was one."""

Rate = Annotated[float, Field(ge=0)]


class ClientLink(Record):
    """The link of a client that is connected. Rates are bytes of frames a second, before TLS, in the last two
    seconds or so, to two digits."""

    client: str
    measures: bool = Field(
        description="whether it measures how far the server is; a client of an older FedLoom does not"
    )
    latency_s: Annotated[float, Field(ge=0, le=MAX_LATENCY_S)] | None = Field(
        default=None,
        description="there and back, by the client's word, to two digits: the least of its newest "
        "heartbeats, since they also wait behind models; null: not measured (yet)",
    )
    sent_per_s: Rate | None = Field(default=None, description="to the client; null: not measured yet")
    received_per_s: Rate | None = Field(default=None, description="likewise, from the client")


class LinkUpdate(Record):
    """What has changed of the links since the update before, at most every two seconds."""

    whole: bool = Field(description="true: these are all links, with all fields; forget those of before")
    links: dict[str, dict[str, Any]] = Field(
        description="by client, the fields of a ClientLink that have changed, with their values"
    )
    gone: tuple[str, ...] = Field(default=(), description="clients that have no link any more")
