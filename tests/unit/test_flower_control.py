"""The calls of Flower's control API: what each does to the runs of a server, and what it refuses in words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from flask import g
from flask.testing import FlaskClient
from flwr.cli.build import build_fab_from_disk
from flwr.common.serde import user_config_to_proto
from flwr.proto.fab_pb2 import Fab
from flwr.proto.federation_config_pb2 import SimulationConfig
from flwr.proto.transport_pb2 import Scalar
from google.protobuf.message import Message
from werkzeug.test import TestResponse

from app.api.aside import SLEEP
from app.api.openapi import create_openapi_app
from app.auth.identity import By, Credential, Identity
from app.auth.roles import Role
from app.flower_control import api
from app.flower_control.api import create_control_api
from app.flower_control.runs import STATUS
from app.records import RunState
from shared.flower_control import (
    ListRunsRequest,
    ListRunsResponse,
    StartRunRequest,
    StartRunResponse,
    StopRunRequest,
    StopRunResponse,
    StreamLogsRequest,
)
from shared.run_spec import RunSpec
from tests.support.apps import APPS
from tests.support.control_server import APP, ControlServer, control_server
from tests.support.records import a_run

FAB = Fab(content=build_fab_from_disk(APP))
PROTOBUF = "application/protobuf"
OWNER = Identity(Role.ADMIN, By.OWNER, None, Credential(By.OWNER))

M = TypeVar("M", bound=Message)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ControlServer]:
    with control_server(tmp_path) as server:
        yield server


@pytest.fixture
def client(server: ControlServer) -> FlaskClient:
    flask_app = create_openapi_app("app")
    flask_app.extensions["fedloom"] = server
    flask_app.extensions[SLEEP] = lambda _: None
    flask_app.register_blueprint(create_control_api())
    flask_app.before_request(lambda: setattr(g, "identity", OWNER))
    return flask_app.test_client()


def call(client: FlaskClient, name: str, message: Message | bytes = b"", **options: Any) -> TestResponse:
    data = message if isinstance(message, bytes) else message.SerializeToString()
    return client.post(f"/v1/control/{name}", data=data, **{"content_type": PROTOBUF, **options})


def answered(response: TestResponse, kind: type[M]) -> M:
    """The message of an answer that is no error."""
    assert (response.status_code, response.content_type) == (200, PROTOBUF), response.text
    message = kind()
    message.ParseFromString(response.data)
    return message


def refused(response: TestResponse, status: int) -> str:
    """What `flwr` prints of an answer that is an error."""
    assert (response.status_code, response.content_type) == (status, "application/problem+json")
    detail: str = response.get_json()["detail"]
    return detail


def asked_to_start(**values: Any) -> StartRunRequest:
    """`flwr run . --run-config` of the server's own app."""
    return StartRunRequest(fab=FAB, override_config=user_config_to_proto(values))


class TestStart:
    def test_a_run_of_the_servers_own_app_is_queued(self, client: FlaskClient, server: ControlServer) -> None:
        asked = asked_to_start(**{"num-server-rounds": 2, "learning-rate": 0.5})

        answer = answered(call(client, "start-run", asked), StartRunResponse)

        (run,) = server.book.newest_first()
        assert answer.run_id == int(run.id, 16) == 0xFFFFFFF0
        assert answer.note == "on FedLoom's page, http://localhost/, it is run fffffff0."
        assert run.spec.app == "quickstart-numpy"
        assert run.spec.run_config == {"num-server-rounds": 2, "learning-rate": 0.5}
        assert run.num_rounds == 2, "what the command says, not what the server was started with"
        assert run.spec.min_clients == 3, (
            "what the server was started with, of which the command says nothing"
        )

    def test_without_a_run_config_the_apps_own_holds(
        self, client: FlaskClient, server: ControlServer
    ) -> None:
        answered(call(client, "start-run", asked_to_start()), StartRunResponse)

        assert server.book.newest_first()[0].num_rounds == 3

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            (StartRunRequest(), "What was sent is no Flower App Bundle"),
            (
                StartRunRequest(fab=Fab(content=build_fab_from_disk(APPS / "custom-strategy"))),
                "yours is custom-strategy 1.0.0",
            ),
            (StartRunRequest(fab=FAB, app_spec="@flwrlabs/quickstart"), "fetches no app from elsewhere"),
            (StartRunRequest(fab=FAB, federation="@me/mine"), "This server has no federations"),
            (
                StartRunRequest(fab=FAB, override_federation_config=SimulationConfig(num_supernodes=3)),
                "This server simulates no clients",
            ),
            (StartRunRequest(fab=FAB, user_prompt="Hello"), "This server runs no agents"),
            (asked_to_start(nonsense=1), "has no 'nonsense' in its run config"),
            (
                asked_to_start(**{"learning-rate": "x"}),
                "it is a text, and the app quickstart-numpy has a number",
            ),
            (asked_to_start(**{"learning-rate": float("nan")}), "should be a finite number"),
            (asked_to_start(**{"num-server-rounds": 10**6}), "num_rounds: Input should be less than"),
            (asked_to_start(**{f"key-{n}": n for n in range(1_001)}), "more than 1,000 values"),
            (StartRunRequest(fab=FAB, override_config={"lr": Scalar()}), "'lr' has no value"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_this_server_cannot_run_is_refused_in_words(
        self, client: FlaskClient, server: ControlServer, asked: StartRunRequest, words: str
    ) -> None:
        assert words in refused(call(client, "start-run", asked), 422)
        assert server.book.newest_first() == []

    def test_more_at_once_than_are_taken_in_are_told_to_come_again(
        self, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        busy, go_on = threading.Semaphore(0), threading.Event()

        def slow(*_: Any) -> RunSpec:
            busy.release()
            go_on.wait(10)
            return RunSpec()

        monkeypatch.setattr(api, "spec_of", slow)
        others = [
            threading.Thread(target=call, args=(client, "start-run", asked_to_start()))
            for _ in range(api.AT_ONCE)
        ]
        for other in others:
            other.start()
        for _ in others:
            assert busy.acquire(timeout=10)
        try:
            assert refused(call(client, "start-run", asked_to_start()), 503).startswith("Too many runs")
        finally:
            go_on.set()
            for other in others:
                other.join()
        answered(call(client, "start-run", asked_to_start()), StartRunResponse)


class TestCalls:
    """A call is one of Flower's, or refused before anything is done."""

    @pytest.mark.parametrize("name", ["start-run", "list-runs", "stop-run", "stream-logs"])
    def test_that_is_no_message_is_refused(self, client: FlaskClient, name: str) -> None:
        assert refused(call(client, name, b"\xff\xff"), 400).endswith("of Flower's control API.")

    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""]
    )
    def test_of_a_type_that_any_page_can_send_is_refused(self, client: FlaskClient, kind: str) -> None:
        assert "application/protobuf" in refused(call(client, "list-runs", content_type=kind), 415)

    def test_that_is_packed_is_refused(self, client: FlaskClient) -> None:
        packed = call(client, "list-runs", headers={"Content-Encoding": "gzip"})

        assert "uncompressed" in refused(packed, 415)

    def test_that_is_too_large_is_refused_unread(self, client: FlaskClient) -> None:
        refused(call(client, "start-run", bytes(api.MAX_CALL + 1)), 413)

    def test_without_a_length_is_refused(self, client: FlaskClient) -> None:
        endless = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}

        refused(call(client, "list-runs", environ_overrides=endless), 411)

    def test_from_a_browsers_address_bar_is_no_call(self, client: FlaskClient) -> None:
        assert "/api/v1" in refused(client.get("/v1/control/list-runs"), 415)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("get-login-details", "This server has no accounts"),
            ("list-federations", "This server has no federations"),
            ("add-node-to-federation", "This server has no federations"),
            ("create-invitation", "This server has no federations"),
            ("list-nodes", "one more joins with `python run_client.py`"),
            ("pull-artifacts", "`python -m app.export` with a run's id"),
            ("something/new", "This server does not know 'something/new'"),
        ],
    )
    def test_that_has_no_meaning_here_is_answered_in_words(
        self, client: FlaskClient, name: str, words: str
    ) -> None:
        assert words in refused(call(client, name), 501)


def listed(client: FlaskClient, **asked: Any) -> ListRunsResponse:
    return answered(call(client, "list-runs", ListRunsRequest(**asked)), ListRunsResponse)


class TestList:
    def test_runs_are_shown_in_flowers_words(self, client: FlaskClient, server: ControlServer) -> None:
        assert set(STATUS) == set(RunState)
        for number, state in enumerate(RunState):
            server.book.add(a_run(f"{number:08x}", state=state, reason="so it is", started_at=5.0))

        shown = listed(client).run_dict

        status = {number: (run.status.status, run.status.sub_status) for number, run in shown.items()}
        assert status == {number: STATUS[state] for number, state in enumerate(RunState)}
        paused = shown[list(RunState).index(RunState.PAUSED)]
        assert paused.status.details == "run 00000003: paused: so it is"
        assert (paused.running_at, paused.finished_at) == ("1970-01-01T00:00:05+00:00", "")

    def test_the_version_of_an_app_is_told_of_runs_that_had_it(
        self, client: FlaskClient, server: ControlServer
    ) -> None:
        own = RunSpec(app="quickstart-numpy")
        server.book.add(a_run("00000001", spec=own))
        server.book.add(a_run("00000002", spec=own, finished_at=server.started_at - 1))
        server.book.add(a_run("00000003", spec=RunSpec(app="another")))
        server.book.add(a_run("00000004"))

        shown = listed(client).run_dict

        assert {number: (run.fab_id, run.fab_version) for number, run in shown.items()} == {
            1: ("quickstart-numpy", "1.0.0"),
            2: ("quickstart-numpy", "unknown"),
            3: ("another", "unknown"),
            4: ("fedloom", "unknown"),
        }

    def test_the_newest_come_first_and_as_many_as_are_asked_for(
        self, client: FlaskClient, server: ControlServer
    ) -> None:
        for number in range(30):
            server.book.add(a_run(f"{number:08x}"))

        assert set(listed(client).run_dict) == set(range(10, 30))
        assert set(listed(client, limit=2).run_dict) == {28, 29}
        assert set(listed(client, limit=2, skip=3).run_dict) == {25, 26}
        assert set(listed(client, limit=2**60).run_dict) == set(range(30))
        assert set(listed(client, run_id=7).run_dict) == {7}

    @pytest.mark.parametrize("number", [99, 2**64 - 1])
    def test_one_that_is_not_there_is_said_so(self, client: FlaskClient, number: int) -> None:
        asked = (
            ListRunsRequest(run_id=number),
            StopRunRequest(run_id=number),
            StreamLogsRequest(run_id=number),
        )

        for name, message in zip(("list-runs", "stop-run", "stream-logs"), asked, strict=True):
            assert refused(call(client, name, message), 404).startswith(f"There is no run {number} here.")


def test_a_run_is_stopped_once(client: FlaskClient, server: ControlServer) -> None:
    server.book.add(a_run("0000000a"))

    assert answered(call(client, "stop-run", StopRunRequest(run_id=10)), StopRunResponse).success
    assert server.book.run("0000000a").state is RunState.STOPPED
    assert "it is stopped already" in refused(call(client, "stop-run", StopRunRequest(run_id=10)), 409)
