"""Folders whose names have blanks or quotes, or are no UTF-8: all works there, and so does what is pasted."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from shared.shell import shell_quoted
from tests.support.api import Api
from tests.support.apps import write_app
from tests.support.page import Page
from tests.support.processes import ROOT, ServerProcess
from tests.support.tools import require
from tests.support.waiting import wait_until

FAILS = """
from flwr.serverapp import ServerApp

app = ServerApp()


@app.main()
def main(grid, context):
    while not list(grid.get_node_ids()):
        pass
    raise OSError("no such file: B\\udce4r.csv")
"""


@contextmanager
def pasted(command: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command as it was shown, in a shell in the checkout; killed in the end."""
    words = command.replace("python", f"exec {shlex.quote(sys.executable)}", 1)
    shell = [require("bash", why="it reads the commands that are shown"), "-c", words]
    env = {**os.environ, "FEDLOOM_HOME": str(folder)}
    with subprocess.Popen(shell, cwd=ROOT, env=env, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(params=["B\udce4r 1", "it's $HOME"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder: Path = tmp_path / request.param
    folder.mkdir()
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[ServerProcess]:
    """With an app that fails for a file with such a name."""
    app = write_app(folder / "app", "failing_app", server_app=FAILS)
    server = ServerProcess("--app", str(app), "--data-dir", str(folder / "data"), home=folder)
    yield server
    server.end()


def test_everything_works_in_such_a_folder(folder: Path, server: ServerProcess) -> None:
    output = folder / "exported"
    with closing(Api(server.url)) as api:
        status = api.get("/status")
        run_id = api.start(min_clients=1)["id"]
        with pasted(status["join_command"], folder):
            api.wait_for_client("client-1", "idle", "training", "evaluating")
            wait_until(lambda: api.run(run_id)["state"] == "failed", "the app has failed")

        run = api.run(run_id)
        assert "no such file: B\ufffdr.csv" in run["reason"]
        assert api.get("/runs")["runs"][0] == run
        assert any("B\ufffdr.csv" in (entry["traceback"] or "") for entry in api.logs())
        assert api.get("/events", since=status["seq"])["events"]
        for export_format in ("json", "csv", "tensorboard"):
            export = api.http.get(f"/api/v1/runs/{run_id}/export", params={"format": export_format})
            assert export.status_code == 200
        with Page(server.url) as page:
            assert page.snapshot()["runs"][0] == run

    with pasted(
        f"{status['export_command']} {run_id} --output {shell_quoted(str(output))}", folder
    ) as export_command:
        printed, _ = export_command.communicate(timeout=60)
        assert export_command.returncode == 0
    assert printed.splitlines()[0] == os.fsencode(output / run_id / "run.json")
    assert (output / run_id / "run.json").exists()
