"""/healthz and /api/v1/status."""

from __future__ import annotations

from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from app.api.reply import env, reply
from app.auth.roles import Role, needs, public
from app.records import Status
from shared.version import __version__

system_api = APIBlueprint("system", __name__, abp_tags=[Tag(name="system", description="The server itself")])


class Health(BaseModel):
    status: Literal["ok"] = "ok"
    version: str


@system_api.get("/healthz", summary="Whether the server answers", responses={200: Health})
@public
def health() -> Response:
    return reply(Health(version=__version__))


@system_api.get("/api/v1/status", summary="The server at a glance", responses={200: Status})
@needs(Role.VIEWER)
def get_status() -> Response:
    return reply(env().status())
