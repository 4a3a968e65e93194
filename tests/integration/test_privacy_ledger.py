"""What clients spend of their data's privacy is counted at their sites, over all runs, up to a budget."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dp_accounting
import pytest
from dp_accounting.rdp import RdpAccountant

from app.demo.fleet import Fleet
from client.ledger.ledger import Ledger
from client.settings import ClientSettings
from client.site.policy import Policy
from shared.security.server_identity import local_invitation
from tests.conftest import Clients, StartCommand
from tests.support.api import Api, Json
from tests.support.module_servers import api_of_server, own_server
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

BATCH = 32
NOISE = 1.0
SPEC: dict[str, Any] = {
    "model": "linear",
    "batch_size": BATCH,
    "alpha": None,
    "num_partitions": 3,
    "dp": {"noise_multiplier": NOISE},
}


server = own_server()
api = api_of_server()


class Sites:
    """Clients with a folder each, or with one that they share."""

    def __init__(self, fleet: Fleet, server: ServerProcess, api: Api, folder: Path) -> None:
        self._fleet = fleet
        self._server = server
        self._clients = Clients(fleet, server, folder)
        self._api = api
        self._folder = folder

    def home(self, name: str) -> Path:
        return self._folder / name

    def start(self, client_id: str, *, home: str | None = None, **rules: Any) -> None:
        """Start a client, and wait until it is there."""
        settings = ClientSettings(
            client_id=client_id,
            dataset="digits",
            server=None,
            invite=local_invitation(self._server.home),
            home=self.home(home or client_id),
            data_dir=self._folder,
            threads=1,
            policy=Policy.model_validate(rules),
        )
        self._fleet.start_client(settings)
        self._api.wait_for_client(client_id, "idle")

    def end(self, client_id: str) -> None:
        self._clients.end(client_id)
        self._api.wait_for_client(client_id, "lost")


@pytest.fixture
def sites(server: ServerProcess, api: Api, tmp_path: Path) -> Iterator[Sites]:
    with Fleet() as fleet:
        yield Sites(fleet, server, api, tmp_path)
        api.end_all_runs()
    wait_until(lambda: api.get("/status")["clients"]["connected"] == 0, "all clients are lost")


def epsilon_of(updates: int, samples: int) -> float:
    """What so many updates of one client cost, by an accountant that is not ours."""
    step = dp_accounting.PoissonSampledDpEvent(BATCH / samples, dp_accounting.GaussianDpEvent(NOISE))
    accountant = RdpAccountant()
    accountant.compose(step, updates * -(-samples // BATCH))
    return float(accountant.get_epsilon(1e-5))


def train(api: Api, **spec: Any) -> Json:
    """A run, which ends."""
    run_id = api.start(**{**SPEC, **spec})["id"]

    def ended() -> Json | None:
        run = api.run(run_id)
        return run if run["state"] in ("completed", "stopped", "failed") else None

    return wait_until(ended, f"run {run_id} has ended")


def parts(api: Api, run: Json, client_id: str) -> list[Json]:
    """A client's part in each round of training."""
    return [each["per_client"][client_id] for each in api.rounds(run["id"]) if each["round"]]


def test_a_client_declines_at_its_budget_in_the_middle_of_a_run_and_the_others_go_on(
    api: Api, sites: Sites
) -> None:
    samples = 432  # nine tenths of a third of the digits
    budget = epsilon_of(2, samples) * 1.02
    sites.start("frugal", privacy_budget=budget)
    sites.start("free")

    run = train(api, num_rounds=4, min_clients=2)

    assert run["state"] == "completed"
    frugal, free = parts(api, run, "frugal"), parts(api, run, "free")
    assert [part["epsilon"] for part in free] == [
        pytest.approx(epsilon_of(updates, part["samples"]), rel=0.01) for updates, part in enumerate(free, 1)
    ]
    assert [part["epsilon"] for part in frugal[:2]] == [
        pytest.approx(epsilon_of(updates, part["samples"]), rel=0.01)
        for updates, part in enumerate(frugal[:2], 1)
    ]
    assert [part["epsilon_budget"] for part in frugal[:2]] == [budget, budget]
    assert free[0]["epsilon_budget"] is None
    for part in frugal[2:]:
        assert part["verdict"] == "declined"
        assert re.fullmatch(
            rf"declined by its site: privacy_budget = {budget:g}, of which \d\.\d\d is spent on digits, "
            r"and this round would make it \d\.\d\d",
            part["error"],
        )
    assert [round_["clients"] for round_ in api.rounds(run["id"])] == [0, 2, 2, 1, 1]
    assert run["privacy"]["epsilon"] == free[-1]["epsilon"]


def test_what_was_spent_counts_in_the_next_run_after_a_restart(api: Api, sites: Sites) -> None:
    budget = epsilon_of(3, 432) * 1.02
    sites.start("thrifty", privacy_budget=budget)
    sites.start("spender")
    train(api, num_rounds=2, min_clients=2)
    for client_id in ("thrifty", "spender"):
        sites.end(client_id)
    sites.start("thrifty", privacy_budget=budget)

    run = train(api, num_rounds=4, min_clients=1, seed=7)

    [first] = parts(api, run, "thrifty")  # the second round is not complete
    assert first["epsilon"] == pytest.approx(epsilon_of(3, 432), rel=0.01)
    assert first["epsilon_of_run"] == pytest.approx(epsilon_of(1, first["samples"]), rel=0.01)
    assert api.clients()["thrifty"]["verdict"] == "declined"
    assert (run["state"], run["cause"]) == ("stopped", "budget")
    assert run["reason"].startswith(
        "The privacy budgets of all clients are spent: declined by its site: privacy"
    )


def test_a_run_can_end_with_the_first_budget(api: Api, sites: Sites) -> None:
    sites.start("sparing", privacy_budget=epsilon_of(1, 432) * 1.02)
    sites.start("lavish")

    run = train(api, num_rounds=5, min_clients=2, stop_at_first_budget=True)

    assert (run["state"], run["cause"]) == ("stopped", "budget")
    assert run["reason"].startswith(
        "It was to end when the first privacy budget is spent: declined by its site"
    )
    assert [(each["clients"], each["complete"]) for each in api.rounds(run["id"])] == [
        (0, True),
        (2, True),
        (1, True),
    ]


def test_so_it_does_with_secure_aggregation_when_too_few_for_that_have_something_left(
    api: Api, sites: Sites
) -> None:
    sites.start("meagre", privacy_budget=epsilon_of(1, 432) * 1.02)
    for client_id in ("rich-1", "rich-2"):
        sites.start(client_id)

    run = train(api, num_rounds=3, min_clients=3, secure_aggregation={})

    assert (run["state"], run["cause"]) == ("stopped", "budget")
    assert "2 of 3 have something left, and secure aggregation needs 3" in run["reason"]
    assert [each["clients"] for each in api.rounds(run["id"])] == [0, 3]


def test_the_clients_of_one_folder_spend_from_one_ledger(
    api: Api, sites: Sites, start_command: StartCommand
) -> None:
    for client_id in ("client-1", "client-2"):
        sites.start(client_id, home="shared")
    together = train(api, num_rounds=1, min_clients=2)
    alone = train(api, num_rounds=1, min_clients=2, seed=5)

    for client_id in ("client-1", "client-2"):
        [first], [second] = parts(api, together, client_id), parts(api, alone, client_id)
        assert first["epsilon"] == pytest.approx(epsilon_of(1, first["samples"]), rel=0.01)
        assert second["epsilon"] == pytest.approx(epsilon_of(2, second["samples"]), rel=0.01)
    home = sites.home("shared")
    shown = start_command("-m client.ledger", env={"FEDLOOM_HOME": str(home)})
    assert shown.wait_for_exit(60) == 0
    assert re.match(r"digits: epsilon \d\.\d\d is spent at delta 1e-05, by 4 updates\n", shown.output)
    assert f"run {together['id']}" in shown.output
    exported = start_command("-m client.ledger", "export", "all.json", env={"FEDLOOM_HOME": str(home)})
    assert exported.wait_for_exit(60) == 0
    [of_digits] = json.loads((exported.home / "all.json").read_text())["data_sets"]
    assert [entry["run"] for entry in of_digits["entries"]] == [together["id"]] * 2 + [alone["id"]] * 2


def test_with_a_ledger_that_cannot_be_read_nothing_leaves_a_client(api: Api, sites: Sites) -> None:
    sites.start("careless")
    sites.start("other")
    train(api, num_rounds=1, min_clients=2)
    file = sites.home("careless") / "ledger" / "digits.ledger"
    file.write_bytes(file.read_bytes().replace(b'"steps":', b'"stops":'))
    sites.end("careless")
    sites.start("careless")

    run = train(api, num_rounds=1, min_clients=2)

    assert run["state"] == "completed"
    [part] = parts(api, run, "careless")
    assert f"The privacy ledger {file} is damaged: line 2" in part["error"]
    assert part["epsilon"] is None
    assert [round_["clients"] for round_ in api.rounds(run["id"])] == [0, 1]


@pytest.mark.parametrize("moment", ["before-entry", "after-entry"])
def test_a_client_that_is_killed_between_computing_and_replying_has_each_round_counted_once(
    api: Api, server: ServerProcess, sites: Sites, start_command: StartCommand, moment: str
) -> None:
    name = f"killed-{moment}"
    home = sites.home(name)
    flags = ("--client-id", name, "--server", server.link, "--threads", "1")
    env = {"FEDLOOM_HOME": str(home), "FEDLOOM_INVITE": str(local_invitation(server.home))}
    mortal = start_command("-m tests.support.ledger_clients", moment, *flags, env=env)
    api.wait_for_client(name, "idle")
    run_id = api.start(**SPEC, num_rounds=3, min_clients=1)["id"]
    assert mortal.wait_for_exit(60) == -9
    spent_when_killed = len(Ledger(home, "digits").entries())

    sites.start(name)
    run = api.wait_for_run(run_id, "completed")

    assert spent_when_killed == (1 if moment == "before-entry" else 2)
    entries = Ledger(home, "digits").entries()
    assert [entry.expense.round for entry in entries] == [1, 2, 3]
    *_, last = parts(api, run, name)
    assert last["epsilon"] == pytest.approx(epsilon_of(3, last["samples"]), rel=0.01)
