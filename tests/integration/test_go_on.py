"""Somebody does not want to wait for a client: the round takes what has come, where that is enough."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.api import Api, Json, tidied
from tests.support.module_servers import own_server
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

TRIO = ("a", "b", "c")
SLOW = {"num_rounds": 10_000, "local_epochs": 5, "batch_size": 8, "fraction_evaluate": 0.0}


server = own_server()


@pytest.fixture(scope="module")
def clients(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    with Fleet() as fleet:
        clients = Clients(fleet, server, tmp_path_factory.mktemp("data"))
        clients.start(*TRIO)
        yield clients


@pytest.fixture
def api(server: ServerProcess, clients: Clients) -> Iterator[Api]:
    with tidied(server.url) as api:
        for client_id in TRIO:
            api.wait_for_client(client_id, "idle")
        yield api


def go_on(api: Api, run: Json, phase: str = "training") -> httpx.Response:
    meant = {"round": run["round"], "phase": phase}
    return api.http.post(f"/api/v1/runs/{run['id']}/go-on", json=meant)


def wait_for_c_alone(api: Api, run_id: str) -> Json:
    """The run, once it waits for nobody else's training."""

    def look() -> Json | None:
        run = api.run(run_id)
        progress = run["progress"]
        is_last = progress is not None and progress["done"] == 2 and progress["phase"] == "training"
        return run if is_last and api.clients()["c"]["state"] == "training" else None

    return wait_until(look, "only c has not trained")


def test_a_round_goes_on_without_a_client_that_is_stopped_again_and_again(api: Api, clients: Clients) -> None:
    started = api.start(min_clients=2, min_replies=2, num_partitions=3, **SLOW)
    api.wait_for_round(started["id"], 1)
    with clients.slowed("c"):
        run = wait_for_c_alone(api, started["id"])

        assert go_on(api, run).status_code == 200

        api.wait_for_round(run["id"], run["round"])
    done = api.rounds(run["id"])[run["round"]]
    assert (done["clients"], done["per_client"]["c"]["late"]) == (2, True)
    logs = api.get(f"/runs/{run['id']}/logs", limit=1000)["logs"]
    said = [record["message"] for record in logs if record["level"] == "warning"]
    assert f"round {run['round']}, training: goes on without 1 reply, by request" in said
    entries = api.get("/audit/entries", limit=100)["entries"]
    commands = [entry["fields"]["command"] for entry in entries if entry["kind"] == "run-commanded"]
    assert commands[:2] == ["go-on", "start"]
    refused = go_on(api, run)
    assert refused.status_code == 409
    assert f"does not wait for replies of round {run['round']}, training" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({"min_replies": 3}, "its strategy, fedavg, needs 1 more reply."),
        ({"secure_aggregation": {}}, "its secure aggregation needs 1 more reply."),
    ],
)
def test_a_round_that_cannot_do_without_says_so_and_goes_on_waiting(
    api: Api, clients: Clients, settings: Json, who: str
) -> None:
    started = api.start(min_clients=3, **settings, **SLOW)
    api.wait_for_round(started["id"], 1)
    with clients.slowed("c"):
        run = wait_for_c_alone(api, started["id"])

        refused = go_on(api, run)

    assert refused.status_code == 409
    assert who in refused.json()["detail"]
    api.wait_for_round(run["id"], run["round"])
    assert api.rounds(run["id"])[run["round"]]["clients"] == 3


def test_a_run_that_waits_for_nobody_says_why_it_does_not_go_on(api: Api) -> None:
    run = api.start(min_clients=4, num_partitions=4, **SLOW)
    api.wait_for_reason(run["id"], "waiting for 1 more client")

    refused = go_on(api, run)

    assert refused.status_code == 409
    assert "does not wait for replies" in refused.json()["detail"]
    api.stop(run["id"])
    assert "it is stopped" in go_on(api, api.wait_for_run(run["id"], "stopped")).json()["detail"]
