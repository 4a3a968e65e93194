"""What the chart's pods start really starts, and answers where the cluster looks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.support.chart import rendered
from tests.support.dashboards import READY as DASHBOARD_READY
from tests.support.processes import READY, START_TIMEOUT_S, Command
from tests.support.waiting import wait_until

NO_FOLDER = Path(os.devnull) / "home"
"""Nobody can make that."""


def flags(args: Sequence[str], values: dict[str, str]) -> list[str]:
    """A container's, with values of this machine, by flag, in place of those of the cluster."""
    pairs = zip(args[::2], args[1::2], strict=True)
    return [word for flag, value in pairs for word in (flag, values.get(flag, value))]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_server_and_dashboard_start_as_in_their_pods_and_pass_their_probes(
    running: ExitStack, tmp_path: Path
) -> None:
    chart = rendered("dashboards: {enabled: true}")
    key = tmp_path / "replica-key"
    key.write_text("k" * 48)
    here = {"--port": "0", "--link-port": "0", "--replica-key": str(key)}
    container = chart.container("server")
    server = Command("run_server.py", *flags(container["args"], here), home=tmp_path)
    running.callback(server.end)
    port = server.wait_for_output(READY, START_TIMEOUT_S)[2]
    assert httpx.get(f"http://127.0.0.1:{port}{container['livenessProbe']['httpGet']['path']}").is_success
    assert "/#setup=" in server.output

    container = chart.container("dashboard")
    here["--federation"] = f"http://127.0.0.1:{port}"
    # A pod of this kind has no volume: whatever is needed of FEDLOOM_HOME would be missing.
    dashboard = Command(
        "run_server.py",
        *flags(container["args"], here),
        home=tmp_path,
        env={"FEDLOOM_HOME": str(NO_FOLDER)},
    )
    running.callback(dashboard.end)
    url = f"http://127.0.0.1:{dashboard.wait_for_output(DASHBOARD_READY, START_TIMEOUT_S)[1]}"
    probe = url + container["readinessProbe"]["httpGet"]["path"]
    assert httpx.get(probe).is_success
    wait_until(lambda: '"ok"' in httpx.get(probe).text, "the dashboard shows the federation")
    logged = [json.loads(line) for line in dashboard.output.splitlines()]
    assert {each["client"] for each in logged} == {None}


def test_a_client_is_ready_while_it_is_connected_to_the_link() -> None:
    with socket.create_server(("127.0.0.1", 0)) as link:
        probe = rendered(f"link: {{port: {link.getsockname()[1]}}}").container("client")["readinessProbe"]

        def is_ready() -> bool:
            return subprocess.run(probe["exec"]["command"]).returncode == 0

        assert not is_ready()
        with socket.create_connection(link.getsockname()):
            assert is_ready()
        wait_until(lambda: not is_ready(), "the connection is over")
