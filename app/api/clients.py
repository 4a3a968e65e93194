"""/api/v1/clients: who is connected."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from app.api.reply import env, reply
from app.auth.roles import Role, needs
from app.records import Client

clients_api = APIBlueprint(
    "clients",
    __name__,
    url_prefix="/api/v1/clients",
    abp_tags=[Tag(name="clients", description="Client processes")],
)


class ClientList(BaseModel):
    clients: list[Client]


@clients_api.get("", summary="All clients that this server has seen", responses={200: ClientList})
@needs(Role.VIEWER)
def list_clients() -> Response:
    return reply(ClientList(clients=env().registry.snapshot()))
