"""What every blueprint needs: the server's Environment, and models as JSON responses."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from flask import Response, current_app, request
from pydantic import BaseModel

from app.audit.entry import Kind
from app.environment import Environment

UNBUFFERED = ("X-Accel-Buffering", "no")
"""The header of an answer whose pieces are to go out one by one: nginx knows it, and `app/web/edge.py`."""


def env() -> Environment:
    """The Environment of the server that handles this request."""
    return cast(Environment, current_app.extensions["fedloom"])


def downloaded(what: str, **about: str | int) -> None:
    """Enter into the audit log that somebody takes something away."""
    env().audit.record(Kind.DOWNLOADED, what=what, by=request.remote_addr, **about)


def reply(model: BaseModel, status: int = HTTPStatus.OK) -> Response:
    """A model as a JSON response."""
    return Response(model.model_dump_json(), status=status, content_type="application/json")
