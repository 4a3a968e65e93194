"""start.sh check: every step, what it leaves out, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import TIMEOUT_S, Checkout, StartCheckout
from tests.support.processes import ROOT
from tests.support.tools import require

pytestmark = pytest.mark.timeout(2 * TIMEOUT_S)

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


@pytest.fixture(scope="module")
def known_types(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where mypy keeps what it has read of Python's own types, for all checkouts here."""
    return str(tmp_path_factory.mktemp("mypy"))


@pytest.fixture
def checked(tmp_path: Path, known_types: str, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A small checkout without a fault, and as its environment the one of these tests with its real tools."""
    require("shellcheck", why="it reads the shell scripts")
    monkeypatch.setenv("MYPY_CACHE_DIR", known_types)
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


@pytest.mark.parametrize(("part", "steps"), [("python", STEPS[:6]), ("page", STEPS[6:])])
def test_each_part_can_be_checked_alone(checked: Checkout, part: str, steps: tuple[str, ...]) -> None:
    require("npm", why="it checks the page's source")

    result = checked.run("check", part)

    assert result.returncode == 0, result
    assert re.findall(r"^== (.+)$", result.stdout, flags=re.MULTILINE) == list(steps)


def test_another_part_is_refused_in_words(checked: Checkout) -> None:
    result = checked.run("check", "everything")

    assert result.returncode == 1
    assert "There is no part 'everything' to check." in result.stdout + result.stderr


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


@pytest.mark.parametrize("script", ["start.sh", ".ci/run", "containers/nginx/start.sh"])
def test_shellcheck_has_no_objection(script: str) -> None:
    shellcheck = require("shellcheck", why="it reads the shell scripts")

    result = subprocess.run([shellcheck, str(ROOT / script)], capture_output=True, text=True)

    assert result.returncode == 0, result.stdout
