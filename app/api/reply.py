"""What every blueprint needs: the server's Environment, and models as JSON responses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from flask import Response, current_app
from pydantic import BaseModel

if TYPE_CHECKING:
    from app.environment import Environment

UNBUFFERED = ("X-Accel-Buffering", "no")
"""The header of an answer whose pieces are to go out one by one: nginx knows it, and `app/web/edge.py`."""


def env() -> Environment:
    """The Environment of the server that handles this request."""
    return cast("Environment", current_app.extensions["fedloom"])


def reply(model: BaseModel, status: int = HTTPStatus.OK) -> Response:
    """A model as a JSON response."""
    return Response(model.model_dump_json(), status=status, content_type="application/json")
