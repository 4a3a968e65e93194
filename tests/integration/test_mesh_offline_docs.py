"""Every command of docs/mesh-offline.md does what the document says."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

import client.cli
from tests.support.documents import commands
from tests.support.processes import Command

DEMO, *CLIENTS = commands("docs/mesh-offline.md")


def test_the_demo_outlasts_its_server(tmp_path: Path) -> None:
    script, *flags = shlex.split(DEMO)[1:]
    command = Command(script, *flags, "--port", "0", "--no-browser", home=tmp_path)
    try:
        assert command.wait_for_exit(300) == 0, command
    finally:
        command.end()

    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [each["round"] for each in report["rounds"]] == list(range(9))
    assert report["final"]["accuracy"] >= 0.9
    (merge,) = report["mesh"]["merges"]
    assert merge["mesh_rounds"] >= 1
    assert merge["clients"] == 4
    assert merge["round"] in (report["mesh"]["killed_in"], report["mesh"]["killed_in"] + 1)
    assert command.count("goes on over the mesh") == 4
    assert "Traceback" not in command.output


@pytest.mark.parametrize("command", CLIENTS)
def test_the_flags_of_a_client_are_understood(command: str) -> None:
    assert client.cli.parse(shlex.split(command)[2:]).mesh is not None
