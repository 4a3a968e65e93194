"""Webhook and trackers of real servers: what they are told of a run, and what outlasts the server."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.exports import scalars
from tests.support.mlflow_server import mlflow_server
from tests.support.processes import ServerProcess
from tests.support.receiver import is_genuine, receiving
from tests.support.waiting import wait_until

TOLD_WITHIN_S = 20.0
"""What docs/notifications.md promises for a receiver that answers."""


def test_a_run_is_told_of_and_tracked_as_it_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "boards"
    with receiving() as receiver, mlflow_server() as mlflow, Fleet() as fleet:
        flags = ("--webhook", receiver.url, "--webhook-waiting", "1")
        trackers = ("--track", f"tensorboard:{folder}", "--track", f"mlflow:{mlflow.url}")
        server = ServerProcess(*flags, *trackers, home=tmp_path)
        api = Api(server.url)
        try:
            run = api.start(num_rounds=2, min_clients=2)["id"]
            wait_until(lambda: receiver.of("run.waiting"), "the long wait is told")
            Clients(fleet, server, tmp_path / "data").start("client-1", "client-2")
            api.wait_for_run(run, "completed")

            [ended] = wait_until(lambda: receiver.of("run.completed"), "the end is told")
            assert (ended["run"]["id"], ended["run"]["round"]) == (run, 2)
            assert ended["run"]["accuracy"] == api.run(run)["final"]["accuracy"]
            assert all(is_genuine(tmp_path / "webhook-secret", *each) for each in receiver.requests)
            [kept] = wait_until(
                lambda: [each for each in mlflow.runs.values() if each.status == "FINISHED"], "MLflow has it"
            )
            assert [each["step"] for each in kept.metrics["accuracy"]] == [0, 1, 2]
            assert kept.metrics.keys() >= {"client/client-1/train_loss", "client/client-2/train_loss"}
            losses = [value for _, _, value in scalars(folder / run / "global")["loss"]]
            assert losses == pytest.approx([each["loss"] for each in api.rounds(run)])
            told = api.get("/outlets")
            assert [each["problem"] for each in (told["webhook"], *told["trackers"])] == [None] * 3
            assert "hidden" not in str(told) + server.output
        finally:
            api.close()
            server.end()


def test_a_run_that_is_over_is_told_within_seconds_while_the_next_goes_on(tmp_path: Path) -> None:
    with receiving() as receiver, Fleet() as fleet:
        server = ServerProcess("--webhook", receiver.url, home=tmp_path)
        api = Api(server.url)
        try:
            Clients(fleet, server, tmp_path / "data").start("client-1")
            api.wait_for_client("client-1", "idle")
            first = api.start(num_rounds=2, min_clients=1)["id"]
            second = api.start(num_rounds=10_000, min_clients=1)["id"]
            api.wait_for_run(first, "completed")

            wait_until(lambda: receiver.of("run.completed"), "it is told in time", TOLD_WITHIN_S)

            assert [notice["run"]["id"] for notice in receiver.of("run.completed")] == [first]
            api.wait_for_round(second, 1)
            assert api.run(second)["state"] == "running"
        finally:
            api.end_all_runs()
            api.close()
            server.end()


def test_a_notice_outlasts_a_killed_server(tmp_path: Path) -> None:
    with receiving() as gone:
        url = gone.url
    server = ServerProcess("--webhook", url, home=tmp_path)
    api = Api(server.url)
    sent = api.http.post("/api/v1/outlets/webhook/test").json()["id"]
    wait_until(lambda: api.get("/outlets")["webhook"]["problem"], "the failure is seen")
    api.close()
    server.signal(signal.SIGKILL)
    server.end()

    with receiving() as back:
        again = ServerProcess("--webhook", back.url, home=tmp_path)
        try:
            wait_until(lambda: back.notices, "it has arrived")
        finally:
            again.end()
        assert [notice["id"] for notice in back.notices] == [sent]


def test_trackers_that_fail_hurt_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with mlflow_server() as gone:
        url = gone.url
    flags = ("--track", f"tensorboard:{tmp_path / 'file'}", "--track", f"mlflow:{url}")
    server = ServerProcess(*flags, home=tmp_path)
    api = Api(server.url)
    try:
        with Fleet() as fleet:
            Clients(fleet, server, tmp_path / "data").start("client-1", "client-2")
            api.wait_for_run(api.start(num_rounds=1, min_clients=2)["id"], "completed")
        for kind in ("tensorboard", "mlflow"):
            server.wait_for_output(re.compile(f"the tracker {kind}:"), 30)
        assert server.output.count("cannot be written") == 2
    finally:
        api.close()
        server.end()


def test_without_a_webhook_a_test_says_how_to_have_one(session_server: ServerProcess, api: Api) -> None:
    answer = api.http.post("/api/v1/outlets/webhook/test")

    assert answer.status_code == 409
    assert "--webhook URL" in answer.json()["detail"]
    assert api.get("/outlets") == {"webhook": None, "trackers": []}
