"""Flower's own `flwr` command, as it is installed, against a FedLoom server: run, list, log, stop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flwr.supercore.control import ControlHttpClient

from app.demo.fleet import Fleet
from shared.flower_app import read_app
from shared.flower_control import StreamLogsRequest
from tests.conftest import Clients, StartServer
from tests.support.api import Api, Json
from tests.support.apps import APPS, copy_of
from tests.support.processes import NO_NETWORK, ServerProcess

APP = APPS / "quickstart-numpy"
TIMEOUT_S = 90

CONFIG = """
[superlink.fedloom]
address = "127.0.0.1:{port}"
insecure = true
"""

Flwr = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def flwr(tmp_path: Path) -> Callable[[ServerProcess], Flwr]:
    """Gives the command for a server: `flwr(server)("run", ".", "fedloom", folder=…)`."""

    def configured(server: ServerProcess) -> Flwr:
        home = tmp_path / "flower"
        home.mkdir(exist_ok=True)
        (home / "config.toml").write_text(CONFIG.format(port=server.port), encoding="utf-8")
        environment = {
            **os.environ,
            **NO_NETWORK,
            "NO_PROXY": "127.0.0.1",
            "FLWR_HOME": str(home),
            "FLWR_TELEMETRY_ENABLED": "0",
            "FLWR_DISABLE_UPDATE_CHECK": "1",
            "COLUMNS": "1000",
        }

        def flwr(*arguments: str, folder: Path = APP) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [Path(sys.executable).with_name("flwr"), *arguments],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=TIMEOUT_S,
                check=False,
            )

        return flwr

    return configured


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with Fleet() as fleet:
        yield fleet


@pytest.fixture
def serve(start_server: StartServer) -> Iterator[Callable[..., tuple[ServerProcess, Api]]]:
    """Starts a server of the app with these flags."""
    with ExitStack() as ending:

        def serve(*flags: str) -> tuple[ServerProcess, Api]:
            server = start_server("--app", str(APP), *flags)
            api = Api(server.url)
            ending.callback(api.close)
            return server, api

        yield serve


def started(result: subprocess.CompletedProcess[str]) -> Json:
    """What `flwr run --format json` says of a run that it has started."""
    assert result.returncode == 0, result
    said: Json = json.loads(result.stdout)
    assert said["success"] is True, said
    return said


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_a_run_is_started_followed_and_listed(
    serve: Callable[..., tuple[ServerProcess, Api]],
    flwr: Callable[[ServerProcess], Flwr],
    fleet: Fleet,
    tmp_path: Path,
    mode: str,
) -> None:
    server, api = serve("--async-mode", mode)
    Clients(fleet, server, tmp_path).start("client-1", "client-2", app=read_app(APP))
    command = flwr(server)

    config = "num-server-rounds=2 learning-rate=0.2"
    followed = command("run", ".", "fedloom", "--run-config", config, "--stream")

    assert followed.returncode == 0, followed
    (run,) = api.get("/runs")["runs"]
    number = int(run["id"], 16)
    assert (run["state"], run["num_rounds"], run["round"]) == ("completed", 2, 2)
    assert run["spec"]["run_config"] == {"num-server-rounds": 2, "learning-rate": 0.2}
    assert f"Successfully started run {number}" in followed.stdout
    assert f"it is run {run['id']}" in followed.stderr
    assert f"run {run['id']} completed" in followed.stdout, "to the end, and not a line less"
    assert "round 2 aggregated from 2 of 2 clients" in followed.stdout
    assert "client-1  takes part in run" in followed.stdout, "what its clients say is the run's as well"
    assert "[ROUND 2/2]" in followed.stdout, "what the app's strategy says"
    assert "Final model: weights" in followed.stdout, "what the app prints"

    (entry,) = json.loads(command("list", "fedloom", "--format", "json").stdout)["runs"]
    assert (entry["run-id"], entry["status"]) == (str(number), "finished:completed")
    assert (entry["fab-name"], entry["fab-version"]) == ("quickstart-numpy", "1.0.0")
    assert entry["elapsed"] > 0

    shown = command("log", str(number), "fedloom", "--show")
    assert f"run {run['id']} completed" in shown.stdout


def test_a_run_that_waits_is_stopped(
    serve: Callable[..., tuple[ServerProcess, Api]], flwr: Callable[[ServerProcess], Flwr]
) -> None:
    server, api = serve("--min-clients", "3")
    command = flwr(server)
    number = started(command("run", ".", "fedloom", "--format", "json"))["run-id"]
    run = api.wait_for_reason(f"{int(number):08x}", "waiting for 3 more clients")

    stopped = command("stop", number, "fedloom")

    assert stopped.returncode == 0, stopped
    assert "successfully stopped" in stopped.stdout
    api.wait_for_run(run["id"], "stopped")
    again = command("stop", number, "fedloom")
    assert again.returncode == 1
    assert "it is stopped already" in again.stderr


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_a_log_comes_line_by_line_while_the_run_waits(
    serve: Callable[..., tuple[ServerProcess, Api]], mode: str
) -> None:
    server, api = serve("--async-mode", mode, "--min-clients", "3")
    run = api.start(min_clients=3)
    api.wait_for_reason(run["id"], "waiting for 3 more clients")

    with ControlHttpClient(server.url) as control:
        messages = control.StreamLogs(StreamLogsRequest(run_id=int(run["id"], 16)))
        first = next(messages).log_output
        assert f"run {run['id']} is waiting for 3 more clients" in first
        assert api.stop(run["id"]).status_code == 200
        rest = "".join(message.log_output for message in messages)

    assert rest.endswith(f"run {run['id']} stopped: stopped by request\n")


def test_what_is_sent_is_compared_and_never_carried_out(
    serve: Callable[..., tuple[ServerProcess, Api]], flwr: Callable[[ServerProcess], Flwr], tmp_path: Path
) -> None:
    server, api = serve()
    command = flwr(server)
    other = copy_of(APP.name, tmp_path / "other")
    trace = tmp_path / "carried out"
    code = other / "numpyexample" / "server_app.py"
    code.write_text(f"open({str(trace)!r}, 'w')\n{code.read_text(encoding='utf-8')}", encoding="utf-8")

    changed = command("run", ".", "fedloom", folder=other)
    another = command("run", ".", "fedloom", folder=APPS / "custom-strategy")

    assert changed.returncode == another.returncode == 1
    assert "numpyexample/server_app.py (changed)" in changed.stderr
    assert "runs the Flower app quickstart-numpy 1.0.0; yours is custom-strategy 1.0.0" in another.stderr
    assert api.get("/runs")["runs"] == []
    assert not trace.exists()


def test_what_a_fedloom_server_does_not_have_is_said_in_words(
    serve: Callable[..., tuple[ServerProcess, Api]], flwr: Callable[[ServerProcess], Flwr]
) -> None:
    server, _ = serve()
    command = flwr(server)

    for arguments, words in (
        (["supernode", "list", "fedloom"], "This server's clients are no SuperNodes"),
        (["federation", "list", "fedloom"], "This server has no federations"),
        (["run", ".", "fedloom", "--federation", "@me/mine"], "Leave out --federation"),
        (["log", "5", "fedloom"], "There is no run 5 here."),
    ):
        result = command(*arguments)
        assert result.returncode == 1
        assert words in result.stderr
