"""/api/v1/next-key: the key that will take the place of the server's."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.audited import decided
from app.api.reply import env, reply
from app.audit.decided import Decision
from app.auth.roles import Role, needs

server_key_api = APIBlueprint(
    "server_key", __name__, abp_tags=[Tag(name="system", description="The server itself")]
)


class ServerKeys(BaseModel):
    key: str = Field(description="the id of the server's key")
    next_key: str | None = Field(
        description="the id of the key that will take its place; null: none was made"
    )


@server_key_api.get("/api/v1/next-key", summary="The server's keys", responses={200: ServerKeys})
@needs(Role.VIEWER)
def get_keys() -> Response:
    return _keys()


@server_key_api.post("/api/v1/next-key", summary="Announce the next key", responses={200: ServerKeys})
@needs(Role.ADMIN)
def announce_next_key() -> Response:
    """Tells all clients of the key that `python -m app.next_key` has made in the server's folder."""
    if (notice := env().announce_next_key()) is not None:
        decided(Decision.on_next_key(notice))
    return _keys()


def _keys() -> Response:
    following = env().next_key
    return reply(
        ServerKeys(
            key=str(env().identity.key.public.id), next_key=None if following is None else str(following)
        )
    )
