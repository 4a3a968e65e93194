"""Runs with differential privacy at the clients, on real client processes."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.rdp import RdpAccountant

from app.demo.fleet import Fleet
from client.privacy import SECRET_FILE
from client.site.policy import Policy
from shared.privacy.accounting import ORDERS
from shared.training.private import LotSize
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.processes import ServerProcess

SILENT = ["silent-1", "silent-2"]
OPEN = "open-1"
"""The client whose site allows that its numbers leave it."""

DP = {"noise_multiplier": 2.0, "clipping_norm": 0.5}


@pytest.fixture(scope="module")
def homes(session_server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Three clients with digits, for all tests of this file; the folder of those of `SILENT`."""
    folder = tmp_path_factory.mktemp("data")
    api = Api(session_server.url)
    with Fleet() as fleet:
        clients = Clients(fleet, session_server, folder)
        clients.start(*SILENT)
        clients.start(OPEN, policy=Policy(metrics_of_private_runs=True))
        for client_id in (*SILENT, OPEN):
            api.wait_for_client(client_id, "idle")
        yield session_server.home
    for client_id in (*SILENT, OPEN):
        api.wait_for_client(client_id, "lost")
    api.close()


def complete(api: Api, **spec: Any) -> tuple[Json, list[Json]]:
    """The run and its rounds, from start to end."""
    asked = {"num_rounds": 3, "min_clients": 3, "model": "linear", "lr": 0.2, "dp": DP, **spec}
    run = api.start(**asked)
    return api.wait_for_run(run["id"], "completed"), api.rounds(run["id"])


def by_googles_accountant(samples: int, rounds: int) -> float:
    """What a client has spent, from what is known of it from outside."""
    size = LotSize(samples, batch_size=32, local_epochs=1)
    step = PoissonSampledDpEvent(size.sample_rate, GaussianDpEvent(DP["noise_multiplier"]))
    accountant = RdpAccountant(ORDERS)
    accountant.compose(SelfComposedDpEvent(step, size.steps * rounds))
    return float(accountant.get_epsilon(1e-5))


def test_epsilon_grows_with_every_round_as_another_accountant_has_it(homes: Path, api: Api) -> None:
    run, rounds = complete(api)

    for round_ in rounds[1:]:
        for part in round_["per_client"].values():
            expected = by_googles_accountant(part["samples"], round_["round"])
            assert part["epsilon_of_run"] == pytest.approx(expected, rel=0.01)
            assert part["epsilon"] >= part["epsilon_of_run"]  # the ledger counts the runs before as well
    largest = max(part["epsilon"] for part in rounds[-1]["per_client"].values())
    assert run["privacy"].items() >= {"epsilon": largest, "delta": 1e-5}.items()
    assert run["final"]["accuracy"] > 0.4


def test_what_the_guarantee_does_not_cover_stays_at_the_site_unless_that_allows_it(
    homes: Path, api: Api
) -> None:
    _, rounds = complete(api)

    parts = rounds[-1]["per_client"]
    for client_id in SILENT:
        untold = [parts[client_id][name] for name in ("train_loss", "loss", "accuracy")]
        assert untold == [None, None, None]
        assert api.clients()[client_id]["label_counts"] is None
    assert parts[OPEN]["loss"] > 0
    assert parts[OPEN]["train_loss"] > 0
    assert 0 <= parts[OPEN]["accuracy"] <= 1
    assert sum(api.clients()[OPEN]["label_counts"]) == parts[OPEN]["samples"]
    assert {part["error"] for part in parts.values()} == {None}


def test_each_client_adds_as_much_noise_as_a_target_takes(homes: Path, api: Api) -> None:
    run, rounds = complete(api, dp={"target_epsilon": 2.0, "delta": 1e-4})

    parts = rounds[-1]["per_client"].values()
    assert all(1.97 < part["epsilon_of_run"] <= 2.0 for part in parts)
    spent = {"epsilon": max(part["epsilon"] for part in parts), "delta": 1e-4}
    assert run["privacy"].items() >= spent.items()


def test_the_secret_is_for_the_clients_user_only(homes: Path, api: Api) -> None:
    complete(api, num_rounds=1)

    status = (homes / SECRET_FILE).stat()
    assert (stat.S_IMODE(status.st_mode), status.st_size) == (0o600, 32)


def test_a_run_without_privacy_has_no_epsilon(homes: Path, api: Api) -> None:
    run, rounds = complete(api, dp=None)

    assert run["privacy"] is None
    assert {part["epsilon"] for part in rounds[-1]["per_client"].values()} == {None}


def test_what_does_not_go_with_privacy_is_refused_in_words(homes: Path, api: Api) -> None:
    for spec, words in (
        ({"strategy": "qfedavg", "dp": DP}, "q-FedAvg weights each client by its loss"),
        ({"dp": {"clipping_norm": 1.0}}, "exactly one of the two"),
    ):
        answer = api.http.post("/api/v1/runs", json=spec)
        assert answer.status_code == 422
        assert words in answer.json()["detail"]
