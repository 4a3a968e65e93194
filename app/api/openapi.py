"""The API's description: served at /api/openapi.json, readable at /api/docs."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from flask import redirect, request
from flask_openapi3 import APIBlueprint, Info, OpenAPI
from pydantic import TypeAdapter
from werkzeug.wrappers import Response as WerkzeugResponse

from app.api.problems import Problem, invalid
from app.auth.roles import Role, access_of, public
from app.batches import Batch, Change
from app.events import Event
from app.records import LogBatch, Snapshot, UsageUpdate
from shared.version import __version__

DOCS_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>FedLoom API</title>
<link rel="icon" href="../static/favicon.svg">
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="margin: 0"><redoc spec-url="openapi.json" hide-download-button></redoc>
<script src="redoc/js/redoc.standalone.js"></script></body>
</html>
"""
SECURITY_SCHEMES: dict[str, Any] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token of a program, made on the page or by `python -m app.users token add`",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "fedloom",
        "description": "The cookie of POST /api/v1/login, whose name begins so. Changes made with it need "
        "the header X-CSRF-Token, with the `csrf` of GET /api/v1/me",
    },
}
DOCS_PATH = "/api/redoc"

PROBLEM = MappingProxyType({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}})
"""The content of an answer that is a problem (RFC 9457)."""


class SharedPaths(OpenAPI):
    """Blueprints may have different methods of one path, of which the library describes the last alone."""

    def register_api(self, api: APIBlueprint, **options: Any) -> None:
        """As the library's."""
        known = dict(self.paths)
        super().register_api(api, **options)
        for path in known.keys() & api.paths.keys():
            added = {name: value for name, value in api.paths[path] if value is not None}
            self.paths[path] = known[path].model_copy(update=added)


def create_openapi_app(import_name: str) -> OpenAPI:
    """A Flask app whose routes describe themselves."""
    flask_app = SharedPaths(
        import_name,
        info=Info(
            title="FedLoom",
            version=__version__,
            description="Live updates come over Socket.IO: `snapshot` carries a Snapshot, and `batch`, at "
            "most ten times a second, a Batch of what is new. "
            "Errors are problems (RFC 9457). The user of this machine who started the server needs "
            "none of the security schemes on it, unless it was started with --auth.",
        ),
        security_schemes=SECURITY_SCHEMES,
        doc_prefix="/api",
        validation_error_model=Problem,
        validation_error_callback=invalid,
        template_folder="templates",
        static_folder="static",
    )
    flask_app.config["REDOC_HTML_STRING"] = DOCS_PAGE

    @flask_app.get("/api/docs", doc_ui=False)
    @public
    def docs() -> WerkzeugResponse:
        return redirect(f"{request.root_path}{DOCS_PATH}")

    return flask_app


def describe(flask_app: OpenAPI) -> dict[str, Any]:
    """The document of all routes so far, as it is served, with what only Socket.IO carries."""
    document: dict[str, Any] = flask_app.api_doc
    document["security"] = [{name: []} for name in SECURITY_SCHEMES]
    schemas = document["components"]["schemas"]
    _describe_access(flask_app, document["paths"])
    models: dict[str, TypeAdapter[Any]] = {
        "Snapshot": TypeAdapter(Snapshot),
        "Event": TypeAdapter(Event),
        "UsageUpdate": TypeAdapter(UsageUpdate),
        "LogBatch": TypeAdapter(LogBatch),
        "Change": TypeAdapter(Change),
        "Batch": TypeAdapter(Batch),
    }
    for name, model in models.items():
        schema = model.json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs"), **{name: schema})
    for path in document["paths"].values():
        for operation in path.values():
            _correct(operation)
    return document


def _correct(operation: dict[str, Any]) -> None:
    """Say of an operation's problems what the library does not know: their media type, that there is one, and
    that a body may be no JSON at all."""
    responses = operation["responses"]
    for status, response in responses.items():
        if "Problem" in json.dumps(response.get("content", {})):
            responses[status] = {**response, "content": dict(PROBLEM)}
    if "requestBody" in operation:
        responses.setdefault("400", {"description": "Bad Request", "content": dict(PROBLEM)})


def _describe_access(flask_app: OpenAPI, paths: dict[str, Any]) -> None:
    """Say of each route which role it takes, and how those are answered who do not have it."""
    for rule in flask_app.url_map.iter_rules():
        operations = paths.get(re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), {})
        access = access_of(flask_app.view_functions[rule.endpoint])
        for method in {method.lower() for method in rule.methods or ()} & operations.keys():
            operation = operations[method]
            if not isinstance(access, Role):
                operation["security"] = []
                continue
            words = f"For the role {access} and those above it."
            said = operation.get("description", "").removesuffix(words).strip()
            operation["description"] = f"{said} {words}".strip()
            for status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                operation["responses"].setdefault(
                    str(status.value), {"description": status.phrase, "content": dict(PROBLEM)}
                )


def as_json(flask_app: OpenAPI) -> str:
    """The document as it is committed for the front end."""
    return json.dumps(describe(flask_app), indent=2, sort_keys=True) + "\n"
