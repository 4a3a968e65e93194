"""With --log-format json, every line on standard error of a server and its clients is a JSON object."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.support.api import Api, Json
from tests.support.apps import APPS
from tests.support.processes import ROOT
from tests.support.waiting import wait_until


def start(script: str, *flags: str, home: Path, err: Path) -> subprocess.Popen[bytes]:
    with err.open("wb") as stderr, err.with_suffix(".out").open("wb") as stdout:
        return subprocess.Popen(
            [sys.executable, str(ROOT / script), *flags, "--log-format", "json"],
            env={**os.environ, "FEDLOOM_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )


def lines(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def address_in(path: Path) -> str | None:
    said = [
        line["message"].split()[4]
        for line in lines(path)
        if line["message"].startswith("FedLoom is ready at")
    ]
    return said[0] if said else None


def test_every_line_of_a_server_and_its_client_is_one(tmp_path: Path) -> None:
    server_log, client_log = tmp_path / "server", tmp_path / "client"
    app = ("--app", str(APPS / "quickstart-numpy"))
    server = start(
        "run_server.py", "--port", "0", "--link-port", "0", *app, home=tmp_path / "home", err=server_log
    )
    processes = [server]
    try:
        url = wait_until(lambda: address_in(server_log), "the server is ready", 60)
        with closing(Api(url)) as api:
            link = api.get("/status")["link"]
            to = ("--server", f"127.0.0.1:{link['port']}")
            processes.append(
                start("run_client.py", "--client-id", "a", *to, *app, home=tmp_path / "home", err=client_log)
            )
            api.wait_for_client("a", "idle")
            run = api.start(num_rounds=1, min_clients=1)
        wait_until(
            lambda: any(line["run"] == run["id"] for line in lines(server_log)), "the run is in the log"
        )
    finally:
        for process in reversed(processes):
            process.send_signal(signal.SIGINT)
            process.wait(20)

    told = lines(client_log)
    assert {line["client"] for line in told} == {"a"}
    assert "connected to the server" in " ".join(line["message"] for line in told)
    assert {line["client"] for line in lines(server_log)} == {None}


def test_a_server_that_cannot_start_says_so_in_an_object(tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = start(
        "run_server.py", "--port", "0", "--store", "sqlite:////dev/null/no.db", home=tmp_path, err=log
    )

    assert server.wait(60) == 1
    (line,) = lines(log)
    assert (line["level"], line["traceback"]) == ("error", None)
    assert "/dev/null" in line["message"]
