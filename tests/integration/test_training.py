"""Runs from start to end, on real client processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

TRIO = ["client-1", "client-2", "client-10"]


@pytest.fixture(scope="module", autouse=True)
def _trio(session_server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Three clients with digits, for all tests of this file."""
    with Fleet() as fleet:
        Clients(fleet, session_server, tmp_path_factory.mktemp("data")).start(*TRIO)
        api = Api(session_server.url)
        for client_id in TRIO:
            api.wait_for_client(client_id, "idle")
        yield
    for client_id in TRIO:
        api.wait_for_client(client_id, "lost")
    api.close()


def complete(api: Api, **spec: Any) -> tuple[Json, list[Json]]:
    """The run and its rounds, from start to end."""
    run = api.start(**{"num_rounds": 2, "min_clients": 3, **spec})
    return api.wait_for_run(run["id"], "completed"), api.rounds(run["id"])


def test_three_clients_learn_the_digits(api: Api) -> None:
    run, rounds = complete(api, num_rounds=5, seed=1)

    assert run["round"] == run["num_rounds"] == 5
    assert run["clients"] == TRIO
    assert run["final"]["accuracy"] >= 0.9
    assert run["created_at"] <= run["started_at"] <= run["finished_at"]
    assert (run["reason"], run["error"], run["progress"]) == (None, None, None)
    assert [round_["round"] for round_ in rounds] == [0, 1, 2, 3, 4, 5]
    assert rounds[0]["accuracy"] < 0.5
    assert (rounds[0]["clients"], rounds[0]["train_loss"], rounds[0]["per_client"]) == (0, None, {})
    assert run["final"] == {"loss": rounds[-1]["loss"], "accuracy": rounds[-1]["accuracy"]}


def test_a_round_has_the_results_of_every_client(api: Api) -> None:
    _, rounds = complete(api, num_rounds=1)

    round_ = rounds[1]
    results = round_["per_client"]
    assert sorted(results) == sorted(TRIO)
    for result in results.values():
        assert result["error"] is None
        assert 0 <= result["accuracy"] <= 1
        above_0 = ("train_loss", "loss", "samples", "held_out", "train_s", "evaluate_s")
        assert min(result[name] for name in above_0) > 0
    samples = {client_id: result["samples"] for client_id, result in results.items()}
    weighted = sum(results[client_id]["train_loss"] * count for client_id, count in samples.items())
    assert round_["clients"] == 3
    assert round_["train_loss"] == pytest.approx(weighted / sum(samples.values()))
    assert 0 <= round_["client_accuracy"] <= 1
    assert round_["client_loss"] > 0
    assert round_["duration_s"] > 0


def test_the_clients_table_shows_part_samples_and_results(api: Api) -> None:
    _, rounds = complete(api, num_rounds=1)

    clients = api.clients()
    assert [client_id for client_id in clients if client_id in TRIO] == TRIO
    assert [clients[client_id]["partition"] for client_id in TRIO] == [0, 1, 2]
    for client_id in TRIO:
        client, result = clients[client_id], rounds[1]["per_client"][client_id]
        assert (client["state"], client["num_partitions"], client["reason"]) == ("idle", 3, None)
        assert {name: client[name] for name in ("samples", "train_loss", "loss", "accuracy")} == {
            name: result[name] for name in ("samples", "train_loss", "loss", "accuracy")
        }
        assert client["connected_at"] < client["last_seen"]
        assert (client["dataset"], client["models"]) == ("digits", ["cnn", "linear"])
        assert client["host"]
        assert client["device"]


def test_what_happens_in_a_run_is_told_in_order(api: Api) -> None:
    before = api.get("/status")["seq"]
    run, _ = complete(api, num_rounds=1, local_epochs=20)

    events = api.get("/events", since=before)["events"]
    runs = [event["data"] for event in events if event["type"] == "run_update"]
    states = [
        state for n, state in enumerate(r["state"] for r in runs) if n == 0 or runs[n - 1]["state"] != state
    ]
    phases = [r["progress"]["phase"] for r in runs if r["progress"]]
    assert states == ["queued", "waiting", "running", "completed"]
    assert [phase for n, phase in enumerate(phases) if n == 0 or phases[n - 1] != phase] == [
        "training",
        "aggregating",
        "evaluating",
    ]
    updates = [event["data"]["round"] for event in events if event["type"] == "metrics_update"]
    assert {update["complete"] for update in updates if update["round"] == 1} == {False, True}
    assert [update["round"] for update in updates if update["complete"]] == [0, 1]
    clients = [event["data"] for event in events if event["type"] == "client_update"]
    for client_id in TRIO:
        mine = [client for client in clients if client["id"] == client_id]
        assert {client["state"] for client in mine} == {"idle", "training", "evaluating"}
        progress = [client["progress"] for client in mine if client["progress"]]
        assert progress
        assert all(0 < p["done"] <= p["total"] and p["examples_per_s"] > 0 for p in progress)
    messages = [event["data"]["message"] for event in events if event["type"] == "log"]
    assert any(
        message.startswith("round 1 aggregated from 3 of 3 clients: accuracy ") for message in messages
    )
    assert f"run {run['id']} completed" in messages
    said = {event["data"]["source"] for event in events if event["type"] == "log"}
    assert {"server", *TRIO} <= said


def test_the_same_seed_gives_the_same_accuracies_and_another_does_not(api: Api) -> None:
    def curve(seed: int) -> list[tuple[float, float]]:
        _, rounds = complete(api, seed=seed)
        return [(round_["accuracy"], round_["loss"]) for round_ in rounds]

    first, again, other = curve(5), curve(5), curve(6)

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    "spec", [{"model": "linear", "lr": 0.1}, {"alpha": None}, {"alpha": 0.05, "num_rounds": 1}]
)
def test_every_model_and_partition_trains(api: Api, spec: Json) -> None:
    _, rounds = complete(api, **spec)

    assert rounds[-1]["loss"] < rounds[0]["loss"]


def test_iid_parts_are_of_one_size(api: Api) -> None:
    _, rounds = complete(api, alpha=None, num_rounds=1)

    samples = [result["samples"] for result in rounds[1]["per_client"].values()]
    assert max(samples) - min(samples) <= 1


def test_a_fraction_of_the_clients_trains_and_all_evaluate(api: Api) -> None:
    _, rounds = complete(api, fraction_train=0.5, num_rounds=3)

    for round_ in rounds[1:]:
        results = round_["per_client"].values()
        assert round_["clients"] == sum(result["train_loss"] is not None for result in results) == 2
        assert sum(result["accuracy"] is not None for result in results) == 3


def test_without_evaluation_by_clients_there_is_that_of_the_server(api: Api) -> None:
    _, rounds = complete(api, fraction_evaluate=0, num_rounds=1)

    assert rounds[1]["client_accuracy"] is None
    assert all(result["accuracy"] is None for result in rounds[1]["per_client"].values())
    assert rounds[1]["accuracy"] is not None


def test_more_parts_than_clients_leave_some_for_newcomers(api: Api) -> None:
    complete(api, num_partitions=5, num_rounds=1)

    clients = api.clients()
    assert [(clients[name]["partition"], clients[name]["num_partitions"]) for name in TRIO] == [
        (0, 5),
        (1, 5),
        (2, 5),
    ]


def test_a_running_run_stops_at_once_and_the_clients_with_it(api: Api) -> None:
    run = api.start(num_rounds=10_000, min_clients=3, local_epochs=1_000)
    for client_id in TRIO:
        api.wait_for_client(client_id, "training")

    assert api.stop(run["id"]).status_code == 200

    stopped = api.wait_for_run(run["id"], "stopped", timeout_s=5)
    assert stopped["reason"] == "stopped by request"
    assert [round_["round"] for round_ in api.rounds(run["id"])] == [0]
    for client_id in TRIO:
        api.wait_for_client(client_id, "idle", timeout_s=5)
    complete(api, num_rounds=1)  # they have really let go of it


def test_queued_runs_follow_each_other(api: Api) -> None:
    runs = [api.start(num_rounds=1, min_clients=3, seed=n)["id"] for n in range(3)]

    ended = [api.wait_for_run(run_id, "completed") for run_id in runs]

    assert ended[0]["finished_at"] <= ended[1]["started_at"]
    assert ended[1]["finished_at"] <= ended[2]["started_at"]


def test_training_that_diverges_is_left_out_or_fails_the_run_with_the_reason(api: Api) -> None:
    before = api.get("/status")["seq"]
    run = api.start(lr=100, num_rounds=1, min_clients=3, local_epochs=20, batch_size=4)

    ended = api.wait_for_run(run["id"], "failed", "completed")

    said = {entry["source"]: entry["message"] for entry in api.logs(level="error") if entry["seq"] > before}
    diverged = {client_id: said[client_id] for client_id in TRIO if client_id in said}
    assert diverged
    assert all("Training diverged" in why and "Lower the learning rate" in why for why in diverged.values())
    if set(diverged) == set(TRIO):  # the usual case; floats of another CPU may leave somebody finite
        assert ended["reason"].startswith("Round 1 failed: no client returned an update (Training diverged")
        assert ended["state"] == "failed"
        assert ended["error"] is None, "an error that is explained needs no traceback"
        assert [round_["round"] for round_ in api.rounds(run["id"])] == [0]
    else:
        assert ended["state"] == "completed"
        assert api.rounds(run["id"])[1]["clients"] == len(TRIO) - len(diverged)
    complete(api, num_rounds=1)  # nobody is the worse for it


def test_a_partition_that_is_impossible_fails_with_the_reason(api: Api) -> None:
    run = api.start(num_partitions=2_000, num_rounds=1, min_clients=3)

    failed = api.wait_for_run(run["id"], "failed")

    assert "2000" in failed["reason"].replace(",", "")
    assert "digits" in failed["reason"] or "samples" in failed["reason"]


def test_a_client_with_another_data_set_takes_no_part_and_everybody_sees_why(
    api: Api, clients: Clients
) -> None:
    clients.start("other", dataset="synthetic")
    api.wait_for_client("other", "idle")
    run = api.start(min_clients=4)

    waiting = api.wait_for_reason(run["id"], "waiting for")

    why = f"holds synthetic, run {run['id']} trains on digits"
    assert waiting["reason"] == f"waiting for 1 more client (3 of 4): other {why}"
    assert api.clients()["other"]["reason"] == why
    assert any(f"other takes no part: it {why}" in entry["message"] for entry in api.logs(level="warning"))
    api.stop(run["id"])
    wait_until(lambda: api.clients()["other"]["reason"] is None, "the reason goes with the run")


def test_a_newcomer_without_a_part_waits_for_the_next_run(api: Api, clients: Clients) -> None:
    run = api.start(min_clients=3, num_rounds=10_000)
    api.wait_for_round(run["id"], 1)

    clients.start("late")
    api.wait_for_client("late", "idle")

    def reason() -> str:
        return str(api.clients()["late"]["reason"])

    wait_until(lambda: "all 3 parts" in reason(), "it is told why")
    api.stop(run["id"])
    api.wait_for_run(run["id"], "stopped")
    run, rounds = complete(api, num_rounds=1, min_clients=4)
    assert "late" in rounds[1]["per_client"]
