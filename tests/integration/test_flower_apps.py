"""Unmodified Flower apps, on a real server and real clients: rounds, metrics and config of each are there."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.demo.fleet import Fleet
from shared.flower_app import read_app
from tests.conftest import Clients, StartCommand, StartServer
from tests.support.api import Api, Json
from tests.support.apps import APPS, copy_of
from tests.support.processes import END_TIMEOUT_S, ServerProcess
from tests.support.waiting import wait_until

PAIR = ["client-1", "client-2"]

UNDER_FLOWER = {
    "numpy": [2.2525514451913886, 0.5034525942512957],
    "sklearn": [0.814, 0.856],
    "old-style": [0.398, 0.590],
}
"""The clients' loss or accuracy after rounds 1 and 2, as `flwr run` has it with two simulated SuperNodes."""


class Lab:
    """Starts servers and clients that run an app."""

    def __init__(self, start_server: StartServer, fleet: Fleet, folder: Path, ending: ExitStack) -> None:
        self._start_server = start_server
        self._fleet = fleet
        self._folder = folder
        self._ending = ending

    def serve(self, app: str | Path, *flags: str) -> tuple[ServerProcess, Api]:
        """A server with one of the apps in `tests/apps`, or the one in a folder."""
        server = self._start_server("--app", str(APPS / app), *flags)
        api = Api(server.url)
        self._ending.callback(api.close)
        return server, api

    def join(self, server: ServerProcess, app: str | Path, *client_ids: str, **settings: Any) -> None:
        """Clients with the same app."""
        self._clients(server).start(*client_ids, app=read_app(APPS / app), **settings)

    def kill(self, server: ServerProcess, client_id: str) -> None:
        """SIGKILL."""
        self._clients(server).kill(client_id)

    def _clients(self, server: ServerProcess) -> Clients:
        return Clients(self._fleet, server, self._folder)

    def complete(self, name: str, *flags: str) -> tuple[Json, list[Json], ServerProcess]:
        """A run of two rounds with two clients, from start to end: the run, its rounds, the server."""
        server, api = self.serve(name, "--num-rounds", "2", *flags)
        self.join(server, name, *PAIR)
        run = api.get("/runs")["runs"][0]
        return api.wait_for_run(run["id"], "completed"), api.rounds(run["id"]), server


@pytest.fixture
def lab(start_server: StartServer, tmp_path: Path) -> Iterator[Lab]:
    with Fleet() as fleet, ExitStack() as ending:
        yield Lab(start_server, fleet, tmp_path, ending)


def metrics_of(round_: Json) -> list[Json]:
    """The metrics of both clients."""
    results = round_["per_client"]
    assert sorted(results) == PAIR
    assert all(result["error"] is None and not result["late"] for result in results.values())
    return [results[client_id]["metrics"] for client_id in PAIR]


def complete_rounds(run: Json, rounds: list[Json]) -> list[Json]:
    """The run's two rounds, which must be complete."""
    assert run["num_rounds"] == 2
    assert run["clients"] == PAIR
    assert (run["reason"], run["error"], run["progress"]) == (None, None, None)
    assert all(round_["complete"] and round_["duration_s"] > 0 for round_ in rounds)
    return rounds[-2:]


def test_a_numpy_app_trains(lab: Lab) -> None:
    run, rounds, _ = lab.complete("quickstart-numpy")

    first, second = complete_rounds(run, rounds)
    assert (run["spec"]["app"], run["round"]) == ("quickstart-numpy", 2)
    assert [first["round"], second["round"]] == [1, 2]
    assert [first["client_loss"], second["client_loss"]] == pytest.approx(UNDER_FLOWER["numpy"])
    assert second["train_loss"] < first["train_loss"]
    assert (second["clients"], second["client_accuracy"], second["accuracy"]) == (2, None, None)
    for result in second["per_client"].values():
        assert result["samples"] == 40
        assert result["metrics"]["train_loss"] == result["train_loss"] > 0
        assert result["metrics"]["eval_loss"] == result["loss"] > 0
    assert metrics_of(second)[0] != metrics_of(second)[1], "each client has a partition of its own"


def test_a_run_config_reaches_both_ends(lab: Lab) -> None:
    flags = ("--run-config", "learning-rate=0.02 local-epochs=7")

    run, rounds, _ = lab.complete("quickstart-numpy", *flags)

    for round_ in complete_rounds(run, rounds):
        for metrics in metrics_of(round_):
            assert metrics["lr"] == 0.02, "the server's end, which sends it on"
            assert metrics["local-epochs"] == 7, "the client's end"
    assert run["spec"]["run_config"] == {"learning-rate": 0.02, "local-epochs": 7}


def test_more_rounds_in_a_run_config_than_a_run_may_have_are_refused(lab: Lab) -> None:
    _, api = lab.serve("quickstart-numpy")

    refused = api.http.post("/api/v1/runs", json={"run_config": {"num-server-rounds": 20_000}})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "num_rounds"
    assert api.get("/runs")["runs"] == []


def test_a_run_from_the_page_has_a_run_config_of_its_own_and_the_app_anew(lab: Lab) -> None:
    server, api = lab.serve("quickstart-pytorch")
    lab.join(server, "quickstart-pytorch", *PAIR)
    spec = {"app": "quickstart-pytorch", "num_rounds": 1}

    samples = []
    for batch_size, clients in ((16, PAIR), (64, [*PAIR, "client-3"])):
        if len(clients) > 2:  # whose partitions are others: what the app kept of the last run must not count
            lab.join(server, "quickstart-pytorch", "client-3")
        for client_id in clients:
            api.wait_for_client(client_id, "idle")
        run = api.start(**spec, run_config={"batch-size": batch_size}, min_clients=len(clients))
        api.wait_for_run(run["id"], "completed")
        (round_,) = [round_ for round_ in api.rounds(run["id"]) if round_["round"] == 1]
        samples.append(sum(result["samples"] for result in round_["per_client"].values()))

    assert abs(samples[0] - samples[1]) <= 3, "both times the clients have all of the data together"


def test_a_pytorch_app_learns(lab: Lab) -> None:
    run, rounds, _ = lab.complete("quickstart-pytorch")

    first, second = complete_rounds(run, rounds)
    assert second["client_accuracy"] > 0.8
    assert second["train_loss"] < first["train_loss"]
    for result in second["per_client"].values():
        assert result["accuracy"] == result["metrics"]["eval_acc"]


def test_a_scikit_learn_app_learns(lab: Lab) -> None:
    run, rounds, _ = lab.complete("quickstart-sklearn")

    first, second = complete_rounds(run, rounds)
    accuracies = [first["client_accuracy"], second["client_accuracy"]]
    assert accuracies == pytest.approx(UNDER_FLOWER["sklearn"], abs=0.02)
    assert second["train_loss"] < first["train_loss"]
    assert all({"f1", "train_accuracy", "test_logloss"} <= metrics.keys() for metrics in metrics_of(second))


def test_an_app_with_client_mods_passes_through_them(lab: Lab) -> None:
    run, rounds, _ = lab.complete("app-with-mods")

    for number, round_ in enumerate(complete_rounds(run, rounds), start=1):
        for metrics in metrics_of(round_):
            assert metrics["mods"] == 2
            assert metrics["update-norm"] == pytest.approx(10 * 8**0.5)
            assert metrics["eval_loss"] == pytest.approx(number), "the mod has clipped each update to 1"


def test_an_apps_state_lasts_from_round_to_round(lab: Lab) -> None:
    run, rounds, _ = lab.complete("app-with-state")

    first, second = complete_rounds(run, rounds)
    assert [metrics["rounds-seen"] for metrics in metrics_of(first)] == [1, 1]
    assert [metrics["rounds-seen"] for metrics in metrics_of(second)] == [2, 2]
    assert [metrics["layer-mean"] for metrics in metrics_of(second)] == [2, 2]
    assert [metrics["remembered"] for metrics in metrics_of(second)] == [3, 3]


def test_an_app_with_a_strategy_of_its_own_keeps_it(lab: Lab) -> None:
    run, rounds, _ = lab.complete("custom-strategy", "--run-config", "lr-decay=0.25")

    first, second = complete_rounds(run, rounds)
    assert [metrics["lr"] for metrics in metrics_of(first)] == [0.4, 0.4]
    assert [metrics["lr"] for metrics in metrics_of(second)] == pytest.approx([0.1, 0.1])
    assert second["client_loss"] < first["client_loss"]


def test_an_app_that_only_asks_its_clients_needs_no_training(lab: Lab) -> None:
    run, rounds, server = lab.complete("federated-analytics", "--run-config", "bins=4")

    for round_ in complete_rounds(run, rounds):
        assert (round_["train_loss"], round_["client_loss"]) == (None, None)
        for metrics in metrics_of(round_):
            assert 30 < metrics["mean-age"] < 70
            assert metrics["num-examples"] == 100
            assert "ages" not in metrics, "a histogram is no number"
    assert "Histogram of round 1: [" in server.output
    assert server.output.count("in all 200") == 2


def test_an_app_in_the_older_style_trains(lab: Lab) -> None:
    run, rounds, _ = lab.complete("old-style")

    first, second = complete_rounds(run, rounds)
    accuracies = [first["client_accuracy"], second["client_accuracy"]]
    assert accuracies == pytest.approx(UNDER_FLOWER["old-style"], abs=0.001)
    assert second["client_loss"] < first["client_loss"]
    assert [metrics["told"] for metrics in metrics_of(second)] == [2, 2]
    for result in second["per_client"].values():
        assert (result["samples"], result["metrics"]["train_loss"]) == (60, result["train_loss"])


def test_an_app_in_the_older_style_goes_on_without_a_client_that_died(lab: Lab) -> None:
    server, api = lab.serve("old-style", "--num-rounds", "10000", "--num-partitions", "3")
    lab.join(server, "old-style", *PAIR, "client-3")
    run = api.get("/runs")["runs"][0]
    wait_until(lambda: "client-3" in api.run(run["id"])["clients"], "the third takes part")

    lab.kill(server, "client-3")

    api.wait_for_client("client-3", "lost")
    before = api.run(run["id"])["round"]
    api.wait_for_round(run["id"], before + 3)
    assert api.run(run["id"])["state"] == "running"


def test_an_app_in_the_older_style_stops_when_asked_also_while_it_waits(lab: Lab) -> None:
    server, api = lab.serve("old-style", "--num-rounds", "2", "--min-clients", "1")
    lab.join(server, "old-style", "client-1")  # the app itself waits for two
    run = api.get("/runs")["runs"][0]
    api.wait_for_run(run["id"], "running")

    api.stop(run["id"])

    stopped = api.wait_for_run(run["id"], "stopped", timeout_s=15)
    assert stopped["reason"] == "stopped by request"
    lab.join(server, "old-style", "client-2")
    again = api.start(app="old-style", num_rounds=1)
    api.wait_for_run(again["id"], "completed")
    assert "Traceback" not in server.output


def test_a_clients_node_config_goes_before_what_the_server_assigns(lab: Lab) -> None:
    server, api = lab.serve("custom-strategy", "--num-rounds", "1")
    lab.join(server, "custom-strategy", "client-1", node_config={"partition-id": 9})
    lab.join(server, "custom-strategy", "client-2")
    run = api.get("/runs")["runs"][0]
    api.wait_for_run(run["id"], "completed")

    results = api.rounds(run["id"])[-1]["per_client"]

    # the first step goes 0.4 of the way to 1 + partition-id, 0.6 of it are left
    assert results["client-1"]["train_loss"] == pytest.approx((0.6 * 10) ** 2)
    assert results["client-2"]["train_loss"] == pytest.approx((0.6 * 2) ** 2)


def test_everybody_sees_which_app_it_is(lab: Lab) -> None:
    server, api = lab.serve("old-style", "--run-config", "local-epochs=5")
    lab.join(server, "old-style", "client-1")
    api.wait_for_client("client-1", "idle")

    app = read_app(APPS / "old-style")
    status = api.get("/status")
    assert status["app"] == {
        "name": app.name,
        "version": app.version,
        "digest": app.digest,
        "run_config": app.run_config,
        "rounds_key": "num-server-rounds",
    }
    assert status["default_spec"]["run_config"] == {"local-epochs": 5}
    assert "--app" in status["join_command"]
    assert "--dataset" not in status["join_command"]
    assert api.clients()["client-1"]["app"] == "old-style"


def test_the_commands_do_it_together(start_server: StartServer, start_command: StartCommand) -> None:
    folder = str(APPS / "quickstart-numpy")
    server = start_server("--app", folder, "--num-rounds", "2")
    for client_id in PAIR:
        start_command("run_client.py", "--client-id", client_id, "--app", folder, "--server", server.link)
    api = Api(server.url)

    run = api.wait_for_run(api.get("/runs")["runs"][0]["id"], "completed")

    assert [round_["round"] for round_ in api.rounds(run["id"])] == [1, 2]
    assert "Final model: weights [" in server.output
    api.close()


def refused(start_command: StartCommand, server: ServerProcess, *flags: str) -> str:
    """What a client says that the server refuses for good."""
    at_home = {"FEDLOOM_HOME": str(server.home)}
    client = start_command(
        "run_client.py", "--client-id", "client-1", "--server", server.link, *flags, env=at_home
    )
    assert client.wait_for_exit(60) == 1, client
    assert "Traceback" not in client.output
    return client.output


def test_other_files_are_refused_with_the_reason_at_both_ends(
    lab: Lab, start_command: StartCommand, tmp_path: Path
) -> None:
    server, _ = lab.serve("quickstart-numpy")
    theirs = copy_of("quickstart-numpy", tmp_path)
    with (theirs / "numpyexample" / "task.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")

    said = refused(start_command, server, "--app", str(theirs))

    reason = "Server and client run version 1.0.0 of the Flower app quickstart-numpy, but their files differ"
    assert reason in said
    wait_until(lambda: reason in server.output, "the server's log says why")


def test_another_app_another_version_and_none_are_refused_with_the_reason(
    lab: Lab, start_command: StartCommand, tmp_path: Path
) -> None:
    server, _ = lab.serve("quickstart-numpy")
    newer = copy_of("quickstart-numpy", tmp_path)
    pyproject = (newer / "pyproject.toml").read_text(encoding="utf-8")
    (newer / "pyproject.toml").write_text(pyproject.replace('"1.0.0"', '"1.0.1"'), encoding="utf-8")

    assert "the client app-with-mods 1.0.0" in refused(
        start_command, server, "--app", str(APPS / "app-with-mods")
    )
    assert "the client version 1.0.1" in refused(start_command, server, "--app", str(newer))
    assert "the client the built-in app" in refused(start_command, server)


def test_a_client_with_an_app_is_refused_by_a_server_without_one(
    session_server: ServerProcess, start_command: StartCommand
) -> None:
    said = refused(start_command, session_server, "--app", str(APPS / "app-with-state"))

    assert "The client runs the Flower app app-with-state 1.0.0, the server the built-in app" in said


def broken(tmp_path: Path, path: str, text: str) -> Path:
    """A copy of the NumPy app with another file in place of one of its own."""
    folder = copy_of("quickstart-numpy", tmp_path)
    (folder / "numpyexample" / path).write_text(text, encoding="utf-8")
    return folder


def test_an_app_that_cannot_be_imported_ends_the_client_with_the_reason(
    start_command: StartCommand, tmp_path: Path
) -> None:
    folder = broken(tmp_path, "client_app.py", "import surely_not_installed\n")

    client = start_command("run_client.py", "--client-id", "a", "--app", str(folder))

    assert client.wait_for_exit(60) == 1
    assert "error: The Flower app quickstart-numpy needs the Python package surely_not" in client.output
    assert "pip install surely_not_installed" in client.output
    assert "Traceback" not in client.output


def test_a_client_app_that_fails_is_shown_with_its_traceback(lab: Lab, tmp_path: Path) -> None:
    text = (APPS / "quickstart-numpy/numpyexample/client_app.py").read_text(encoding="utf-8")
    folder = broken(tmp_path, "client_app.py", text.replace("# The data\n", "raise ValueError('no data')\n"))
    server, api = lab.serve(folder, "--num-rounds", "1")
    lab.join(server, folder, *PAIR)

    def errors() -> list[Json]:
        return [entry for entry in api.logs(level="error") if entry["source"] in PAIR]

    wait_until(errors, "the clients' errors are in the log")

    assert "ValueError: no data" in errors()[0]["traceback"]
    assert "client_app.py" in errors()[0]["traceback"]
    run = api.get("/runs")["runs"][0]
    api.stop(run["id"])


@pytest.mark.parametrize(
    ("raised", "shown"),
    [
        ("type('Panic', (BaseException,), {})('index out of bounds')", "Panic: index out of bounds"),
        ("KeyboardInterrupt", "KeyboardInterrupt"),
        (r"OSError('/data/B\udce4r.csv is missing')", "/data/B\ufffdr.csv is missing"),
    ],
    ids=["a panic", "an interrupt", "text that is no UTF-8"],
)
def test_whatever_a_client_app_raises_the_run_goes_on_and_the_client_can_be_interrupted(
    lab: Lab, start_command: StartCommand, tmp_path: Path, raised: str, shown: str
) -> None:
    text = (APPS / "quickstart-numpy/numpyexample/client_app.py").read_text(encoding="utf-8")
    once = f"global evaluated\n    if not evaluated:\n        evaluated = True\n        raise {raised}\n"
    begun = '"""Evaluate the model on local data."""\n'
    text = text.replace(begun, f"{begun}    {once}") + "\n\nevaluated = False\n"
    folder = broken(tmp_path, "client_app.py", text)
    server, api = lab.serve(folder, "--num-rounds", "2")
    clients = [
        start_command("run_client.py", "--client-id", name, "--app", str(folder), "--server", server.link)
        for name in PAIR
    ]

    run = api.get("/runs")["runs"][0]
    api.wait_for_run(run["id"], "completed")

    errors = [entry for entry in api.logs(level="error") if entry["source"] in PAIR]
    assert [shown in entry["traceback"] for entry in errors] == [True, True]
    for client in clients:
        client.signal(signal.SIGINT)
    assert [client.wait_for_exit(END_TIMEOUT_S) for client in clients] == [0, 0]
