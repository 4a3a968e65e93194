"""Clients and servers come and go; a run says what it waits for and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.demo.fleet import Fleet
from tests.conftest import Clients, StartCommand, StartServer
from tests.support.api import Api
from tests.support.module_servers import api_of_server, own_server
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

LONG_ROUND = {"local_epochs": 10, "batch_size": 8}
"""A round long enough that a client can be lost in the middle of it."""


server = own_server()
api = api_of_server()


@pytest.fixture
def clients(server: ServerProcess, api: Api, tmp_path: Path) -> Iterator[Clients]:
    with Fleet() as fleet:
        yield Clients(fleet, server, tmp_path)
        api.end_all_runs()
    wait_until(lambda: api.get("/status")["clients"]["connected"] == 0, "all clients are lost")


def test_a_run_waits_for_the_second_client_and_begins_when_it_comes(api: Api, clients: Clients) -> None:
    clients.start("a")
    api.wait_for_client("a", "idle")
    run = api.start(num_rounds=1)

    assert api.wait_for_reason(run["id"], "waiting for")["reason"] == "waiting for 1 more client (1 of 2)"

    clients.start("b")
    assert api.wait_for_run(run["id"], "completed")["clients"] == ["a", "b"]


def round_in_the_middle_of_which(api: Api, client_id: str) -> int | None:
    """The round in which a client trains, with more than half of it still to do; None if it does not."""
    client = api.clients()[client_id]
    progress = client["progress"]
    if client["state"] != "training" or not progress or 2 * progress["done"] > progress["total"]:
        return None
    round_: int = client["round"]
    return round_


def test_a_killed_client_is_shown_as_lost_and_the_others_go_on(api: Api, clients: Clients) -> None:
    clients.start("a", "b", "c")
    for client_id in ("a", "b", "c"):
        api.wait_for_client(client_id, "idle")
    run = api.start(num_rounds=10_000, min_clients=2, num_partitions=3, **LONG_ROUND)
    api.wait_for_round(run["id"], 0)
    round_ = wait_until(lambda: round_in_the_middle_of_which(api, "c"), "c is in the middle of its training")

    clients.kill("c")

    api.wait_for_client("c", "lost", timeout_s=2)
    api.wait_for_round(run["id"], round_ + 1)
    in_that_round, after = api.rounds(run["id"])[round_ : round_ + 2]
    assert in_that_round["clients"] == 2
    assert "c was lost" in in_that_round["per_client"]["c"]["error"]
    assert sorted(after["per_client"]) == ["a", "b"]
    assert api.run(run["id"])["clients"] == ["a", "b"]


def test_a_run_without_enough_clients_waits_and_goes_on_when_one_returns(api: Api, clients: Clients) -> None:
    clients.start("a", "b")
    run = api.start(num_rounds=2, min_clients=2, **LONG_ROUND)
    part = api.wait_for_client("b", "training")["partition"]

    clients.kill("b")

    waiting = api.wait_for_reason(run["id"], "waiting for")
    assert waiting["reason"] == "waiting for 1 more client (1 of 2): b is lost"
    clients.start("b")
    back = api.wait_for_client("b", "training")
    assert (back["partition"], back["num_partitions"]) == (part, 2)
    completed = api.wait_for_run(run["id"], "completed")
    assert completed["clients"] == ["a", "b"]
    assert [round_["round"] for round_ in api.rounds(run["id"])] == [0, 1, 2]
    assert api.rounds(run["id"])[-1]["clients"] == 2


def test_a_round_whose_whole_cohort_was_lost_is_tried_again(api: Api, clients: Clients) -> None:
    clients.start("a")
    run = api.start(num_rounds=1, min_clients=1, **LONG_ROUND)
    api.wait_for_client("a", "training")

    clients.kill("a")

    waiting = api.wait_for_reason(run["id"], "waiting for")
    assert waiting["reason"] == "waiting for 1 more reply (0 of 1): a is lost"
    clients.start("a")
    api.wait_for_run(run["id"], "completed")
    result = api.rounds(run["id"])[1]["per_client"]["a"]
    assert result["error"] is None
    assert result["train_loss"] is not None


def test_a_client_that_ends_in_order_is_shown_as_lost(api: Api, clients: Clients) -> None:
    clients.start("a")
    api.wait_for_client("a", "idle")

    clients.end("a")

    api.wait_for_client("a", "lost", timeout_s=2)


def test_a_second_client_of_the_same_name_is_refused_and_waits_its_turn(
    api: Api, clients: Clients, server: ServerProcess, start_command: StartCommand
) -> None:
    clients.start("a")
    first = api.wait_for_client("a", "idle")

    at_home = {"FEDLOOM_HOME": str(server.home)}
    second = start_command("run_client.py", "--client-id", "a", "--server", server.link, env=at_home)
    second.wait_for_output("A client named 'a' is already connected from .* choose another --client-id")

    assert api.clients()["a"]["connected_at"] == first["connected_at"]
    line = "refused a client at 127.0.0.1: A client named 'a'"
    wait_until(
        lambda: any(entry["message"].startswith(line) for entry in api.logs(level="warning")),
        "the server says so as well",
    )
    clients.end("a")
    second.wait_for_output("connected to the server")
    api.wait_for_client("a", "idle")
    assert second.count("already connected") == 1


def test_a_client_outlives_its_server_and_says_so_once(
    start_server: StartServer, start_command: StartCommand
) -> None:
    first = start_server()
    client = start_command("run_client.py", "--client-id", "loyal", "--server", first.link)
    client.wait_for_output("connected to the server")
    assert client.count("warning") == 0
    first.end()
    client.wait_for_output("no connection to")

    second = start_server(port=first.port, link_port=first.link_port)

    api = Api(second.url)
    api.wait_for_client("loyal", "idle")
    run = api.start(num_rounds=1, min_clients=1)
    api.wait_for_run(run["id"], "completed")
    api.close()
    assert client.count("no connection to") == 1
    assert client.count("connected to the server") == 2
    assert client.count("warning") == 1
    assert "Traceback" not in client.output


def test_a_client_that_is_frozen_is_lost_within_ten_seconds_and_comes_back(
    api: Api, clients: Clients
) -> None:
    clients.start("a")
    api.wait_for_client("a", "idle")

    clients.freeze("a")
    try:
        api.wait_for_client("a", "lost", timeout_s=10)
    finally:
        clients.thaw("a")

    api.wait_for_client("a", "idle")
