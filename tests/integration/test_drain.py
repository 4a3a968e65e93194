"""SIGTERM lets the round that goes on come to its end first; a second one does not wait."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.consistency import require_consistent
from tests.support.forked_server import ForkedServer
from tests.support.waiting import wait_until

PAIR = ("a", "b")
SPEC: Json = {"num_rounds": 400, "min_clients": 2, "model": "linear", "batch_size": 8, "local_epochs": 4}
ENDLESS: Json = {**SPEC, "local_epochs": 1000}


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with Fleet() as fleet:
        yield fleet


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkedServer]:
    """Not started yet; it keeps its ports, so that clients find it again."""
    server = ForkedServer(tmp_path / "home", drain_s=600)
    yield server
    server.end()
    require_consistent(server.home)


def told_to_end(server: ForkedServer) -> None:
    os.kill(server.pid, signal.SIGTERM)


def wait_for_end(server: ForkedServer) -> None:
    wait_until(lambda: not server.is_running, "the server has ended", 20)


def training(api: Api, spec: Json, rounds: int) -> str:
    """A run whose clients train, after so many rounds."""
    run_id: str = api.start(**spec)["id"]
    if rounds:
        api.wait_for_round(run_id, rounds)
    wait_until_training(api, run_id)
    return run_id


def wait_until_training(api: Api, run_id: str) -> None:
    def is_training() -> bool:
        progress = api.run(run_id)["progress"]
        return progress is not None and progress["phase"] == "training"

    wait_until(is_training, "the clients train", 20)


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_the_round_comes_to_its_end_and_the_run_goes_on_with_the_next(
    server: ForkedServer, fleet: Fleet, tmp_path: Path, mode: str
) -> None:
    server.start(async_mode=mode)
    Clients(fleet, server, tmp_path).start(*PAIR)
    with closing(Api(server.url)) as api:
        run_id = training(api, SPEC, rounds=1)

        told_to_end(server)
        wait_for_end(server)

        server.start(resume="never")
        run, newest = api.run(run_id), api.rounds(run_id)[-1]
        assert newest["complete"]
        assert newest["round"] >= 2
        assert (run["state"], run["can_resume"]) == ("interrupted", True)
        assert run["reason"] == f"the server was shut down when round {newest['round']} was over"
        said = [entry["message"] for entry in api.logs()]
        assert f"run {run_id} comes to the end of round {newest['round']} first, for at most 600 s" in said
        api.command(run_id, "resume")
        api.wait_for_round(run_id, newest["round"] + 1)
        api.end_all_runs()


def test_a_second_signal_ends_it_in_the_round(server: ForkedServer, fleet: Fleet, tmp_path: Path) -> None:
    server.start()
    Clients(fleet, server, tmp_path).start(*PAIR)
    with closing(Api(server.url)) as api:
        run_id = training(api, ENDLESS, rounds=0)

        told_to_end(server)
        wait_until(
            lambda: any("comes to the end of" in entry["message"] for entry in api.logs()), "it drains"
        )
        assert api.run(run_id)["state"] == "running", "the page is served meanwhile"
        told_to_end(server)
        wait_for_end(server)

        server.start(resume="never")
        assert api.run(run_id)["reason"] == "the server was shut down in round 1, which was not over yet"


def test_so_does_the_end_of_the_time(server: ForkedServer, fleet: Fleet, tmp_path: Path) -> None:
    server.start(drain_s=1)
    Clients(fleet, server, tmp_path).start(*PAIR)
    with closing(Api(server.url)) as api:
        run_id = training(api, ENDLESS, rounds=0)

        told_to_end(server)
        wait_for_end(server)

        server.start()
        wait_until_training(api, run_id)
        api.end_all_runs()


def test_a_server_without_a_round_to_finish_ends_at_once(server: ForkedServer) -> None:
    server.start()
    with closing(Api(server.url)) as api:
        run_id = api.start(min_clients=3)["id"]
        api.wait_for_reason(run_id, "waiting for 3 more clients")

        told_to_end(server)
        wait_for_end(server)

        server.start(resume="never")
        assert api.run(run_id)["reason"] == "the server was shut down"
