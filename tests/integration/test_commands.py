"""run_server.py and run_client.py as a person uses them: they explain what is wrong, and end when asked."""

from __future__ import annotations

import shlex
import shutil
import signal
from pathlib import Path

import pytest

import client.cli
from tests.conftest import StartCommand, StartServer
from tests.support.api import Api
from tests.support.people import administrator
from tests.support.processes import END_TIMEOUT_S, NO_NETWORK, ROOT, ServerProcess, wait_until_gone
from tests.support.waiting import wait_until

ENDINGS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_a_port_that_is_in_use_is_named(
    session_server: ServerProcess, start_command: StartCommand, mode: str
) -> None:
    port = session_server.port

    second = start_command("run_server.py", "--port", str(port), "--link-port", "0", "--async-mode", mode)

    assert second.wait_for_exit(60) == 1
    assert f"error: The page cannot be served on 127.0.0.1:{port}: the port is in use." in second.output
    assert "--port" in second.output
    assert "Traceback" not in second.output


def test_a_link_port_that_is_in_use_is_named(
    session_server: ServerProcess, start_command: StartCommand
) -> None:
    port = session_server.link_port

    second = start_command("run_server.py", "--port", "0", "--link-port", str(port))

    assert second.wait_for_exit(60) == 1
    assert f"The link for clients cannot listen on 127.0.0.1:{port}" in second.output
    assert "--link-port" in second.output
    assert "Traceback" not in second.output


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_server_and_client_end_when_asked_also_in_the_middle_of_a_run(
    start_server: StartServer, start_command: StartCommand, ending: signal.Signals, mode: str
) -> None:
    flags = ("--num-rounds", "10000", "--min-clients", "1", "--local-epochs", "1000", "--async-mode", mode)
    server = start_server(*flags, "--drain-seconds", "0")
    client = start_command("run_client.py", "--client-id", "a", "--server", server.link)
    api = Api(server.url)
    run_id = api.get("/runs")["runs"][0]["id"]
    api.wait_for_client("a", "training")
    family = [*server.family(), *client.family()]

    server.signal(ending)
    assert server.wait_for_exit(END_TIMEOUT_S) == 0
    client.signal(ending)
    assert client.wait_for_exit(END_TIMEOUT_S) == 0

    api.close()
    wait_until_gone(family)
    assert f"run {run_id} is interrupted: the server was shut down" in server.output
    for command in (server, client):
        assert "Traceback" not in command.output
        assert "Exception" not in command.output


@pytest.mark.parametrize("script", ["run_server.py", "run_client.py"])
def test_a_command_that_is_interrupted_while_it_starts_ends_without_a_traceback(
    start_command: StartCommand, script: str
) -> None:
    flags = {"run_server.py": ["--port", "0", "--link-port", "0"], "run_client.py": ["--client-id", "a"]}[
        script
    ]
    command = start_command(script, *flags)
    (process,) = command.family()
    wait_until(
        lambda: any("torch" in mapped.path for mapped in process.memory_maps()),
        "it has begun to import PyTorch",
    )

    command.signal(signal.SIGINT)

    command.wait_for_exit(END_TIMEOUT_S)
    assert "Traceback" not in command.output


def test_a_client_whose_data_cannot_be_had_says_so_and_ends(start_command: StartCommand) -> None:

    client = start_command("run_client.py", "--client-id", "a", "--dataset", "cifar10", env=NO_NETWORK)

    assert client.wait_for_exit(60) == 1
    assert "error: The data set cifar10 is not in" in client.output
    assert "digits or synthetic" in client.output
    assert "Traceback" not in client.output


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ([], "--client-id"),
        (["--client-id", "a", "--dataset", "imagenet"], "--dataset"),
        (["--client-id", "a", "--server", "nowhere"], "HOST:PORT"),
        (["--client-id", "a", "--server", "http://x:5"], "HOST:PORT"),
        (["--client-id", "a", "--max-samples", "0"], "--max-samples"),
        (["--client-id", "a", "--threads", "many"], "--threads"),
    ],
)
def test_a_wrong_flag_of_the_client_is_named(
    flags: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from client.cli import parse

    with pytest.raises(SystemExit) as ended:
        parse(flags)

    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err.splitlines()[-1]


def test_a_device_that_does_not_exist_is_named(start_command: StartCommand) -> None:
    client = start_command("run_client.py", "--client-id", "a", "--device", "cuda:99")

    assert client.wait_for_exit(60) == 1
    assert "cuda:99" in client.output
    assert "Traceback" not in client.output


def test_the_server_warns_when_others_can_reach_it(start_server: StartServer) -> None:
    server = start_server("--host", "0.0.0.0")

    assert "The page can be reached from other machines by plain HTTP" in server.output
    assert "Make the first administrator, within an hour, at" in server.output
    with administrator(server) as http:
        response = http.get("/api/v1/status", headers={"Host": "fedloom.example"})
    assert response.status_code == 200
    assert "<this-host>" in response.json()["join_command"]


def test_the_command_to_join_can_be_pasted_also_with_blanks_in_the_folder(
    start_server: StartServer, tmp_path: Path
) -> None:
    folder = tmp_path / "my app; of 'mine'"
    shutil.copytree(ROOT / "tests" / "apps" / "quickstart-numpy", folder)
    server = start_server("--app", str(folder))
    api = Api(server.url)

    words = shlex.split(api.get("/status")["join_command"])

    assert words[:2] == ["python", "run_client.py"]
    app = client.cli.parse(words[2:]).app
    assert app is not None
    assert app.folder == folder.resolve()
    api.close()
