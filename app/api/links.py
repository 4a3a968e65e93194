"""/api/v1/links: the links between the server and its clients."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.reply import env, reply
from app.auth.roles import Role, needs
from app.records import ClientLink
from shared.natural_order import natural_key

links_api = APIBlueprint("links", __name__, abp_tags=[Tag(name="clients", description="Client processes")])


class LinkList(BaseModel):
    links: list[ClientLink] = Field(description="in the natural order of the clients")


@links_api.get(
    "/api/v1/links",
    summary="What the link carries for each client, and how far it is",
    responses={200: LinkList},
)
@needs(Role.VIEWER)
def list_links() -> Response:
    """Of all clients that are connected, as of the last two seconds. Socket.IO tells what is new in `links`
    of a Batch."""
    newest = env().link.measures.newest
    return reply(LinkList(links=[newest[name] for name in sorted(newest, key=natural_key)]))
