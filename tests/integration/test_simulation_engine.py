"""A run on Flower's simulation engine, with real Ray: watched, cut and taken up again over REST.

`tests/e2e/test_page_flowers_engines.py` stops one in the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from tests.support.api import Api
from tests.support.module_servers import api_of_server
from tests.support.processes import Command, ServerProcess, wait_until_gone
from tests.support.ray_processes import (
    answer_without_token,
    engine_of,
    is_on_loopback,
    listening,
    rays,
    said,
)
from tests.support.waiting import wait_until

START_S = 150.0
"""Ray's processes may take long to start beside other tests."""

pytestmark = pytest.mark.timeout(600)

SPEC: dict[str, Any] = {
    "engine": "simulation",
    "simulated_clients": 4,
    "min_clients": 4,
    "model": "linear",
    "alpha": None,
}
ROUNDS = 25
"""Enough that the engine can be ended in the middle of the run."""

NAMES = [f"simulated-{part}" for part in range(4)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server without any client, whose temporary files are too far down for Ray's sockets."""
    home = tmp_path_factory.mktemp("engines")
    temporary = home / ("temporary-files-" * 5)
    temporary.mkdir()
    server = ServerProcess(home=home, env={"TMPDIR": str(temporary)})
    yield server
    server.end()


api = api_of_server()


def is_closed_to_others(engine: psutil.Process, family: list[psutil.Process]) -> None:
    """Ray carries out whatever code it is given: it is reached from this machine alone, and by its token."""
    ports = listening([engine, *family])
    assert ports
    assert all(map(is_on_loopback, ports.values())), ports
    answers = [answer_without_token(port) for port in ports]
    assert grpc.StatusCode.UNAUTHENTICATED in answers
    assert grpc.StatusCode.OK not in answers
    token = engine.environ()["RAY_AUTH_TOKEN"]
    assert not any(token in argument for each in family for argument in said(each))


def test_a_run_outlives_its_engine_and_looks_like_any_other(api: Api, server: ServerProcess) -> None:
    run_id = api.start(**SPEC, num_rounds=ROUNDS)["id"]
    api.wait_for_round(run_id, 1, timeout_s=START_S)
    engine, family = engine_of(server), rays(server)
    assert engine is not None
    assert len(family) > 3
    is_closed_to_others(engine, family)

    engine.kill()

    cut = api.wait_for_run(run_id, "interrupted")
    assert cut["cause"] == "engine"
    assert "Flower's simulation engine did not come to the run's end" in cut["reason"]
    assert cut["can_resume"]
    wait_until_gone(family, 60)

    api.command(run_id, "resume")

    run = api.wait_for_run(run_id, "completed", timeout_s=START_S)
    assert run["error"] is None
    assert run["clients"] == NAMES
    assert api.clients() == {}, "simulated clients are no members"
    first, *between, last = api.rounds(run_id)
    assert [each["round"] for each in between] == list(range(1, ROUNDS))
    assert last["accuracy"] > first["accuracy"]
    parts = last["per_client"]
    assert sorted(parts) == NAMES
    assert all(part["verdict"] is None and part["accuracy"] is not None for part in parts.values())
    assert sum(part["samples"] for part in parts.values()) > 1_000
    assert last["sent_bytes"] > 0
    wait_until(lambda: not rays(server), "Ray's processes have ended", 60)


def test_the_demo_has_its_clients_simulated_and_reports(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    what = (
        "--engine",
        "simulation",
        "--clients",
        "3",
        "--rounds",
        "2",
        "--dataset",
        "digits",
        "--model",
        "linear",
    )
    flags = ("--port", "0", "--no-browser", "--exit-when-done", "--report", str(report))

    command = Command("run_demo.py", *what, *flags, home=tmp_path)
    try:
        code = command.wait_for_exit(3 * START_S)  # PyTorch, Ray, and two rounds
    finally:
        command.end()

    assert code == 0, command
    said = json.loads(report.read_text(encoding="utf-8"))
    assert (said["status"], said["clients"]) == ("completed", 3)
    assert [(each["round"], each["clients"]) for each in said["rounds"]] == [(0, 0), (1, 3), (2, 3)]
    assert said["final"]["accuracy"] > said["rounds"][0]["accuracy"]
