"""The REST API's contract, spoken over real HTTP."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.support.api import Api, Json
from tests.support.processes import ServerProcess

ROUTES = {
    "/healthz": {"get"},
    "/api/v1/status": {"get"},
    "/api/v1/audit": {"get"},
    "/api/v1/audit/checkpoint": {"get"},
    "/api/v1/audit/entries": {"get"},
    "/api/v1/runs": {"get", "post"},
    "/api/v1/runs/{run_id}": {"get"},
    "/api/v1/runs/{run_id}/rounds": {"get"},
    "/api/v1/runs/{run_id}/stop": {"post"},
    "/api/v1/runs/{run_id}/pause": {"post"},
    "/api/v1/runs/{run_id}/resume": {"post"},
    "/api/v1/runs/{run_id}/checkpoints": {"get"},
    "/api/v1/runs/{run_id}/checkpoints/{round}": {"get"},
    "/api/v1/runs/{run_id}/export": {"get"},
    "/api/v1/runs/{run_id}/verdicts": {"get"},
    "/api/v1/strategies": {"get"},
    "/api/v1/clients": {"get"},
    "/api/v1/clients/{client_id}/approve": {"post"},
    "/api/v1/clients/{client_id}/reject": {"post"},
    "/api/v1/clients/{client_id}/revoke": {"post"},
    "/api/v1/clients/{client_id}/readmit": {"post"},
    "/api/v1/invitations": {"get", "post"},
    "/api/v1/invitations/{invitation_id}/revoke": {"post"},
    "/api/v1/next-key": {"get", "post"},
    "/api/v1/events": {"get"},
    "/api/v1/logs": {"get"},
    "/api/v1/me": {"get"},
    "/api/v1/me/password": {"post"},
    "/api/v1/login": {"post"},
    "/api/v1/logout": {"post"},
    "/api/v1/setup": {"post"},
    "/api/v1/users": {"get", "post"},
    "/api/v1/users/{name}": {"patch", "delete"},
    "/api/v1/tokens": {"get", "post"},
    "/api/v1/tokens/{id}": {"delete"},
}


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def session_server(request: pytest.FixtureRequest, session_server: ServerProcess) -> ServerProcess:
    """Both web servers answer the same."""
    if request.param == "eventlet":
        return session_server
    server: ServerProcess = request.getfixturevalue("threading_server")
    return server


@pytest.fixture
def mode(session_server: ServerProcess) -> str:
    return "threading" if "--async-mode" in session_server.name else "eventlet"


def problem_of(response: httpx.Response, status: int) -> Json:
    """The problem in a response, after a look at its form (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: Json = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem


def fields_of(problem: Json) -> list[str]:
    return [error["field"] for error in problem["errors"]]


class TestRuns:
    def test_a_run_is_created_with_the_defaults(self, api: Api) -> None:
        response = api.http.post("/api/v1/runs", json={})

        assert response.status_code == 201
        run = response.json()
        assert re.fullmatch(r"[0-9a-f]{8}", run["id"])
        assert run["spec"] == {
            "app": None,
            "run_config": {},
            "dataset": "digits",
            "model": "cnn",
            "num_rounds": 10,
            "min_clients": 2,
            "num_partitions": None,
            "strategy": "fedavg",
            "strategy_params": {},
            "local_epochs": 1,
            "batch_size": 32,
            "lr": 0.05,
            "alpha": 0.5,
            "seed": 0,
            "fraction_train": 1.0,
            "fraction_evaluate": 1.0,
            "round_timeout_s": None,
            "min_replies": 1,
            "min_reply_share": 0.0,
            "keep_checkpoints": 3,
            "keep_updates": False,
            "dp": None,
            "stop_at_first_budget": False,
            "secure_aggregation": None,
        }
        assert (run["round"], run["num_rounds"], run["final"], run["error"]) == (0, 10, None, None)
        assert (run["started_at"], run["finished_at"], run["progress"], run["clients"]) == (
            None,
            None,
            None,
            [],
        )

    def test_its_address_is_in_the_answer(self, api: Api) -> None:
        response = api.http.post("/api/v1/runs", json={})

        location = response.headers["Location"]
        assert location == f"/api/v1/runs/{response.json()['id']}"
        assert api.http.get(location).json()["id"] == response.json()["id"]

    def test_without_clients_it_waits_and_says_for_what(self, api: Api) -> None:
        run = api.start(min_clients=3)

        waiting = api.wait_for_reason(run["id"], "waiting for")
        assert waiting["reason"] == "waiting for 3 more clients (0 of 3)"
        assert api.get("/status")["active_run"] == run["id"]

    def test_a_second_run_is_queued_and_says_why(self, api: Api) -> None:
        first, second = api.start(), api.start()

        assert second["state"] == "queued"
        assert second["reason"] == "waiting for the run before it to end"
        api.wait_for_run(first["id"], "waiting")
        assert api.run(second["id"])["state"] == "queued"
        assert api.get("/status")["queued_runs"] == 1

    def test_the_next_run_begins_when_the_one_before_it_was_stopped(self, api: Api) -> None:
        first, second = api.start(), api.start()
        api.wait_for_run(first["id"], "waiting")

        api.stop(first["id"])

        waiting = api.wait_for_reason(second["id"], "waiting for")
        assert waiting["reason"] == "waiting for 2 more clients (0 of 2)"

    def test_runs_are_listed_newest_first(self, api: Api) -> None:
        started = [api.start()["id"] for _ in range(3)]

        assert [run["id"] for run in api.get("/runs")["runs"]][:3] == started[::-1]

    def test_a_waiting_run_can_be_stopped(self, api: Api) -> None:
        run = api.start()
        api.wait_for_run(run["id"], "waiting")

        assert api.stop(run["id"]).status_code == 200

        stopped = api.wait_for_run(run["id"], "stopped")
        assert stopped["reason"] == "stopped by request"
        assert stopped["finished_at"] >= stopped["created_at"]

    def test_a_queued_run_is_stopped_at_once_and_never_begins(self, api: Api) -> None:
        first, second = api.start(), api.start()

        assert api.stop(second["id"]).json()["state"] == "stopped"

        api.stop(first["id"])
        api.wait_for_run(first["id"], "stopped")
        assert api.run(second["id"])["started_at"] is None

    def test_a_run_that_ended_cannot_be_stopped_again(self, api: Api) -> None:
        run = api.start()
        api.stop(run["id"])
        api.wait_for_run(run["id"], "stopped")

        problem = problem_of(api.stop(run["id"]), 409)

        assert problem["detail"] == f"Run {run['id']} cannot be stopped: it is stopped already."

    def test_a_run_that_has_not_begun_has_no_rounds(self, api: Api) -> None:
        _, second = api.start(), api.start()

        assert api.rounds(second["id"]) == []

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/api/v1/runs/12345678"),
            ("GET", "/api/v1/runs/12345678/rounds"),
            ("POST", "/api/v1/runs/12345678/stop"),
        ],
    )
    def test_a_run_that_does_not_exist_is_named(self, api: Api, method: str, path: str) -> None:
        assert "'12345678'" in problem_of(api.http.request(method, path), 404)["detail"]


class TestWrongInput:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("dataset", "imagenet"),
            ("dataset", 7),
            ("model", None),
            ("num_rounds", 0),
            ("num_rounds", "many"),
            ("num_rounds", 2.5),
            ("num_rounds", 10**30),
            ("min_clients", -1),
            ("num_partitions", 1),
            ("strategy", "magic"),
            ("strategy_params", {"beta": 0.9}),
            ("strategy_params", []),
            ("lr", 0),
            ("lr", "fast"),
            ("alpha", -0.5),
            ("seed", -1),
            ("fraction_train", 1.5),
            ("fraction_evaluate", -1),
            ("epochs", 3),
        ],
    )
    def test_the_field_is_named(self, api: Api, field: str, value: Any) -> None:
        before = len(api.get("/runs")["runs"])

        problem = problem_of(api.http.post("/api/v1/runs", json={field: value}), 422)

        assert {name.split(".")[0] for name in fields_of(problem)} == {field}
        assert field in problem["detail"]
        assert len(api.get("/runs")["runs"]) == before

    def test_every_field_that_is_wrong_is_named(self, api: Api) -> None:
        problem = problem_of(api.http.post("/api/v1/runs", json={"lr": -1, "seed": "x", "foo": 1}), 422)

        assert sorted(fields_of(problem)) == ["foo", "lr", "seed"]

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
    def test_numbers_that_are_none_are_refused(self, api: Api, number: str) -> None:
        headers = {"Content-Type": "application/json"}
        body = f'{{"lr": {number}}}'

        response = api.http.post("/api/v1/runs", content=body, headers=headers)

        assert response.status_code in {400, 422}, response.text
        problem_of(response, response.status_code)

    @pytest.mark.parametrize("body", ["{", "lr=1", "{'lr': 1}", "\x00", '{"lr": 1}}'])
    def test_a_body_that_is_not_json_is_refused(self, api: Api, body: str) -> None:
        response = api.http.post("/api/v1/runs", content=body, headers={"Content-Type": "application/json"})

        assert "not JSON" in problem_of(response, 400)["detail"]

    @pytest.mark.parametrize("body", ["[]", "3", '"text"', "null", '[{"lr": 1}]'])
    def test_json_that_is_no_object_is_refused(self, api: Api, body: str) -> None:
        response = api.http.post("/api/v1/runs", content=body, headers={"Content-Type": "application/json"})

        assert response.status_code in {400, 422}, response.text
        problem_of(response, response.status_code)

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_a_body_of_another_type_is_refused(self, api: Api, content_type: str) -> None:
        response = api.http.post("/api/v1/runs", content="{}", headers={"Content-Type": content_type})

        assert "application/json" in problem_of(response, 415)["detail"]

    def test_a_body_that_is_too_large_is_refused(self, api: Api) -> None:
        response = api.http.post("/api/v1/runs", json={"dataset": "x" * (2 << 20)})

        problem_of(response, 413)

    def test_an_address_that_does_not_exist_is_a_problem_too(self, api: Api) -> None:
        problem_of(api.http.get("/api/v1/nothing"), 404)

    def test_a_method_that_does_not_exist_is_a_problem_too(self, api: Api) -> None:
        problem_of(api.http.delete("/api/v1/runs"), 405)

    @pytest.mark.parametrize(
        ("path", "field"),
        [
            ("/logs?level=loud", "level"),
            ("/logs?limit=0", "limit"),
            ("/logs?limit=many", "limit"),
            ("/events?since=yesterday", "since"),
        ],
    )
    def test_a_wrong_query_is_named(self, api: Api, path: str, field: str) -> None:
        assert fields_of(problem_of(api.http.get(f"/api/v1{path}"), 422)) == [field]


class TestEventsAndLogs:
    def test_events_after_a_number_are_all_that_came_since(self, api: Api) -> None:
        since = api.get("/status")["seq"]
        run = api.start()

        answer = api.get("/events", since=since)

        assert [event["seq"] for event in answer["events"]] == list(range(since + 1, answer["last"] + 1))
        first = answer["events"][0]
        assert first["type"] == "run_update"
        assert first["data"]["id"] == run["id"]
        assert answer["instance"] == api.get("/status")["instance"]

    def test_without_news_the_list_is_empty_and_the_number_stays(self, api: Api) -> None:
        last = api.get("/events", since=api.get("/status")["seq"])["last"]

        assert api.get("/events", since=last) == {
            "events": [],
            "last": last,
            "instance": api.get("/status")["instance"],
        }

    @pytest.mark.parametrize("since", [-1, 10**9, 10**30])
    def test_numbers_that_were_never_given_are_gone(self, api: Api, since: int) -> None:
        problem = problem_of(api.http.get("/api/v1/events", params={"since": str(since)}), 410)

        assert "snapshot" in problem["detail"]

    def test_logs_can_be_narrowed_by_level_source_and_number(self, api: Api) -> None:
        api.stop(api.start()["id"])
        everything = api.logs()

        assert [entry["seq"] for entry in everything] == sorted(entry["seq"] for entry in everything)
        assert {entry["level"] for entry in api.logs(level="warning")} <= {"warning", "error"}
        assert {entry["source"] for entry in api.logs(source="server")} == {"server"}
        assert api.logs(source="nobody") == []
        newest = [entry["seq"] for entry in api.logs(limit=2)]
        known = [entry["seq"] for entry in api.logs() if entry["seq"] <= newest[-1]]
        assert newest == known[-2:]


class TestTheServerItself:
    def test_health_is_one_word(self, api: Api) -> None:
        assert api.http.get("/healthz").json()["status"] == "ok"

    def test_the_status_tells_how_to_join(self, api: Api, session_server: ServerProcess, mode: str) -> None:
        status = api.get("/status")

        assert status["version"] == "0.1.0"
        assert status["async_mode"] == mode
        assert status["link"] == {"host": "127.0.0.1", "port": session_server.link_port}
        assert status["uptime_s"] > 0
        join = re.fullmatch(
            r"python run_client\.py --client-id client-\d+ --dataset digits --server (\S+)",
            status["join_command"],
        )
        assert join is not None
        assert join[1] == session_server.link

    def test_openapi_describes_every_route(self, api: Api) -> None:
        document = api.http.get("/api/openapi.json").json()

        described = {
            path: {method for method in methods if method in {"get", "post", "put", "patch", "delete"}}
            for path, methods in document["paths"].items()
        }
        assert described == ROUTES
        assert document["openapi"].startswith("3.")
        assert set(document["components"]["securitySchemes"]) == {"session", "token"}
        assert {"RunSpec", "Run", "Round", "Client", "Problem"} <= set(document["components"]["schemas"])

    def test_there_is_a_page_to_read_it_that_loads_nothing_from_elsewhere(self, api: Api) -> None:
        page = api.http.get("/api/docs", follow_redirects=True)

        assert page.status_code == 200
        assert "text/html" in page.headers["Content-Type"]
        addresses = re.findall(r'(?:src|href|spec-url)="([^"]+)"', page.text)
        assert addresses
        assert not [address for address in addresses if "//" in address]
        for address in addresses:
            assert api.http.get(page.url.join(address)).status_code == 200

    def test_the_page_is_served_with_all_that_it_loads(self, api: Api) -> None:
        page = api.http.get("/")

        assert page.status_code == 200
        addresses = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
        assert addresses
        for address in addresses:
            assert api.http.get(address).status_code == 200, address


class TestSecurity:
    @pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/runs", "/api/v1/nothing", "/api/docs"])
    def test_every_answer_has_the_protective_headers(self, api: Api, path: str) -> None:
        headers = api.http.get(path).headers

        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe-eval" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:80", "localhost.evil.example", "192.168.7.7"]
    )
    def test_a_foreign_name_for_this_machine_is_refused(self, api: Api, host: str) -> None:
        response = api.http.get("/api/v1/status", headers={"Host": host})

        assert "localhost" in problem_of(response, 403)["detail"]

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
    def test_this_machines_own_names_are_accepted(
        self, api: Api, session_server: ServerProcess, host: str
    ) -> None:
        headers = {"Host": f"{host}:{session_server.port}"}

        assert api.http.get("/api/v1/status", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "null", "http://localhost:1", "https://localhost.evil"]
    )
    def test_a_page_from_elsewhere_cannot_start_a_run(self, api: Api, origin: str) -> None:
        before = len(api.get("/runs")["runs"])

        response = api.http.post("/api/v1/runs", json={}, headers={"Origin": origin})

        problem_of(response, 403)
        assert len(api.get("/runs")["runs"]) == before

    def test_our_own_page_can_start_a_run(self, api: Api, session_server: ServerProcess) -> None:
        response = api.http.post("/api/v1/runs", json={}, headers={"Origin": session_server.url})

        assert response.status_code == 201

    @pytest.mark.parametrize(
        "path", ["/static/../app.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py"]
    )
    def test_files_beside_the_page_are_not_served(self, api: Api, path: str) -> None:
        assert api.http.get(path).status_code == 404
