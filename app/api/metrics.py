"""/metrics: the server as Prometheus reads it."""

from __future__ import annotations

from flask import Response
from flask_openapi3 import OpenAPI
from prometheus_client import CONTENT_TYPE_LATEST

from app.api.aside import aside
from app.auth.roles import Role, needs
from app.metrics import ServerMetrics


def add_metrics(flask_app: OpenAPI, metrics: ServerMetrics) -> None:
    """Add the route; it is no part of the REST API, and its names are in docs/metrics.md."""

    @flask_app.get("/metrics", doc_ui=False)
    @needs(Role.VIEWER)
    def get_metrics() -> Response:
        return Response(aside(metrics.text), content_type=CONTENT_TYPE_LATEST)
