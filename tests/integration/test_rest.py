"""Runs, events and logs by the REST API's contract, spoken over real HTTP."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.api import Api, Json, problem_of
from tests.support.module_servers import api_of_server, either_web_server
from tests.support.waiting import wait_until

server = either_web_server()
api = api_of_server()


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
            "simulated_clients": 10,
            "simulated_client_cpus": 1.0,
            "engine": "embedded",
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

    def test_the_clients_that_can_be_chosen_of_rounds_are_limited(self, api: Api) -> None:
        run = api.start()
        wanted = ",".join(f"client-{number}" for number in range(101))

        refused = api.http.get(f"/api/v1/runs/{run['id']}/rounds", params={"clients": wanted})

        assert problem_of(refused, 422)["errors"][0]["field"] == "clients"
        answer = api.get(f"/runs/{run['id']}/rounds", clients="", points=2, limit=1)
        assert answer["more"] is False
        shown = [each["round"] for each in answer["rounds"]]
        assert shown in ([], [0])  # perhaps the untrained model already

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
        problem_of(api.http.put("/api/v1/runs"), 405)

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
        def nothing() -> Json | None:  # what the audit log tells comes a moment after its entry
            last = api.get("/status")["seq"]
            answer: Json = api.get("/events", since=last)
            return {**answer, "since": last} if answer["events"] == [] else None

        answer = wait_until(nothing, "there is no news")
        assert answer["last"] == answer["since"]
        assert answer["instance"] == api.get("/status")["instance"]

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

    def test_logs_come_in_windows_with_their_counts_and_places(self, api: Api) -> None:
        run = api.start()
        api.stop(run["id"])
        wait_until(lambda: api.logs(run=run["id"], kind="info", q=run["id"].upper()), "the run is told of")
        info = api.logs(kind="info", limit=5_000)
        assert {entry["level"] for entry in info} == {"info"}
        counts = api.get("/logs/counts", kind="error")
        assert counts["info"] >= len(info)
        first, second, *_ = info
        later = api.get("/logs/counts", since=first["time"])
        assert 0 < later["info"] < api.get("/logs/counts")["info"]
        assert api.logs(since=info[-1]["time"] + 3600) == []
        assert api.logs(kind="info", skip=1, limit=1) == [second]
        assert api.logs(kind="info", after=first["seq"], limit=1) == [second]
        assert api.logs(kind="info", before=second["seq"], limit=1) == [first]
        place = api.get("/logs/place", kind="info", seq=second["seq"])
        assert (place["index"], place["entry"]) == (1, second)
        lines = api.http.get("/api/v1/logs/file", params={"format": "jsonl", "kind": "info"}).text
        assert [json.loads(line)["seq"] for line in lines.splitlines()][: len(info)] == [
            entry["seq"] for entry in info
        ]

    @pytest.mark.parametrize("what", ["", "/counts", "/place", "/file"])
    def test_the_log_of_a_run_that_there_is_not_is_not_found(self, api: Api, what: str) -> None:
        problem_of(api.http.get(f"/api/v1/logs{what}", params={"run": "nope"}), 404)

    @pytest.mark.parametrize(
        "query", ["kind=fatal", "skip=-1", "since=-1", "limit=5001", "after=x", f"q={'x' * 201}"]
    )
    def test_a_window_that_there_cannot_be_is_refused_in_words(self, api: Api, query: str) -> None:
        problem_of(api.http.get(f"/api/v1/logs?{query}"), 422)
