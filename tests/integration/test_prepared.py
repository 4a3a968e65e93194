"""Commands that tests have forked are as those that are started anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import StartCommand
from tests.support.namespaces import namespace
from tests.support.prepared import PreparedProcess
from tests.support.processes import ROOT, run_command

BEGUN = "-m tests.support.begun"


@pytest.mark.parametrize("code", ["0", "7"])
def test_a_command_begins_and_ends_as_a_new_process_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setenv("BEGUN", "B\udce4r")
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
    new = subprocess.run(
        [sys.executable, "-u", "-m", "tests.support.begun", code, "two words"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input="typed\n",
        capture_output=True,
        text=True,
    )

    forked = run_command(BEGUN, code, "two words", home=tmp_path, typed="typed\n")

    told, of_new = (
        {name: value for name, value in json.loads(each.stdout).items() if name != "interfaces"}
        for each in (forked, new)  # interfaces of other tests come and go
    )
    assert told == of_new
    assert (forked.stderr, forked.returncode) == (new.stderr, new.returncode) == ("told\n", int(code))


def test_it_leads_a_session_of_its_own_and_ends_by_a_signal(start_command: StartCommand) -> None:
    command = start_command("run_client.py", "--client-id", "a", "--server", "127.0.0.1:9")
    command.wait_for_output("no connection to")

    assert isinstance(command.process, PreparedProcess)
    assert os.getsid(command.process.pid) == os.getpgid(command.process.pid) == command.process.pid
    assert command.process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        command.process.wait(0.01)
    command.process.kill()
    assert command.wait_for_exit(60) == -signal.SIGKILL
    assert not psutil.pid_exists(command.process.pid)
    command.process.kill()  # which changes nothing more


def test_it_has_the_network_of_a_namespace(tmp_path: Path) -> None:
    with namespace() as there:
        forked = run_command(BEGUN, "0", home=tmp_path, before=there.command())

        assert json.loads(forked.stdout)["interfaces"] == ["cable", "lo"]
