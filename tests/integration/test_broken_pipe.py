"""Commands whose reader goes away, as `head` does, end without a word."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.command import READER_GONE
from tests.support.forked_server import ForkedServer
from tests.support.processes import ROOT

COMMANDS = {
    "app.invite": ["--help"],
    "app.clients": ["list"],
    "app.users": ["list"],
    "app.audit": ["--help"],
    "app.export": ["--help"],
    "app.next_key": [],
    "client.confirm": [],
    "client.members": [],
    "client.doctor": ["--dataset", "digits"],
    "app.api": [],
}


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "FEDLOOM_HOME": str(home)}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a server that was started once."""
    home = tmp_path_factory.mktemp("home")
    server = ForkedServer(home)
    server.start()
    server.end()
    return home


@pytest.mark.parametrize("module", COMMANDS)
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["at the end", "in the middle"])
def test_it_ends_without_a_word(module: str, unbuffered: str, home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *COMMANDS[module]],
            cwd=home,
            env=environment(home) | {"PYTHONUNBUFFERED": unbuffered},
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (READER_GONE, "")


def test_who_reads_the_first_line_has_it(home: Path) -> None:
    line = f"set -o pipefail; {sys.executable} -m app.invite --kind approval --qr | head -1"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=home,
        env=environment(home) | {"PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.stdout.startswith("fedloom://")
    assert done.stderr == ""
