"""Clients that need no server: they take part in what a member proposes, each by its own site's rules."""

from __future__ import annotations

import itertools
import json
import re
import signal
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from mesh.learning.arrays import Arrays, distance, norm
from shared import paths
from shared.run_spec import RunSpec
from tests.support.mesh_learners import accuracy_of
from tests.support.mesh_nodes import READY, MeshNode
from tests.support.ports import free_port
from tests.support.processes import Command

LIMIT_S = 240.0
TOLERANCE = 0.01
"""How far the models may be apart in the end, in parts of their norm: six rounds average without training."""

StartClient = Callable[..., "Client"]


class Client(MeshNode):
    """`run_client.py --mesh-only`, of whom its user may ask what a node is asked."""

    def __init__(self, name: str, home: Path, *flags: str) -> None:
        home.mkdir(exist_ok=True)
        self.called = name
        self._before = ()
        Command.__init__(
            self,
            "run_client.py",
            *("--client-id", name, "--mesh-only", "--mesh-interface", "127.0.0.1", "--threads", "1"),
            *("--data-dir", str(paths.data_dir()), *flags),
            home=home,
        )
        ready = self.wait_for_output(READY, LIMIT_S)
        self.address, self.short = ready[1], ready[2]

    def model(self, run: str) -> Arrays:
        """That it has kept of a run."""
        return load_file(self.home / "mesh" / self.called / "models" / f"{run}.safetensors")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartClient]:
    """Starts clients: `start("ana", "--mesh-port", "7001")`, with what their client.toml is to say."""
    with ExitStack() as ending:

        def start_client(name: str, *flags: str, policy: str = "") -> Client:
            home = tmp_path / name
            home.mkdir()
            (home / "client.toml").write_text(policy, encoding="utf-8")
            client = Client(name, home, *flags)
            ending.callback(client.end)
            return client

        yield start_client


def status_of(client: Client) -> Any:
    """What its page is told."""
    found = client.wait_for_output(r"(http://localhost:\d+)/\?token=\S+")
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    opener.open(found[0], timeout=30).close()
    with opener.open(f"{found[1]}/api/status", timeout=30) as answer:
        return json.load(answer)


@pytest.mark.timeout(900)
def test_they_learn_what_one_of_them_proposes_although_one_dies_and_who_has_other_data_declines(
    start: StartClient, ports: list[str]
) -> None:
    ana = start("ana", "--mesh-port", ports[0], "--page")
    ben = start("ben", "--mesh-port", ports[1], "--max-samples", "200")
    cem = start("cem", "--mesh-port", ports[2])
    dag = start("dag", "--mesh-port", ports[3], "--dataset", "synthetic")
    everybody = (ana, ben, cem, dag)
    for one, other in itertools.combinations(everybody, 2):
        one.pair_with(other)
    ana.wait_for_peers(ben="online", cem="online", dag="online")
    assert status_of(ana)["server"] is None
    assert status_of(ana)["run"] is None

    running = ana.start_command(
        "run", "--dataset", "digits", "--model", "linear", "--rounds", "12", "--min-nodes", "3", "--iid"
    )
    try:
        shown = running.wait_for_output(r"Run ([0-9a-f]{16}): 3 nodes take part", LIMIT_S)
        running.wait_for_output(rf"not {dag.short}: its site has the data set synthetic alone", LIMIT_S)
        cem.wait_for_output(r"mesh round 3:", LIMIT_S)
        cem.signal(signal.SIGKILL)
        assert running.wait_for_exit(LIMIT_S) == 0, running.output
    finally:
        running.end()

    ben.wait_for_output("keeps the model of run", LIMIT_S)
    models = [client.model(shown[1]) for client in (ana, ben)]
    assert distance(*models) < TOLERANCE * norm(models[0])
    spec = RunSpec.model_validate({"model": "linear"})
    assert all(accuracy_of(spec, model) > 0.85 for model in models)
    assert not list(dag.home.glob("**/*.safetensors"))
    told = status_of(ana)
    assert (told["run"]["id"], told["learning"]) == (shown[1], False)
    assert told["rounds"][-1]["number"] == 20
    assert all("Traceback" not in client.output for client in everybody)
    ana.signal(signal.SIGINT)
    assert ana.wait_for_exit(LIMIT_S) == 0
    assert re.search(r"ana +stopped", ana.output)


@pytest.fixture
def ports() -> list[str]:
    """On which nobody listens."""
    return [str(free_port()) for _ in range(4)]


def test_a_site_that_takes_no_part_in_the_mesh_says_so(tmp_path: Path) -> None:
    (tmp_path / "client.toml").write_text('mesh = "off"', encoding="utf-8")
    command = Command("run_client.py", "--client-id", "a", "--mesh-only", home=tmp_path)
    try:
        assert command.wait_for_exit(LIMIT_S) == 1
    finally:
        command.end()
    assert "--mesh-only has nothing to do" in command.output
