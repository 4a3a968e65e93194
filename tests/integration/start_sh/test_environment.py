"""start.sh makes its own Python environment, with its real pip, and keeps it whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.support.checkout import TIMEOUT_S, Checkout, StartCheckout, family, kill_family
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(2 * TIMEOUT_S)

WAIT_FOR_CTRL_C = """\
import os, signal
try:
    print(os.getpid(), flush=True)
    signal.pause()
except KeyboardInterrupt:
    print("bye")
"""

TINY_SETUP = """\
[project]
name = "tiny"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

TINY_BACKEND = """\
import zipfile
INFO = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", INFO)
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    return name
"""


def test_the_first_use_makes_the_environment_and_the_second_finds_it(checkout: Checkout) -> None:
    tiny = checkout.folder / "tiny"
    tiny.mkdir()
    (tiny / "pyproject.toml").write_text(TINY_SETUP)
    (tiny / "backend.py").write_text(TINY_BACKEND)
    checkout.require("./tiny\n")

    first = checkout.run("demo")
    second = checkout.run("demo")

    assert first.returncode == 0, first
    assert "Step 1 of 2" in first.stdout
    assert "PyTorch alone is several GB" in first.stdout
    assert "Installed after 0:" in first.stdout
    assert list(checkout.venv.glob("lib*/python3*/site-packages/tiny.py"))
    assert second.stdout.startswith("A quick look"), second


@pytest.mark.parametrize("command", ["demo", "server", "client"])
def test_arguments_are_passed_on_and_the_exit_code_comes_back(
    installed: Checkout, tmp_path: Path, command: str
) -> None:
    result = installed.run(command, "--name", "two words", "", cwd=tmp_path, END_WITH="7")

    expected = f"ran run_{command}.py {['--name', 'two words', '']} in {tmp_path.resolve()} telemetry 0\n"
    assert (result.returncode, result.stdout) == (7, expected)


def test_python_takes_the_place_of_the_shell_so_that_ctrl_c_reaches_it(
    checkout: Checkout, installed: Checkout, start: StartCheckout
) -> None:
    (checkout.folder / "run_server.py").write_text(WAIT_FOR_CTRL_C)

    process = start(checkout, "server", FEDLOOM_VENV=str(installed.venv))
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    os.killpg(process.pid, signal.SIGINT)

    assert pid == process.pid
    assert process.communicate(timeout=TIMEOUT_S)[0] == "bye\n"


def test_its_environment_can_be_activated_and_runs_the_python_commands(installed: Checkout) -> None:
    result = subprocess.run(
        ["bash", "-euc", ". .venv/bin/activate\nwhich python\npython run_client.py --client-id client-1"],
        cwd=installed.folder,
        env=installed.environment(FLWR_TELEMETRY_ENABLED="0"),
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result
    assert result.stdout.startswith(f"{installed.venv}/bin/python\nran run_client.py")


def test_changed_requirements_are_installed(used: Checkout) -> None:
    used.require("# nothing more, but not the same\n")

    result = used.run("demo")

    assert "The requirements have changed" in result.stdout
    assert "Step 1 of 2" not in result.stdout
    assert result.returncode == 0, result


def test_an_update_that_fails_before_it_changes_anything_leaves_what_works(used: Checkout) -> None:
    used.require("./no-such-package\n")
    failed = used.run("demo")
    used.require("")
    again = used.run("demo")

    assert failed.returncode == 1
    assert "ran run_demo.py" in again.stdout, again
    assert "Step" not in again.stdout


def test_an_installation_that_fails_shows_pips_message_and_is_tried_again(checkout: Checkout) -> None:
    checkout.require("./no-such-package\n")
    failed = checkout.run("demo")
    checkout.require("")
    mended = checkout.run("demo")

    assert failed.returncode == 1
    assert "no-such-package" in failed.stderr
    assert "could not be installed" in failed.stderr
    assert "is made anew" in mended.stdout
    assert "ran run_demo.py" in mended.stdout


def test_an_interrupted_installation_ends_at_once_and_is_made_anew(
    checkout: Checkout, start: StartCheckout
) -> None:
    os.mkfifo(checkout.folder / "endless.txt")  # pip waits in it for somebody to write
    checkout.require("-r endless.txt\n")
    process = start(checkout, "demo")
    wait_until(lambda: _installs(process.pid), "pip installs", TIMEOUT_S)
    members = family(process.pid)

    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=TIMEOUT_S)[0]
    checkout.require("")
    again = checkout.run("demo")

    assert process.returncode == 130
    assert "Interrupted" in output
    assert not any(member.is_running() for member in members)
    assert "is made anew" in again.stdout
    assert "ran run_demo.py" in again.stdout


def test_an_environment_left_by_a_kill_is_made_anew(checkout: Checkout, start: StartCheckout) -> None:
    os.mkfifo(checkout.folder / "endless.txt")
    checkout.require("-r endless.txt\n")
    process = start(checkout, "demo")
    wait_until(lambda: _installs(process.pid), "pip installs", TIMEOUT_S)
    kill_family(process)
    process.wait()
    checkout.require("")

    again = checkout.run("demo")

    assert "is made anew" in again.stdout
    assert "ran run_demo.py" in again.stdout


def test_a_second_start_waits_for_the_first_to_install(checkout: Checkout, start: StartCheckout) -> None:
    gate = checkout.folder / "gate.txt"
    os.mkfifo(gate)
    checkout.require("-r gate.txt\n")
    first = start(checkout, "server")
    wait_until(lambda: _installs(first.pid), "pip installs", TIMEOUT_S)
    second = start(checkout, "client")
    assert second.stdout is not None
    assert "waiting for it" in second.stdout.readline()

    gate.write_text("")  # opens the FIFO, and closes it: pip goes on

    assert "ran run_server.py" in first.communicate(timeout=TIMEOUT_S)[0]
    assert second.communicate(timeout=TIMEOUT_S)[0].startswith("ran run_client.py")


def _installs(pid: int) -> bool:
    return any({"pip", "install"} <= set(_command_line(member)) for member in family(pid))


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # it ended meanwhile
        return []


def test_a_folder_that_holds_something_else_is_left_alone(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    (checkout.venv / "thesis.tex").write_text("all of it")

    result = checkout.run("demo")

    assert result.returncode == 1
    assert "is not a Python environment" in result.stderr
    assert (checkout.venv / "thesis.tex").read_text() == "all of it"


def test_an_environment_of_the_users_own_is_used_and_never_emptied(
    checkout: Checkout, installed: Checkout
) -> None:
    shutil.copytree(installed.venv, checkout.venv, symlinks=True)
    for state in checkout.venv.glob(".fedloom-*"):
        state.unlink()
    (checkout.venv / "mine.txt").write_text("keep")

    result = checkout.run("server")

    assert "ran run_server.py" in result.stdout, result
    assert (checkout.venv / "mine.txt").exists()


def _fake_python(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_without_python_it_says_how_to_get_one(checkout: Checkout, bare_path: Path) -> None:
    result = checkout.run("demo", PATH=str(bare_path))

    assert result.returncode == 1
    assert "FedLoom needs Python 3.11 or newer." in result.stderr
    assert "sudo apt install python3 python3-venv" in result.stderr


def test_a_python_that_is_too_old_is_named(checkout: Checkout, bare_path: Path) -> None:
    _fake_python(bare_path, "python3", 'case "$2" in *print*) echo 3.9 ;; *) exit 1 ;; esac')

    result = checkout.run("demo", PATH=str(bare_path))

    assert result.returncode == 1
    assert "FedLoom needs Python 3.11 or newer; python3 is version 3.9." in result.stderr


def test_a_python_without_venv_as_debian_has_it_is_explained(checkout: Checkout, bare_path: Path) -> None:
    _fake_python(bare_path, "python3", 'case "$2" in *print*) echo 3.12 ;; *ensurepip*) exit 1 ;; esac')

    result = checkout.run("demo", PATH=str(bare_path))

    assert result.returncode == 1
    assert "sudo apt install python3-venv   (or python3.12-venv)" in result.stderr
