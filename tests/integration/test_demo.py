"""run_demo.py: a whole federation from one command, of which nothing is left afterwards."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import StartCommand
from tests.support.api import Api, Json
from tests.support.processes import END_TIMEOUT_S, NO_NETWORK, ROOT, START_TIMEOUT_S, Command, wait_until_gone

FLAGS = ("--port", "0", "--no-browser")


def mnist_folder() -> Path | None:
    """Where the files of MNIST are, if they are anywhere."""
    configured = os.environ.get("FEDLOOM_DATA_DIR")
    candidates = [Path(configured)] if configured else []
    candidates.append(ROOT.parent / "shared" / "data")
    return next((folder for folder in candidates if (folder / "MNIST" / "raw").is_dir()), None)


def demo(home: Path, *flags: str, timeout_s: float = 90, **options: Any) -> tuple[Command, Json]:
    """Run a demo to its end; the command and its report."""
    report = home / "report.json"
    command = Command(
        "run_demo.py", *FLAGS, "--exit-when-done", "--report", str(report), *flags, home=home, **options
    )
    try:
        assert command.wait_for_exit(timeout_s) == 0, command
    finally:
        command.end()
    content: Json = json.loads(report.read_text(encoding="utf-8"))
    return command, content


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, Json, list[psutil.Process]]:
    """The demo of the README."""
    before = set(psutil.pids())
    command, report = demo(
        tmp_path_factory.mktemp("demo"), "--clients", "3", "--rounds", "5", "--dataset", "digits"
    )
    left = [
        process for process in psutil.process_iter() if process.pid not in before and mine(process, command)
    ]
    return command, report, left


def mine(process: psutil.Process, command: Command) -> bool:
    """Whether a process belongs to a command's session, dead or not."""
    try:
        return os.getsid(process.pid) == command.process.pid
    except ProcessLookupError:
        return False


def test_it_trains_the_digits_and_reports(digits: tuple[Command, Json, list[psutil.Process]]) -> None:
    _, report, _ = digits

    assert report.keys() == {"run_id", "status", "dataset", "clients", "wall_s", "rounds", "final"}
    assert (report["status"], report["dataset"], report["clients"]) == ("completed", "digits", 3)
    assert report["final"]["accuracy"] >= 0.9
    assert [round_["round"] for round_ in report["rounds"]] == [0, 1, 2, 3, 4, 5]
    for round_ in report["rounds"]:
        assert round_.keys() == {"round", "train_loss", "loss", "accuracy", "clients", "duration_s"}
    assert [round_["clients"] for round_ in report["rounds"]] == [0, 3, 3, 3, 3, 3]
    assert report["final"] == {name: report["rounds"][-1][name] for name in ("loss", "accuracy")}
    assert sum(round_["duration_s"] for round_ in report["rounds"]) < report["wall_s"]


def test_it_says_what_it_does_and_how_it_ended(digits: tuple[Command, Json, list[psutil.Process]]) -> None:
    command, report, _ = digits

    assert "The live page: http://localhost:" in command.output
    assert f"Run {report['run_id']} completed after" in command.output
    assert "Traceback" not in command.output
    assert "error" not in command.output.lower()


def test_it_leaves_no_process_behind(digits: tuple[Command, Json, list[psutil.Process]]) -> None:
    wait_until_gone(digits[2])  # the last may be on its way out


def test_the_same_seed_gives_the_same_accuracies(
    digits: tuple[Command, Json, list[psutil.Process]], tmp_path: Path
) -> None:
    _, again = demo(tmp_path, "--clients", "3", "--rounds", "5", "--dataset", "digits")

    def curve(report: Json) -> list[tuple[float, float, float]]:
        return [(round_["accuracy"], round_["loss"], round_["train_loss"]) for round_ in report["rounds"]]

    assert curve(again) == curve(digits[1])


def test_without_the_default_data_set_it_says_so_and_takes_the_digits(tmp_path: Path) -> None:
    command, report = demo(
        tmp_path,
        "--clients",
        "1",
        "--rounds",
        "1",
        env={**NO_NETWORK, "FEDLOOM_DATA_DIR": ""},
    )

    assert report["dataset"] == "digits"
    assert f"The data set mnist is not in {tmp_path / 'data'} and could not be downloaded" in command.output
    assert "The demo goes on with digits, which needs no download." in command.output


@pytest.mark.parametrize("dataset", ["cifar10", "mnist"])
def test_a_data_set_that_was_named_and_cannot_be_had_ends_it_with_the_reason(
    dataset: str, start_command: StartCommand, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    flags = ("--dataset", dataset, "--exit-when-done", "--report", str(report))
    command = start_command("run_demo.py", *FLAGS, *flags, env=NO_NETWORK)

    assert command.wait_for_exit(START_TIMEOUT_S) == 1
    assert f"error: The data set {dataset} is not in {tmp_path / 'data'} and could not be" in command.output
    assert "digits or synthetic" in command.output
    assert "The demo goes on" not in command.output
    assert "Traceback" not in command.output
    assert not report.exists()


def test_a_report_that_cannot_be_written_is_refused_before_anything_starts(
    start_command: StartCommand,
) -> None:
    command = start_command("run_demo.py", *FLAGS, "--dataset", "digits", "--report", "/proc/nowhere/r.json")

    assert command.wait_for_exit(START_TIMEOUT_S) == 2
    assert "--report /proc/nowhere/r.json: nothing can be written there" in command.output
    assert "Loading" not in command.output


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_everything_when_asked(start_command: StartCommand, ending: signal.Signals) -> None:
    command = in_the_middle(start_command)
    family = command.family()
    assert len(family) >= 4  # itself, forkserver, server, client

    command.signal(ending)

    assert command.wait_for_exit(END_TIMEOUT_S) == 130
    wait_until_gone(family)
    assert "Stopped." in command.output
    assert "Traceback" not in command.output


def test_nothing_outlives_a_demo_that_is_killed(start_command: StartCommand) -> None:
    command = in_the_middle(start_command)
    family = command.family()

    command.process.kill()

    wait_until_gone(family)


def test_ctrl_c_in_a_terminal_reaches_all_processes_at_once_and_is_as_quiet(
    start_command: StartCommand,
) -> None:
    command = in_the_middle(start_command)
    family = command.family()

    os.killpg(command.process.pid, signal.SIGINT)

    assert command.wait_for_exit(END_TIMEOUT_S) == 130
    wait_until_gone(family)
    assert "Traceback" not in command.output


def test_it_gives_up_when_a_client_that_it_needs_has_died(start_command: StartCommand) -> None:
    command = in_the_middle(start_command)
    client = client_of(command)

    client.kill()

    assert command.wait_for_exit(30) == 1
    assert "client-1 ended (exit code -9)." in command.output
    assert "error: Only 0 of 1 clients are left, the run needs 1." in command.output


def test_a_finished_demo_keeps_its_page_until_it_is_interrupted(start_command: StartCommand) -> None:
    command = start_command("run_demo.py", *FLAGS, "--clients", "1", "--rounds", "1", "--dataset", "digits")
    url = command.wait_for_output(r"The page stays at (http://localhost:\d+)")[1]
    family = command.family()
    api = Api(url)
    api.wait_for_run(api.start(num_rounds=1, min_clients=1)["id"], "completed")
    api.close()

    command.signal(signal.SIGINT)

    command.wait_for_exit(END_TIMEOUT_S)
    wait_until_gone(family)


def test_a_port_that_is_in_use_is_named(start_command: StartCommand, session_server: Any) -> None:
    command = start_command(
        "run_demo.py", "--port", str(session_server.port), "--dataset", "digits", "--no-browser"
    )

    assert command.wait_for_exit(START_TIMEOUT_S) == 1
    assert "the port is in use" in command.output
    assert "Traceback" not in command.output


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--clients", "0"], "--clients 0"),
        (["--rounds", "0"], "rounds"),
        (["--min-clients", "4"], "--min-clients 4"),
        (["--lr", "0"], "--lr"),
    ],
)
def test_a_wrong_flag_is_named(flags: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    from app.demo.cli import main

    with pytest.raises(SystemExit) as ended:
        main(flags)

    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.timeout(660)
def test_it_reaches_98_percent_on_mnist(tmp_path: Path) -> None:
    folder = mnist_folder()
    if folder is None:
        pytest.skip("needs the files of MNIST in FEDLOOM_DATA_DIR or ../shared/data")

    _, report = demo(
        tmp_path,
        *("--clients", "3", "--rounds", "5", "--dataset", "mnist", "--alpha", "0.5", "--local-epochs", "1"),
        *("--data-dir", str(folder)),
        timeout_s=600,
    )

    assert report["dataset"] == "mnist"
    assert report["final"]["accuracy"] >= 0.98


def client_of(command: Command) -> psutil.Process:
    """The client of a demo with one: the only process that has a connection but listens on nothing."""
    for process in command.family()[1:]:
        connections = {connection.status for connection in process.net_connections("tcp")}
        if psutil.CONN_ESTABLISHED in connections and psutil.CONN_LISTEN not in connections:
            return process
    raise AssertionError(f"no client among {command.family()}")


def in_the_middle(start_command: StartCommand) -> Command:
    """A demo that has trained a round and would go on for long."""
    flags = ("--clients", "1", "--rounds", "10000", "--dataset", "digits", "--exit-when-done")
    command = start_command("run_demo.py", *FLAGS, *flags)
    command.wait_for_output("round 1 aggregated from 1 of 1 clients")
    return command
