"""The checkpoints of a run over REST: a list, and the files themselves."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from flask import g
from flask.testing import FlaskClient
from flwr.app import Array, ArrayRecord
from safetensors.numpy import load

from app.api.checkpoints import checkpoints_api
from app.api.openapi import create_openapi_app
from app.api.problems import register_problem_handlers
from app.auth.identity import By, Credential, Identity
from app.auth.roles import Role
from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.records import Round
from app.store.checkpoints import CheckpointStore
from tests.support.audit import a_log
from tests.support.records import a_run

RUN = "7f3a9c01"


@pytest.fixture
def checkpoints(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path)


def sent_by_the_owner() -> None:
    g.identity = Identity(Role.ADMIN, By.OWNER, None, Credential(By.OWNER))


@pytest.fixture
def client(checkpoints: CheckpointStore) -> FlaskClient:
    """A client of a server with one run that has two complete rounds, of which the first was better."""
    book = RunBook(EventBus())
    book.add(a_run(RUN))
    for number, accuracy in ((1, 0.9), (2, 0.8)):
        book.put_round(RUN, Round(round=number, complete=True, accuracy=accuracy, started_at=0.0))
        arrays = ArrayRecord({"weight": Array(np.full(4, number, np.float32))})
        checkpoints.save(RUN, number, arrays, {}, {})
    flask_app = create_openapi_app("app")
    flask_app.extensions["fedloom"] = SimpleNamespace(book=book, checkpoints=checkpoints, audit=a_log())
    register_problem_handlers(flask_app)
    flask_app.before_request(sent_by_the_owner)
    flask_app.register_api(checkpoints_api)
    return flask_app.test_client()


def test_they_are_listed_oldest_first(client: FlaskClient, checkpoints: CheckpointStore) -> None:
    response = client.get(f"/api/v1/runs/{RUN}/checkpoints")

    assert response.status_code == 200
    listed = response.get_json()["checkpoints"]
    assert [(entry["round"], entry["best"]) for entry in listed] == [(1, True), (2, False)]
    assert listed[0]["bytes"] == checkpoints.path(RUN, 1).stat().st_size
    assert listed[0]["created_at"] <= listed[1]["created_at"]


def test_a_model_can_be_downloaded(client: FlaskClient) -> None:
    with client.get(f"/api/v1/runs/{RUN}/checkpoints/2") as response:
        assert response.status_code == 200
        assert (
            response.headers["Content-Disposition"]
            == f"attachment; filename=fedloom-{RUN}-round-2.safetensors"
        )
        assert load(response.data)["weight"].tolist() == [2.0] * 4


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("unknown/checkpoints", "There is no run 'unknown'"),
        ("unknown/checkpoints/1", "There is no run 'unknown'"),
        ("../checkpoints", None),
        (f"{RUN}/checkpoints/3", f"Run {RUN} has no checkpoint of round 3. Only the newest and the best"),
        (f"{RUN}/checkpoints/-1", None),
    ],
)
def test_what_is_not_there_is_said_in_words(client: FlaskClient, address: str, words: str | None) -> None:
    response = client.get(f"/api/v1/runs/{address}")

    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
    assert words is None or response.get_json()["detail"].startswith(words)
