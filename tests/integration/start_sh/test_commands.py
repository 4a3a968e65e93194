"""start.sh's commands, its menu, and the ways by which it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import TIMEOUT_S, Checkout
from tests.support.processes import ROOT

pytestmark = pytest.mark.timeout(2 * TIMEOUT_S)


def test_doctor_finds_nothing_missing_before_the_first_use(checkout: Checkout) -> None:
    result = checkout.run("doctor")

    assert result.returncode == 0, result
    assert "warning  environment   not in" in result.stdout
    assert "Nothing that FedLoom needs is missing." in result.stdout
    assert not checkout.venv.exists()


def test_doctor_fails_without_python(checkout: Checkout, bare_path: Path) -> None:
    result = checkout.run("doctor", PATH=str(bare_path))

    assert result.returncode == 1
    assert "problem  Python" in result.stdout


def test_doctor_fails_for_packages_that_cannot_be_imported(installed: Checkout) -> None:
    result = installed.run("doctor")

    assert result.returncode == 1
    assert "torch cannot be imported" in result.stdout


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("doctor", "client/doctor.py"),
        ("confirm", "client/confirm.py"),
        ("ledger", "client/ledger.py"),
        ("members", "client/members.py"),
        ("mesh", "mesh.py"),
        ("bench", "bench.py"),
        ("backup", "app/backup.py"),
        ("restore", "app/restore.py"),
    ],
)
def test_what_a_client_or_a_node_is_asked_goes_to_it_with_fedlooms_own_folder(
    installed: Checkout, tmp_path: Path, command: str, module: str
) -> None:
    file = installed.folder / module
    file.parent.mkdir(exist_ok=True)
    file.write_text("import os, sys\nprint(sys.argv[1:], os.environ['FEDLOOM_HOME'], os.getcwd())\n")

    result = installed.run(command, "--client-id", "ward 3", cwd=tmp_path)

    home = installed.folder.resolve() / ".fedloom"
    file.unlink()
    assert result.stdout.endswith(f"['--client-id', 'ward 3'] {home} {tmp_path.resolve()}\n"), result


def test_doctor_knows_the_data_sets_that_are_here(checkout: Checkout, tmp_path: Path) -> None:
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").touch()

    result = checkout.run("doctor", FEDLOOM_DATA_DIR=str(tmp_path / "data"))

    assert f"ok       mnist         in {raw}" in result.stdout
    assert "warning  cifar10" in result.stdout


def test_doctor_knows_debians_package_of_fashion_mnist(checkout: Checkout, tmp_path: Path) -> None:
    package = tmp_path / "share" / "datasets" / "fashion-mnist"
    package.mkdir(parents=True)
    (package / "train-images-idx3-ubyte.gz").touch()

    result = checkout.run("doctor", FEDLOOM_DATA_DIR=str(tmp_path / "share"))

    assert f"ok       fashion-mnist in {package}" in result.stdout


@pytest.mark.parametrize(
    ("typed", "ran"),
    [
        ("\n", "run_demo.py ['--max-samples', '4000']"),
        ("2\nmy app\n", "run_demo.py ['--app', 'my app']"),
        ("app\n~/app\n", "run_demo.py ['--app', '/home/of/app']"),
        ("3\n", "run_server.py []"),
        ("4\n\n", "run_client.py ['--client-id', 'client-1']"),
        ("client\nward 3\n", "run_client.py ['--client-id', 'ward 3']"),
    ],
)
def test_the_menu_starts_what_is_chosen(installed: Checkout, typed: str, ran: str) -> None:
    result = installed.run(stdin=typed, HOME="/home/of")

    assert result.returncode == 0
    assert f"ran {ran}" in result.stdout


@pytest.mark.parametrize(
    ("typed", "module", "given"),
    [
        ("9\n\n", "bench.py", "['round']"),
        ("bench\npage\n", "bench.py", "['page']"),
        ("10\nmy own.backup\n", "app/backup.py", "['my own.backup']"),
    ],
)
def test_the_menu_asks_what_a_command_needs(installed: Checkout, typed: str, module: str, given: str) -> None:
    file = installed.folder / module
    file.parent.mkdir(exist_ok=True)
    file.write_text("import sys\nprint('given', sys.argv[1:])\n")
    result = installed.run(stdin=typed)
    file.unlink()

    assert f"given {given}\n" in result.stdout, result


@pytest.mark.parametrize("line", ["server", "client"])
def test_doctor_is_asked_for_a_server_or_a_client(installed: Checkout, line: str) -> None:
    files = {"server": "app/doctor.py", "client": "client/doctor.py"}
    for who, name in files.items():
        (installed.folder / name).parent.mkdir(exist_ok=True)
        (installed.folder / name).write_text(f"import sys\nprint({who!r}, sys.argv[1:])\n")
    given = ("server", "--port", "1") if line == "server" else ("--client-id", "a")

    result = installed.run("doctor", *given)

    for name in files.values():
        (installed.folder / name).unlink()
    assert result.stdout == f"{line} {list(given[-2:])}\n", result


@pytest.mark.parametrize(("typed", "name"), [("8\n\n", "node-1"), ("mesh\nward 3\n", "ward 3")])
def test_the_menu_starts_a_node_of_the_mesh(installed: Checkout, typed: str, name: str) -> None:
    file = installed.folder / "mesh.py"
    file.write_text("import sys\nprint('node', sys.argv[1:])\n")
    result = installed.run(stdin=typed)
    file.unlink()

    assert f"node ['node', '--name', '{name}']" in result.stdout, result


def test_an_app_is_run_by_the_demo(installed: Checkout, tmp_path: Path) -> None:
    result = installed.run("app", "my app", "--clients", "2", cwd=tmp_path, END_WITH="7")

    given = ["--app", "my app", "--clients", "2"]
    assert result.stdout == f"ran run_demo.py {given} in {tmp_path.resolve()} telemetry 0\n"
    assert result.returncode == 7


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [((), "Which app? Give its folder"), (("--clients", "2"), "The folder of the app comes first")],
)
def test_an_app_without_its_folder_is_refused_in_words(
    installed: Checkout, arguments: tuple[str, ...], complaint: str
) -> None:
    result = installed.run("app", *arguments)

    assert result.returncode == 1
    assert complaint in result.stderr
    assert "ran" not in result.stdout


def test_the_menu_ends_quietly_with_q_and_explains_itself_without_a_terminal(installed: Checkout) -> None:
    assert installed.run(stdin="q\n").returncode == 0

    without = installed.run()
    assert without.returncode == 2
    assert "usage: ./start.sh" in without.stdout


def test_an_unknown_command_is_refused_with_the_usage(installed: Checkout) -> None:
    result = installed.run("trian")

    assert result.returncode == 2
    assert "there is no command 'trian'" in result.stderr
    assert "usage: ./start.sh" in result.stderr


def test_a_command_that_it_prints_can_be_pasted(installed: Checkout, tmp_path: Path) -> None:
    printed = installed.run("demo", cwd=tmp_path).stdout.splitlines()[0]

    again = subprocess.run(
        ["bash", "-c", printed.partition("For all of them: ")[2]],
        cwd=tmp_path,
        env=installed.environment(),
        capture_output=True,
        text=True,
    )

    assert "ran run_demo.py ['--max-samples', '0']" in again.stdout, again


@pytest.fixture
def linked(installed: Checkout, tmp_path: Path) -> Path:
    """A folder for PATH whose `fedloom` leads to start.sh through a relative link and an absolute one."""
    near = installed.folder / "links"
    near.mkdir(exist_ok=True)
    (near / "start").unlink(missing_ok=True)
    (near / "start").symlink_to("../start.sh")
    folder = tmp_path / "my bin"
    folder.mkdir()
    (folder / "middle").symlink_to(near / "start")
    (folder / "fedloom").symlink_to("middle")
    return folder


@pytest.mark.parametrize("command", ["fedloom demo", "bash fedloom demo", '"{folder}/fedloom" demo'])
def test_through_symbolic_links_it_finds_its_own_checkout(
    installed: Checkout, linked: Path, tmp_path: Path, command: str
) -> None:
    result = subprocess.run(
        ["bash", "-c", command.format(folder=linked)],
        cwd=tmp_path,
        env=installed.environment(PATH=f"{linked}{os.pathsep}{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )

    assert "ran run_demo.py" in result.stdout, result
    assert [path.name for path in linked.iterdir() if not path.is_symlink()] == []


@pytest.mark.parametrize("script", ["run_demo.py", "run_server.py", "run_client.py"])
def test_the_python_commands_work_through_symbolic_links(script: str, tmp_path: Path) -> None:
    (tmp_path / "fedloom").symlink_to(ROOT / script)

    result = subprocess.run(
        [sys.executable, str(tmp_path / "fedloom"), "--help"], cwd=tmp_path, capture_output=True, text=True
    )

    assert result.returncode == 0, result.stderr
