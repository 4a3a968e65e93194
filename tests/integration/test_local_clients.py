"""Clients that are started from the page: they join, they are bounded, and none outlives the server."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing

import psutil
import pytest

from tests.conftest import StartServer
from tests.support.api import Api, Json
from tests.support.module_servers import own_server
from tests.support.processes import ServerProcess, wait_until_gone
from tests.support.waiting import wait_until

LOCAL = "/api/v1/local-clients"


server = own_server()


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    with closing(Api(server.url)) as api:
        yield api
        api.http.delete(LOCAL)


def start(api: Api, count: int, **more: str) -> Json:
    answer = api.http.post(LOCAL, json={"count": count, **more})
    assert answer.status_code == 201, answer.text
    listed: Json = answer.json()
    return listed


def wait_for_clients(api: Api, *names: str) -> None:
    """Wait until these clients are connected, and no others."""

    def connected() -> bool:
        there = {name for name, client in api.clients().items() if client["state"] != "lost"}
        return there == set(names)

    wait_until(connected, f"connected are {names}")


def clients_of(server: ServerProcess) -> list[psutil.Process]:
    """The server's client processes and their wardens."""
    return [child for child in server.family() if "run_client.py" in " ".join(child.cmdline())]


def test_two_are_started_train_and_are_ended(server: ServerProcess, api: Api) -> None:
    listed = start(api, 2)

    assert [(each["id"], each["state"], each["dataset"]) for each in listed["clients"]] == [
        ("local-1", "running", "digits"),
        ("local-2", "running", "digits"),
    ]
    wait_for_clients(api, "local-1", "local-2")
    run = api.start(num_rounds=1, min_clients=2, model="linear")
    api.wait_for_run(run["id"], "completed")
    processes = clients_of(server)
    assert len(processes) == 4, "each with its warden"

    assert api.http.delete(f"{LOCAL}/local-1").status_code == 204
    wait_for_clients(api, "local-2")
    assert api.http.delete(f"{LOCAL}/local-1").status_code == 404
    assert api.http.delete(LOCAL).json() == {"ended": ["local-2"]}
    wait_until_gone(processes)
    assert api.get("/local-clients")["clients"] == []

    def entries() -> list[Json]:
        all_of_them = api.get("/audit/entries")["entries"]
        return [entry for entry in reversed(all_of_them) if entry["kind"].startswith("local-")]

    wait_until(lambda: len(entries()) >= 3, "all three are entered in the audit log")
    assert [(entry["kind"], entry["fields"]["clients"]) for entry in entries()] == [
        ("local-clients-started", ["local-1", "local-2"]),
        ("local-clients-ended", ["local-1"]),
        ("local-clients-ended", ["local-2"]),
    ]
    assert entries()[0]["fields"]["dataset"] == "digits"


def test_the_name_of_one_that_was_ended_is_free_again_and_other_data_may_be_asked_for(api: Api) -> None:
    start(api, 1)
    wait_for_clients(api, "local-1")
    api.http.delete(LOCAL)
    wait_for_clients(api)

    start(api, 1, dataset="synthetic")

    wait_for_clients(api, "local-1")
    assert api.clients()["local-1"]["dataset"] == "synthetic"


def test_one_that_ends_by_itself_says_why(api: Api, server: ServerProcess) -> None:
    start(api, 1)
    wait_for_clients(api, "local-1")
    (client,) = [process for process in clients_of(server) if "warden" not in process.cmdline()]

    client.kill()

    (ended,) = wait_until(
        lambda: [each for each in api.get("/local-clients")["clients"] if each["state"] == "ended"],
        "local-1 is known to have ended",
    )
    assert "SIGKILL" in ended["reason"]
    assert any("the local client local-1 has ended" in line["message"] for line in api.logs(limit=50))


def test_no_more_are_started_than_there_is_room_for(server: ServerProcess, api: Api) -> None:
    limit = api.get("/local-clients")["limit"]

    refused = api.http.post(LOCAL, json={"count": limit + 1})

    assert refused.status_code == 409
    assert f"room for {limit} local clients" in refused.json()["detail"]
    assert api.http.post(LOCAL, json={"count": 0}).status_code == 422
    assert api.http.post(LOCAL, json={"count": 1, "dataset": "--help"}).status_code == 422
    assert clients_of(server) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_none_outlives_its_server(start_server: StartServer, number: signal.Signals) -> None:
    server = start_server()
    with closing(Api(server.url)) as api:
        start(api, 2)
        wait_for_clients(api, "local-1", "local-2")
    processes = clients_of(server)
    assert len(processes) == 4

    server.signal(number)

    wait_until_gone(processes, 60)
