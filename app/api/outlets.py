"""/api/v1/outlets: whom the server tells by itself of what happens."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.aside import aside
from app.api.problems import Problem, problem
from app.api.reply import env, reply
from app.auth.roles import Role, needs
from app.records.outlets import OutletsStatus

outlets_api = APIBlueprint(
    "outlets", __name__, abp_tags=[Tag(name="system", description="The server itself")]
)


class TestSent(BaseModel):
    id: str = Field(description="the notice's id, by which the receiver knows it")


@outlets_api.get("/api/v1/outlets", summary="How webhook and trackers go", responses={200: OutletsStatus})
@needs(Role.VIEWER)
def get_outlets() -> Response:
    """Those that the server was started with. Of the webhook's address the path is not told."""
    return reply(env().outlets.status())


@outlets_api.post(
    "/api/v1/outlets/webhook/test",
    summary="Send a test notice to the webhook",
    responses={200: TestSent, 409: Problem},
)
@needs(Role.ADMIN)
def test_webhook() -> Response:
    """It waits its turn like any other; `GET /api/v1/outlets` tells whether it has arrived."""
    webhook = env().outlets.webhook
    if webhook is None:
        return problem(
            HTTPStatus.CONFLICT, "There is no webhook. Start the server with --webhook URL, and try again."
        )
    return reply(TestSent(id=aside(webhook.test)))
