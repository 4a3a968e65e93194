"""What a site accepts is decided at the site: real clients decline, and the run of the others goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.demo.fleet import Fleet
from client.site.policy import Policy
from tests.conftest import Clients, StartCommand, StartServer
from tests.support.api import Api, Json
from tests.support.apps import APPS
from tests.support.module_servers import api_of_server, own_server
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

SPEC: dict[str, Any] = {"model": "linear", "num_rounds": 2}
DIGEST = "ab" * 32


server = own_server()
api = api_of_server()


@pytest.fixture
def start(server: ServerProcess, api: Api, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Starts a client of a site with such a policy, and waits until it is there."""
    with Fleet() as fleet:
        clients = Clients(fleet, server, tmp_path)

        def start(client_id: str, **rules: Any) -> None:
            clients.start(client_id, policy=Policy.model_validate(rules))
            api.wait_for_client(client_id, "idle")

        yield start
        api.end_all_runs()
    wait_until(lambda: api.get("/status")["clients"]["connected"] == 0, "all clients are lost")


def errors(api: Api, run_id: str) -> list[dict[str, str | None]]:
    """What each client's part in the rounds of training says."""
    parts = [round_["per_client"] for round_ in api.rounds(run_id) if round_["round"]]
    return [{name: part["error"] for name, part in of_round.items()} for of_round in parts]


def failed(api: Api, run_id: str) -> Json:
    return wait_until(
        lambda: run if (run := api.run(run_id))["state"] == "failed" else None, "the run has failed"
    )


def test_each_rule_is_named_where_it_declines_and_the_others_train(
    api: Api, start: Callable[..., None]
) -> None:
    start("any")
    start("many", minimum_cohort=50)
    start("robust", strategies=["krum"])
    start("deep", models=["cnn"])
    start("own", apps=[DIGEST])
    start("seldom", rounds_a_day=1)
    start("quiet", label_counts=False)

    run_id = api.start(**SPEC, min_clients=7)["id"]
    api.wait_for_run(run_id, "completed")

    said = {
        "any": None,
        "many": "declined by its site: minimum_cohort = 50, and the run has 7",
        "robust": "declined by its site: strategies = krum, and the run has fedavg",
        "deep": "declined by its site: models = cnn, and the run has linear",
        "own": "declined by its site: apps names those that may run, and the built-in app is not among them",
        "quiet": None,
    }
    assert errors(api, run_id) == [
        said | {"seldom": None},
        said | {"seldom": "declined by its site: rounds_a_day = 1, and today there were so many"},
    ]
    assert [round_["clients"] for round_ in api.rounds(run_id)] == [0, 3, 2]
    parts = api.rounds(run_id)[1]["per_client"]
    declined = {name for name, part in parts.items() if part["verdict"] == "declined"}
    assert declined == {"many", "robust", "deep", "own"}
    counts = {name: client["label_counts"] for name, client in api.clients().items()}
    assert counts["any"] is not None
    assert [name for name, count in counts.items() if count is not None] == ["any", "seldom"]


def test_a_run_that_every_site_declines_fails_and_says_by_which_rules(
    api: Api, start: Callable[..., None]
) -> None:
    start("a", minimum_cohort=3)
    start("b", models=["cnn"])

    run = failed(api, api.start(**SPEC, min_clients=2)["id"])

    assert run["cause"] == "round"
    assert (
        "no client returned an update (declined by its site: minimum_cohort = 3, and the run has 2; "
        in (run["reason"])
    )
    assert "declined by its site: models = cnn, and the run has linear" in run["reason"]
    assert "Traceback" not in str(run)


def test_a_round_that_asks_too_few_of_many_is_declined(api: Api, start: Callable[..., None]) -> None:
    start("a", minimum_cohort=2)
    start("b", minimum_cohort=2)

    run = failed(api, api.start(**SPEC, min_clients=2, fraction_train=0.5)["id"])

    assert "declined by its site: minimum_cohort = 2, and this round asks 1" in run["reason"]


def test_while_a_site_declines_its_client_says_why(api: Api, start: Callable[..., None]) -> None:
    start("a", minimum_cohort=3)
    start("b")
    run_id = api.start(**{**SPEC, "num_rounds": 10_000}, min_clients=2)["id"]

    reason = wait_until(lambda: api.clients()["a"]["reason"], "a says why")

    assert reason == "declined by its site: minimum_cohort = 3, and the run has 2"
    api.stop(run_id)
    api.wait_until_idle()
    assert api.clients()["a"]["reason"] is None


def test_rounds_of_a_day_are_counted_over_a_restart_of_the_client(
    api: Api, server: ServerProcess, start_command: StartCommand, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("rounds_a_day = 2\n")
    flags = ("--client-id", "again", "--server", server.link, "--policy", str(policy))
    at_home = {"FEDLOOM_HOME": str(server.home)}
    spec = {**SPEC, "num_rounds": 1, "min_clients": 1}
    for _ in range(2):
        client = start_command("run_client.py", *flags, env=at_home)
        api.wait_for_client("again", "idle")
        api.wait_for_run(api.start(**spec)["id"], "completed")
        client.end()
        api.wait_for_client("again", "lost")

    client = start_command("run_client.py", *flags, env=at_home)
    api.wait_for_client("again", "idle")

    run = failed(api, api.start(**spec)["id"])
    assert "rounds_a_day = 2, and today there were so many" in run["reason"]
    client.end()
    api.wait_for_client("again", "lost")


class TestConfirm:
    def test_a_run_waits_for_the_command_and_the_client_stays_connected(
        self, api: Api, server: ServerProcess, start: Callable[..., None], start_command: StartCommand
    ) -> None:
        start("a", confirm=True)
        run_id = api.start(**{**SPEC, "num_rounds": 1}, min_clients=1)["id"]
        wait_until(lambda: api.clients()["a"]["reason"], "the client waits")
        client = api.clients()["a"]
        assert client["reason"] == f"run {run_id} waits to be confirmed by hand at this site"

        wait_until(
            lambda: api.clients()["a"]["last_seen"] > client["last_seen"] + 1, "its heart goes on beating"
        )
        assert api.clients()["a"]["state"] == "training"
        confirm = start_command("-m client.confirm", run_id, env={"FEDLOOM_HOME": str(server.home)})

        assert confirm.wait_for_exit(30) == 0
        assert confirm.output.startswith(f"Confirmed: run {run_id} at the server ")
        assert "linear on digits by fedavg, 1 rounds, 1 client" in confirm.output
        api.wait_for_run(run_id, "completed")
        assert errors(api, run_id) == [{"a": None}]
        assert api.clients()["a"]["reason"] is None

    def test_one_that_is_declined_by_the_command_goes_on_without_the_site(
        self, api: Api, server: ServerProcess, start: Callable[..., None], start_command: StartCommand
    ) -> None:
        start("a", confirm=True)
        start("b")
        run_id = api.start(**SPEC, min_clients=2)["id"]
        wait_until(lambda: api.clients()["a"]["reason"], "the client waits")

        start_command("-m client.confirm", run_id, "--decline", env={"FEDLOOM_HOME": str(server.home)})

        api.wait_for_run(run_id, "completed")
        said = f"declined by its site: confirm = true, and run {run_id} was declined there by hand"
        assert errors(api, run_id) == [{"a": said, "b": None}] * 2

    def test_without_a_person_there_the_run_goes_on_without_the_site(
        self, api: Api, start: Callable[..., None]
    ) -> None:
        start("a", confirm=True, confirm_minutes=0)
        start("b")
        run_id = api.start(**SPEC, min_clients=2)["id"]

        api.wait_for_run(run_id, "completed")

        assert "nobody has confirmed run" in str(errors(api, run_id)[0]["a"])

    def test_a_run_that_is_stopped_is_waited_for_no_longer(
        self, api: Api, start: Callable[..., None]
    ) -> None:
        start("a", confirm=True)
        run_id = api.start(**SPEC, min_clients=1)["id"]
        wait_until(lambda: api.clients()["a"]["reason"], "the client waits")

        api.stop(run_id)

        api.wait_for_run(run_id, "stopped")
        api.wait_for_client("a", "idle")

    @pytest.mark.parametrize(("typed", "state"), [("yes", "completed"), ("no", "failed")])
    def test_who_sits_at_the_terminal_is_asked_there(
        self,
        typed: str,
        state: str,
        api: Api,
        server: ServerProcess,
        start_command: StartCommand,
        tmp_path: Path,
    ) -> None:
        policy = tmp_path / "policy.toml"
        policy.write_text("confirm = true\n")
        client = start_command(
            "run_client.py",
            *("--client-id", "typed", "--server", server.link, "--policy", str(policy)),
            env={"FEDLOOM_HOME": str(server.home)},
            in_terminal=True,
        )
        api.wait_for_client("typed", "idle")
        run_id = api.start(**{**SPEC, "num_rounds": 1}, min_clients=1)["id"]
        client.wait_for_output(rf"asked to take part in run {run_id} .* Type yes or no:")

        client.type("perhaps")
        client.wait_for_output(r"(?m)^Type yes or no:")
        client.type(typed)

        wait_until(lambda: api.run(run_id)["state"] == state, f"the run is {state}")
        client.end()
        api.wait_for_client("typed", "lost")


def test_another_flower_app_is_judged_in_the_same_way(
    start_server: StartServer, start_command: StartCommand, tmp_path: Path
) -> None:
    app = str(APPS / "quickstart-numpy")
    server = start_server("--app", app)
    api = Api(server.url)
    for name, rules in {
        "any": "",
        "many": "minimum_cohort = 9",
        "own": 'apps = ["built-in"]',
        "robust": 'strategies = ["krum"]',
    }.items():
        policy = tmp_path / f"{name}.toml"
        policy.write_text(rules)
        flags = ("--client-id", name, "--server", server.link, "--app", app, "--policy", str(policy))
        start_command("run_client.py", *flags)
    for name in ("any", "many", "own", "robust"):
        api.wait_for_client(name, "idle")

    run_id = api.start(min_clients=4, num_rounds=1)["id"]
    api.wait_for_run(run_id, "completed")

    (of_round,) = errors(api, run_id)
    assert of_round["any"] is None
    assert of_round["many"] == "declined by its site: minimum_cohort = 9, and the run has 4"
    assert str(of_round["own"]).startswith("declined by its site: apps names those that may run, and the app")
    assert str(of_round["robust"]).startswith("declined by its site: strategies is given, and which one")
    api.close()
