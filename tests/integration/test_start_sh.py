"""start.sh, in a checkout of its own whose requirements are quick to install, and with its real pip."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.support.processes import ROOT
from tests.support.tools import require
from tests.support.waiting import wait_until

TIMEOUT_S = 120
SHOW_ARGUMENTS = """\
import os, sys
telemetry = os.environ["FLWR_TELEMETRY_ENABLED"]
print("ran", os.path.basename(sys.argv[0]), sys.argv[1:], "in", os.getcwd(), "telemetry", telemetry)
sys.exit(int(os.environ.get("END_WITH", 0)))
"""
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
CHECKED_PYPROJECT = """\
[tool.ruff]
line-length = 110
[tool.ruff.lint]
select = ["E", "F"]
[tool.mypy]
strict = true
packages = ["lower", "upper"]
[tool.importlinter]
root_packages = ["lower", "upper"]
[[tool.importlinter.contracts]]
name = "The lower floor knows nothing of the upper one"
type = "layers"
layers = ["upper", "lower"]
"""
CHECKED_PACKAGE = {"scripts": dict.fromkeys(("typecheck", "lint", "format:check", "test"), "node -e 0")}
WAITING_TEST = """\
import signal


def test_that_waits() -> None:
    with open("gate", "w"):
        pass
    signal.pause()
"""
STEPS = (
    "ruff: lint",
    "ruff: format",
    "import-linter: which package may import which",
    "shellcheck: shell scripts",
    "mypy: types",
    "pytest: unit tests",
    "tsc: types of the page",
    "npm run lint: the page's source",
    "npm run format:check: the page's source",
    "npm test: unit tests of the page",
)


class Checkout:
    """A folder with start.sh, its own requirements, and Python scripts that print what they are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        folder.mkdir()
        shutil.copy(ROOT / "start.sh", folder)
        (folder / "shared").mkdir()
        shutil.copy(ROOT / "shared" / "packages.py", folder / "shared")
        for name in ("run_demo.py", "run_server.py", "run_client.py"):
            (folder / name).write_text(SHOW_ARGUMENTS)
        self.require("")

    def require(self, text: str) -> None:
        """Set what requirements.txt and requirements-dev.txt ask for."""
        (self.folder / "requirements.txt").write_text(text)
        (self.folder / "requirements-dev.txt").write_text(text)

    def command(self, *arguments: str) -> list[str]:
        return ["bash", str(self.folder / "start.sh"), *arguments]

    def run(
        self, *arguments: str, stdin: str = "", cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run start.sh to its end."""
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            cwd=cwd or self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

    def environment(self, **changes: str) -> dict[str, str]:
        """This process's environment without what would change start.sh's course."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("FEDLOOM_", "FLWR_"))
        }
        return {**kept, **changes}


StartCheckout = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout that was used before; tests leave its environment as it is."""
    checkout = Checkout(tmp_path_factory.mktemp("start") / "used checkout")
    result = checkout.run("demo")
    assert result.returncode == 0, result
    return checkout


@pytest.fixture
def start() -> Iterator[StartCheckout]:
    """Starts start.sh in a session of its own and does not wait."""
    with ExitStack() as ending:

        def begin(checkout: Checkout, *arguments: str, **environment: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                checkout.command(*arguments),
                cwd=checkout.folder,
                env=checkout.environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            ending.callback(_end, process)
            return process

        yield begin


def _end(process: subprocess.Popen[str]) -> None:
    with process:  # waits for it, and closes its output
        _kill_family(process)


def _kill_family(process: subprocess.Popen[str]) -> None:
    for member in _family(process.pid):
        member.kill()


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


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


def test_changed_requirements_are_installed(checkout: Checkout) -> None:
    assert checkout.run("demo").returncode == 0
    checkout.require("# nothing more, but not the same\n")

    result = checkout.run("demo")

    assert "The requirements have changed" in result.stdout
    assert "Step 1 of 2" not in result.stdout
    assert result.returncode == 0, result


def test_an_update_that_fails_before_it_changes_anything_leaves_what_works(checkout: Checkout) -> None:
    assert checkout.run("demo").returncode == 0
    checkout.require("./no-such-package\n")
    failed = checkout.run("demo")
    checkout.require("")
    again = checkout.run("demo")

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
    family = _family(process.pid)

    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=TIMEOUT_S)[0]
    checkout.require("")
    again = checkout.run("demo")

    assert process.returncode == 130
    assert "Interrupted" in output
    assert not any(member.is_running() for member in family)
    assert "is made anew" in again.stdout
    assert "ran run_demo.py" in again.stdout


def test_an_environment_left_by_a_kill_is_made_anew(checkout: Checkout, start: StartCheckout) -> None:
    os.mkfifo(checkout.folder / "endless.txt")
    checkout.require("-r endless.txt\n")
    process = start(checkout, "demo")
    wait_until(lambda: _installs(process.pid), "pip installs", TIMEOUT_S)
    _kill_family(process)
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
    return any("pip" in _command_line(member) for member in _family(pid))


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


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for PATH with the tools that start.sh uses, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in (
        "bash",
        "cat",
        "cksum",
        "dirname",
        "grep",
        "ls",
        "mkdir",
        "rm",
        "mv",
        "find",
        "tr",
        "uname",
        "df",
        "awk",
        "getconf",
    ):
        found = shutil.which(tool)
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    return folder


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


@pytest.mark.parametrize("command", ["doctor", "confirm", "ledger"])
def test_what_a_client_is_asked_goes_to_it_with_fedlooms_own_folder(
    installed: Checkout, tmp_path: Path, command: str
) -> None:
    (installed.folder / "client").mkdir(exist_ok=True)
    (installed.folder / "client" / f"{command}.py").write_text(
        "import os, sys\nprint(sys.argv[1:], os.environ['FEDLOOM_HOME'], os.getcwd())\n"
    )

    result = installed.run(command, "--client-id", "ward 3", cwd=tmp_path)

    home = installed.folder.resolve() / ".fedloom"
    assert result.stdout == f"['--client-id', 'ward 3'] {home} {tmp_path.resolve()}\n", result


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


@pytest.fixture
def checked(tmp_path: Path) -> Checkout:
    """A small checkout without a fault, and as its environment the one of these tests with its real tools."""
    require("shellcheck", why="it reads the shell scripts")
    checkout = Checkout(tmp_path / "checked")
    for script in checkout.folder.glob("run_*.py"):
        script.unlink()
    _write(checkout.folder, "pyproject.toml", CHECKED_PYPROJECT)
    _write(checkout.folder, "lower/__init__.py", "BEDROOMS = 3\n")
    _write(checkout.folder, "upper/__init__.py", "from lower import BEDROOMS\n\nROOMS = BEDROOMS + 1\n")
    _write(checkout.folder, "tests/unit/test_rooms.py", "def test_rooms() -> None:\n    assert 2 + 2 == 4\n")
    _write(checkout.folder, ".ci/run", "#!/usr/bin/env bash\n")
    _write(checkout.folder, "app/frontend/package.json", json.dumps(CHECKED_PACKAGE))
    _write(checkout.folder, "app/frontend/package-lock.json", "{}")
    _write(checkout.folder, "app/frontend/node_modules/.package-lock.json", "{}")
    checkout.venv.mkdir()
    for part in ("bin", "lib", "pyvenv.cfg"):
        (checkout.venv / part).symlink_to(Path(sys.prefix) / part)
    nothing = subprocess.run(["cksum"], input="", capture_output=True, text=True).stdout.strip()
    stamp = f"requirements-dev.txt {nothing.replace(' ', '-')}\n"
    (checkout.venv / ".fedloom-stamp").write_text(stamp)
    return checkout


def _write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_check_runs_every_step_and_says_how_long_each_took(checked: Checkout) -> None:
    require("npm", why="it checks the page's source")

    result = checked.run("check")

    assert result.returncode == 0, result
    for name in STEPS:
        assert f"== {name}\n" in result.stdout
        assert re.search(rf"^-- {re.escape(name)}: ok, \d+ s$", result.stdout, flags=re.MULTILINE), name
    assert "Checked in 0:" in result.stdout
    assert "FAILED" not in result.stdout


def test_check_goes_on_after_a_failed_step_and_lists_all_that_failed(checked: Checkout) -> None:
    require("npm", why="it checks the page's source")
    _write(checked.folder, "lower/__init__.py", "import upper\n\nBEDROOMS: str = 3\n")
    _write(checked.folder, "tests/unit/test_rooms.py", "def test_rooms() -> None:\n    assert 2 + 2 == 5\n")
    package = {"scripts": {**CHECKED_PACKAGE["scripts"], "lint": "node -e 'process.exit(1)'"}}
    _write(checked.folder, "app/frontend/package.json", json.dumps(package))

    result = checked.run("check")

    failing = [STEPS[0], STEPS[2], STEPS[4], STEPS[5], STEPS[7]]
    assert result.returncode == 1
    assert result.stdout.endswith("".join(["FAILED:\n", *(f"  {name}\n" for name in failing)])), result
    assert f"-- {STEPS[-1]}: ok" in result.stdout


def test_check_without_node_says_what_it_leaves_out(checked: Checkout, bare_path: Path) -> None:
    result = checked.run("check", PATH=str(bare_path))

    assert result.returncode == 0, result
    assert "  Node.js, for the page's source in app/frontend" in result.stdout
    assert "  shellcheck, for the shell scripts" in result.stdout


def test_check_without_node_fails_where_nothing_may_be_left_out(checked: Checkout, bare_path: Path) -> None:
    result = checked.run("check", PATH=str(bare_path), FEDLOOM_REQUIRE_ALL="1")

    assert result.returncode == 1
    assert "With FEDLOOM_REQUIRE_ALL=1 nothing may be left out." in result.stdout


def test_ctrl_c_ends_check_and_begins_no_further_step(checked: Checkout, start: StartCheckout) -> None:
    _write(checked.folder, "tests/unit/test_rooms.py", WAITING_TEST)
    os.mkfifo(checked.folder / "gate")
    process = start(checked, "check")
    (checked.folder / "gate").read_text()  # until the test has begun

    os.killpg(process.pid, signal.SIGINT)

    output = process.communicate(timeout=TIMEOUT_S)[0]
    assert process.returncode == 130, output
    assert "== npm" not in output


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


@pytest.mark.parametrize("script", ["start.sh", ".ci/run"])
def test_shellcheck_has_no_objection(script: str) -> None:
    shellcheck = require("shellcheck", why="it reads the shell scripts")

    result = subprocess.run([shellcheck, str(ROOT / script)], capture_output=True, text=True)

    assert result.returncode == 0, result.stdout
