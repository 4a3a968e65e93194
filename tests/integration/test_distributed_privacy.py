"""Runs whose clients share the noise of central DP inside the masked sum, by real processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from dp_accounting import GaussianDpEvent
from dp_accounting.rdp import RdpAccountant

from app.demo.fleet import Fleet
from client.site.policy import Policy
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.forked_server import ForkedServer

FIVE = ("a", "b", "c", "d", "e")
SPEC: dict[str, Any] = {
    "num_rounds": 3,
    "min_clients": 5,
    "num_partitions": 5,
    "model": "linear",
    "alpha": None,
    "local_epochs": 2,
    "strategy": "dpfedavg-fixed",
    "secure_aggregation": {},
}


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A server with five clients; "d" and "e" take no run with less noise than 0.01."""
    server = ForkedServer(tmp_path_factory.mktemp("shared-noise") / "home")
    server.start()
    with Fleet() as fleet, closing(Api(server.url)) as api:
        clients = Clients(fleet, server, server.home)
        clients.start(*FIVE[:3])
        clients.start(*FIVE[3:], policy=Policy(minimum_noise=0.01))
        for client_id in FIVE:
            api.wait_for_client(client_id, "idle")
        yield api
    server.end()


def complete(rest: Api, **params: float) -> tuple[Json, list[Json]]:
    """A run with these parameters from beginning to end, and its rounds."""
    run_id = rest.start(**SPEC, strategy_params=params)["id"]
    return rest.wait_for_run(run_id, "completed"), rest.rounds(run_id)


def test_it_learns_where_the_noise_is_little(rest: Api) -> None:
    run, rounds = complete(rest, noise_multiplier=0.02, clipping_norm=1.5)

    assert rounds[0]["accuracy"] < 0.3
    assert run["final"]["accuracy"] > 0.7


def test_much_noise_drowns_five_clients_and_no_two_runs_have_the_same(rest: Api) -> None:
    (one, _), (other, _) = (complete(rest, noise_multiplier=10.0) for _ in range(2))

    assert one["final"]["loss"] != other["final"]["loss"]
    assert one["final"]["accuracy"] < 0.5


def test_what_it_costs_is_told_with_what_it_protects_and_from_whom(rest: Api) -> None:
    run, rounds = complete(rest, noise_multiplier=2.0, delta=1e-6)

    accountant = RdpAccountant()
    for round_ in rounds[1:]:
        accountant.compose(GaussianDpEvent(2.0))
        assert round_["epsilon"] == pytest.approx(accountant.get_epsilon(1e-6), rel=0.01)
    assert run["privacy"] == {
        "protects": "client",
        "from_server": True,
        "epsilon": rounds[-1]["epsilon"],
        "delta": 1e-6,
        "releases": 3,
    }


def test_of_the_sum_nothing_is_told_that_has_no_noise(rest: Api) -> None:
    _, rounds = complete(rest, noise_multiplier=0.1)

    for round_ in rounds[1:]:
        assert round_["train_loss"] is None
        assert round_["clients"] == 5
        assert "secure-aggregation" not in round_["metrics"]
        assert {part["samples"] for part in round_["per_client"].values()} == {None}


def test_sites_that_demand_more_noise_take_no_part_and_the_others_have_enough_without_them(rest: Api) -> None:
    run_id = rest.start(**SPEC, strategy_params={"noise_multiplier": 0.005})["id"]
    rest.wait_for_run(run_id, "completed")

    declined = rest.get(f"/runs/{run_id}/verdicts", verdict="declined")["verdicts"]
    assert {each["client_id"] for each in declined} == {"d", "e"}
    assert [round_["clients"] for round_ in rest.rounds(run_id)] == [0, 3, 3, 3]
    assert all("minimum_noise = 0.01, and the run has 0.005" in each["detail"] for each in declined)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strategy_params": {"noise_multiplier": 0}}, "a noise_multiplier of 0 asks for none"),
        ({"strategy_params": {"noise_multiplier": 1e-9}}, "no room for the noise that they share"),
        (
            {
                "dataset": "mnist",
                "model": "cnn",
                "min_clients": 200,
                "num_partitions": 200,
                "secure_aggregation": {"bits": 16},
            },
            "Take 32 bits",
        ),
        ({"strategy": "dpfedavg-adaptive"}, "looks at each update by itself"),
        ({"dp": {"noise_multiplier": 1.0}}, "Choose one"),
        ({"keep_updates": True}, "nobody can open the updates"),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(changes: dict[str, Any], words: str, rest: Api) -> None:
    answer = rest.http.post("/api/v1/runs", json={**SPEC, **changes})

    assert answer.status_code == 422, answer.text
    assert words in answer.text
