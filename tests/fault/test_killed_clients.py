"""Clients that are killed before, during and after work: the run goes on, or waits and says for whom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.flower import decode
from tests.conftest import Clients
from tests.fault.conftest import completed_round
from tests.support.answers import serve, trained
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

LOST_WITHIN_S = 10.0

FOR_EVER = 1_000
"""Epochs that nobody waits for."""


@pytest.fixture
def patient(lasting_server: ForkedServer, api: Api) -> Iterator[RawClient]:
    """A client that keeps a round open until the test has it answer; client-1 has the other part."""
    with RawClient(lasting_server.home) as link:
        link.hello("patient")
        yield link
    api.end_all_runs()
    api.wait_for_client("patient", "lost")


def start(api: Api, **spec: object) -> str:
    """A run of one round by two clients."""
    spec = {"num_rounds": 1, "min_clients": 2, "num_partitions": 2, "model": "linear", **spec}
    run_id: str = api.start(**spec)["id"]
    return run_id


def train_with_progress(api: Api, *client_ids: str) -> None:
    """Wait until all of these are in the middle of their training."""

    def all_do() -> bool:
        known = api.clients()
        asked = [known[client_id] for client_id in client_ids if client_id in known]
        busy = [client for client in asked if client["state"] == "training" and client["progress"]]
        return len(busy) == len(client_ids)

    wait_until(all_do, f"{client_ids} train")


def test_killed_before_it_trains(api: Api, clients: Clients) -> None:
    clients.start("client-1")
    api.wait_for_client("client-1", "idle")
    run_id = start(api)
    assert api.wait_for_reason(run_id, "waiting for")["reason"] == "waiting for 1 more client (1 of 2)"

    clients.kill("client-1")

    api.wait_for_client("client-1", "lost", timeout_s=LOST_WITHIN_S)
    api.wait_for_reason(run_id, "waiting for 2 more clients (0 of 2)")
    clients.start("client-1", "client-2")
    assert completed_round(api, run_id)["clients"] == 2


def test_killed_while_it_trains_the_round_goes_on_without_it(
    api: Api, clients: Clients, patient: RawClient
) -> None:
    clients.start("client-1")
    run_id = start(api, local_epochs=FOR_EVER)
    train_with_progress(api, "client-1")

    clients.kill("client-1")

    api.wait_for_client("client-1", "lost", timeout_s=LOST_WITHIN_S)
    assert api.run(run_id)["state"] == "running"
    assert [serve(patient), serve(patient)] == ["train", "evaluate"]
    round_ = completed_round(api, run_id)
    assert round_["clients"] == 1
    assert round_["per_client"]["client-1"]["error"] == "client-1 was lost: its connection ended"
    assert round_["per_client"]["patient"]["error"] is None


def test_killed_while_it_trains_the_run_waits_for_it_where_it_is_needed(
    api: Api, clients: Clients, patient: RawClient
) -> None:
    clients.start("client-1")
    run_id = start(api, local_epochs=40, batch_size=2, min_replies=2)
    train_with_progress(api, "client-1")

    clients.kill("client-1")

    assert serve(patient) == "train"
    waiting = api.wait_for_reason(run_id, "waiting for 1 more reply")
    assert waiting["reason"] == "waiting for 1 more reply (1 of 2): client-1 is lost"
    clients.start("client-1")
    assert serve(patient) == "evaluate"
    round_ = completed_round(api, run_id)
    assert round_["clients"] == 2
    assert all(part["error"] is None for part in round_["per_client"].values())


def test_killed_after_it_trained_its_update_counts(api: Api, clients: Clients, patient: RawClient) -> None:
    clients.start("client-1")
    run_id = start(api)
    message_id, payload = patient.read_task()
    wait_until(
        lambda: api.get(f"/runs/{run_id}/verdicts", client="client-1")["verdicts"], "its update was judged"
    )

    clients.kill("client-1")

    api.wait_for_client("client-1", "lost", timeout_s=LOST_WITHIN_S)
    patient.reply(message_id, trained(decode(payload)))
    assert serve(patient) == "evaluate"
    round_ = completed_round(api, run_id)
    assert round_["clients"] == 2
    assert round_["per_client"]["client-1"]["train_loss"] is not None
    assert round_["per_client"]["client-1"]["accuracy"] is None


def test_killed_while_it_evaluates_the_round_is_complete_without_its_score(
    api: Api, lasting_server: ForkedServer, patient: RawClient
) -> None:
    with RawClient(lasting_server.home) as victim:
        victim.hello("client-1")
        run_id = start(api)
        assert [serve(patient), serve(victim), serve(patient)] == ["train", "train", "evaluate"]
        victim.read_task()

    round_ = completed_round(api, run_id)
    assert round_["clients"] == 2
    assert round_["client_accuracy"] == 0.5, "that of the other"
    assert "client-1 was lost" in round_["per_client"]["client-1"]["error"]


def test_half_of_the_clients_killed_at_once(api: Api, clients: Clients) -> None:
    ids = [f"client-{number}" for number in range(1, 9)]
    clients.start(*ids)
    for client_id in ids:
        api.wait_for_client(client_id, "idle")
    run_id = start(api, num_rounds=2, min_clients=4, num_partitions=8, batch_size=2, local_epochs=60)
    train_with_progress(api, *ids)
    killed, left = ids[::2], ids[1::2]

    for client_id in killed:
        clients.kill(client_id)

    for client_id in killed:
        api.wait_for_client(client_id, "lost", timeout_s=LOST_WITHIN_S)
    assert api.run(run_id)["state"] == "running"
    last = completed_round(api, run_id, 2)
    first = api.rounds(run_id)[1]
    assert {name for name, part in first["per_client"].items() if part["error"]} == set(killed)
    assert (first["clients"], last["clients"], sorted(last["per_client"])) == (4, 4, left)


def test_all_clients_killed_and_started_again(api: Api, clients: Clients) -> None:
    clients.start("client-1", "client-2")
    run_id = start(api, num_rounds=2, batch_size=2, local_epochs=20)
    train_with_progress(api, "client-1", "client-2")

    for client_id in ("client-1", "client-2"):
        clients.kill(client_id)

    waiting = api.wait_for_reason(run_id, "waiting for 1 more reply")
    assert waiting["reason"] == ("waiting for 1 more reply (0 of 1): client-1 is lost; client-2 is lost")
    clients.start("client-1", "client-2")
    assert completed_round(api, run_id, 2)["clients"] == 2
