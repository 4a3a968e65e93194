"""Every command of README.md and of the pages nearest to it is run, or at least parsed by its program."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import app.export
import app.settings
import client.cli
from app.demo import settings as demo
from tests.conftest import Clients, StartCommand, StartServer
from tests.support.api import Api
from tests.support.documents import MANUAL, blocks, commands, text_of
from tests.support.processes import ROOT, ServerProcess
from tests.support.tools import require

README = text_of("README.md")
BLOCKS = [block for document in MANUAL for block in blocks(document)]
COMMANDS = [command for document in MANUAL for command in commands(document)]
SIMULATION_TIMEOUT_S = 150


def _words(command: str) -> list[str]:
    """A command as `python run_….py …`, also where README has it as `./start.sh …`."""
    words = shlex.split(command)
    if words[0] == "./start.sh" and words[1] in {"demo", "server", "client"}:
        return ["python", f"run_{words[1]}.py", *words[2:]]
    if words[:2] == ["./start.sh", "app"]:
        return ["python", "run_demo.py", "--app", *words[2:]]
    return words


def _all(*beginning: str) -> list[str]:
    """The manual's commands that begin so; the test that asks for them would be empty without any."""
    found = [command for command in COMMANDS if _words(command)[: len(beginning)] == list(beginning)]
    assert found, f"the manual has no command {' '.join(beginning)!r}"
    return found


def test_every_command_is_one_that_a_test_here_runs_or_parses() -> None:
    [simulation] = [block for block in BLOCKS if "flwr run" in block]
    tested = {
        "./start.sh test",  # which runs this
        *_all("python", "run_server.py"),
        *_all("python", "run_client.py"),
        *_all("python", "run_demo.py"),
        *_all("python", "-m", "app.export"),
        *_all("curl"),
        *_all("flwr", "federation"),
        *simulation.splitlines(),
    }

    assert [command for command in COMMANDS if command not in tested] == []


@pytest.mark.parametrize("command", _all("python", "run_server.py"))
def test_server_commands_are_understood(command: str) -> None:
    app.settings.parse(_words(command)[2:])


@pytest.mark.parametrize("command", _all("python", "run_client.py"))
def test_client_commands_are_understood(command: str) -> None:
    client.cli.build_parser().parse_args(_words(command)[2:])


@pytest.mark.parametrize("command", _all("python", "run_demo.py"))
def test_demo_commands_are_understood(command: str) -> None:
    demo.parse(_words(command)[2:])


@pytest.mark.parametrize("command", _all("python", "-m", "app.export"))
def test_an_export_writes_what_it_says(
    api: Api, session_server: ServerProcess, clients: Clients, command: str, tmp_path: Path
) -> None:
    clients.start("exported")
    run = api.start(num_rounds=1, min_clients=1)
    api.wait_for_run(run["id"], "completed")

    result = subprocess.run(
        [sys.executable, *shlex.split(command.replace("RUN_ID", run["id"]))[1:]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FEDLOOM_HOME": str(session_server.home)},
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result
    written = {path.name.split(".")[0] for path in tmp_path.rglob("*") if path.is_file()}
    expected = {"events"} if "--format" in command else {"run", "rounds", "clients", "events"}
    assert expected <= written


def test_the_flags_in_its_tables_and_text_exist() -> None:
    known = app.settings.build_parser().format_help() + client.cli.build_parser().format_help()
    known += app.export.build_parser().format_help()
    known += " --clients --rounds --report --exit-when-done --no-browser"  # of the demo, parsed above
    known += " --mesh --kill-server-at"
    foreign = {"--stream", "--run-config", "--num-supernodes", "--help"}

    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "".join(map(text_of, MANUAL)))) - foreign

    assert {flag for flag in named if not re.search(rf"{flag}\b(?!-)", known)} == set()


def test_the_demo_with_a_report_completes(start_command: StartCommand, tmp_path: Path) -> None:
    command = next(command for command in _all("python", "run_demo.py") if "--report" in command)

    running = start_command(*_words(command)[1:], "--port", "0", "--no-browser")

    assert running.wait_for_exit(120) == 0, running
    assert json.loads((tmp_path / "report.json").read_text())["status"] == "completed"


def test_the_three_terminals_train_together(start_server: StartServer, start_command: StartCommand) -> None:
    section = README.split("## Quick start in three terminals")[1].split("\n## ")[0]
    terminals = [_words(line) for line in re.findall(r"^\./start\.sh .*$", section, flags=re.MULTILINE)]
    [server_flags] = [words[2:] for words in terminals if words[1] == "run_server.py"]
    clients = [words[1:] for words in terminals if words[1] == "run_client.py"]
    assert len(clients) == 2

    server = start_server(*server_flags)
    for words in clients:
        start_command(*words, "--server", server.link)
    api = Api(server.url)
    run = api.wait_for_run(api.get("/runs")["runs"][0]["id"], "completed", timeout_s=120)

    assert run["clients"] == ["client-1", "client-2"]
    assert run["round"] == 5
    api.close()


@pytest.mark.parametrize("command", _all("curl"))
def test_curl_gets_an_answer(session_server: ServerProcess, api: Api, command: str) -> None:
    curl = require("curl", why="docs/rest.md shows the REST API with it")
    words = shlex.split(command.replace("http://localhost:5000", session_server.url))

    result = subprocess.run(
        [curl, "--silent", "--fail-with-body", "--noproxy", "*", *words[1:]], capture_output=True, text=True
    )

    assert result.returncode == 0, result
    assert isinstance(json.loads(result.stdout), dict)


@pytest.fixture
def free_ports() -> tuple[int, int]:
    """Two ports that were free a moment ago."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


@pytest.fixture
def flower_environment(tmp_path: Path, free_ports: tuple[int, int]) -> Iterator[dict[str, str]]:
    """For Flower's command line, with a configuration of its own; ends the SuperLink that it leaves."""
    http, control = (str(port) for port in free_ports)
    yield {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "FLWR_HOME": str(tmp_path / "flwr"),
        "FLWR_LOCAL_SUPERLINK_HTTP_API_PORT": http,
        "FLWR_LOCAL_CONTROL_API_PORT": control,
        "FLWR_DISABLE_UPDATE_CHECK": "1",
    }
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if control in " ".join(command) and any("flower-superlink" in word for word in command):
            process.terminate()
            process.wait(30)


@pytest.mark.alone  # Flower takes a task for dead whose machine has too much to do
@pytest.mark.timeout(2 * SIMULATION_TIMEOUT_S)
def test_flowers_own_simulation_runs_the_same_apps(flower_environment: dict[str, str]) -> None:
    [block] = [block for block in BLOCKS if "flwr run" in block]
    [nodes] = _all("flwr", "federation")

    result = subprocess.run(
        ["bash", "-euc", f"{nodes}\n{block}\nflwr list --format json"],
        cwd=ROOT,
        env=flower_environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SIMULATION_TIMEOUT_S,
    )

    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "(3 simulated SuperNodes)" in output
    assert re.search(r"round 3: accuracy 0\.\d+", output), output
    listed = json.loads(result.stdout[result.stdout.rindex('{\n  "success"') :])
    assert [run["status"] for run in listed["runs"]] == ["finished:completed"], output
