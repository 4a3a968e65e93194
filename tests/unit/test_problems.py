"""Errors below /api are problems (RFC 9457); nothing of the server's inside gets out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response, abort
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.api.problems import FieldError, problem, register_problem_handlers


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    app = Flask(__name__, static_folder=None)
    register_problem_handlers(app)

    @app.get("/api/broken")
    def broken() -> Response:
        raise ValueError("a secret of the server")

    @app.get("/api/teapot")
    def teapot() -> Response:
        abort(418)

    @app.get("/api/refused")
    def refused() -> Response:
        abort(problem(403, "Not you.", [FieldError(field="lr", message="too fast")]))

    @app.post("/api/thing")
    def thing() -> Response:
        return Response("fine")

    with app.test_client() as client:
        yield client


def problem_in(response: TestResponse) -> dict[str, Any]:
    problem: dict[str, Any] = response.get_json()
    return problem


def test_an_unexpected_error_is_500_without_details(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get("/api/broken")

    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert problem_in(response)["title"] == "Internal Server Error"
    assert "secret" not in response.text
    assert "ValueError" in problem_in(response)["detail"]
    assert "a secret of the server" in caplog.text
    assert "GET /api/broken failed" in caplog.messages


def test_an_error_that_flask_raises_is_a_problem(client: FlaskClient) -> None:
    response = client.get("/api/teapot")

    assert (response.status_code, response.content_type) == (418, "application/problem+json")
    assert problem_in(response)["status"] == 418
    assert problem_in(response)["errors"] == []


def test_a_problem_that_a_handler_chose_stays_as_it_is(client: FlaskClient) -> None:
    response = client.get("/api/refused")

    assert problem_in(response) == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "Not you.",
        "errors": [{"field": "lr", "message": "too fast"}],
    }


@pytest.mark.parametrize("path", ["/api/nothing", "/api/v1/nothing"])
def test_what_is_not_there_is_a_problem(client: FlaskClient, path: str) -> None:
    assert client.get(path).content_type == "application/problem+json"


def test_outside_the_api_a_person_gets_a_page(client: FlaskClient) -> None:
    response = client.get("/nothing")

    assert response.status_code == 404
    assert response.content_type.startswith("text/html")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{}", "application/json", 200),
        ('{"a": 1}', "application/json; charset=utf-8", 200),
        ("", "", 200),
        ("{}", "text/plain", 415),
        ("{", "application/json", 400),
        ("null", "application/json", 400),
    ],
)
def test_a_body_must_be_json(client: FlaskClient, body: str, content_type: str, status: int) -> None:
    response = client.post("/api/thing", data=body, content_type=content_type)

    assert response.status_code == status, response.text
