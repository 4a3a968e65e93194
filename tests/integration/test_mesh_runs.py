"""Nodes by themselves, as processes, learn together: one proposes, each decides, and each keeps the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors.numpy import load_file

import client.cli
from shared.run_spec import RunSpec
from tests.support.documents import commands
from tests.support.manual import Manual
from tests.support.mesh_crew import end_all
from tests.support.mesh_learners import accuracy_of
from tests.support.mesh_nodes import MeshNode

StartNode = Callable[..., MeshNode]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartNode]:
    """Starts nodes: `start("ana", "mesh = 'off'")`, the latter for its client.toml."""
    nodes: list[MeshNode] = []

    def start_node(name: str, policy: str = "") -> MeshNode:
        home = tmp_path / name
        home.mkdir()
        (home / "client.toml").write_text(policy, encoding="utf-8")
        nodes.append(MeshNode(name, home))
        return nodes[-1]

    yield start_node
    end_all(nodes)


def model_in(shown: str, node: MeshNode) -> Path:
    [run] = re.findall(r"^Run ([0-9a-f]{16}): ", shown, re.MULTILINE)
    [file] = node.home.glob(f"**/mesh/{node.called}/models/{run}.safetensors")
    return file


@pytest.mark.timeout(600)  # four processes that each load PyTorch
def test_three_nodes_learn_digits_and_the_one_whose_site_forbids_it_does_not(start: StartNode) -> None:
    ana, ben, cem, dag = start("ana"), start("ben"), start("cem"), start("dag", 'mesh = "off"')
    for other in (ben, cem, dag):
        ana.pair_with(other)
    ben.pair_with(cem)
    ana.wait_for_peers(ben="online", cem="online", dag="online")

    manual = Manual(commands("docs/mesh-learning.md"))
    _python, _m, _mesh, *words = manual.words("python -m mesh run --dataset digits --rounds 10 --min-nodes 3")
    running = ana.start_command(*words)
    try:
        assert running.wait_for_exit(300.0) == 0, running.output
    finally:
        running.end()
    shown = running.output

    assert "3 nodes take part" in shown
    assert f"not {dag.short}: mesh = off" in shown
    assert "mesh round 10: averaged with" in shown
    client_only = manual.words("python run_client.py --client-id NAME --dataset digits --mesh-only", NAME="x")
    assert client.cli.parse(client_only[2:]).mesh is not None  # tests/integration/test_mesh_only.py starts it
    assert manual.untried == []
    ben.wait_for_output("keeps the model of run")
    cem.wait_for_output("keeps the model of run")
    for node in (ana, ben, cem):
        assert accuracy_of(RunSpec(), load_file(model_in(shown, node))) > 0.85
    assert not list(dag.home.glob("**/*.safetensors"))


def test_a_run_for_which_there_are_too_few_does_not_begin(start: StartNode) -> None:
    ana = start("ana")
    done = ana.attempt("run", "--min-nodes", "2")
    assert done.returncode == 1
    assert "1 of the 2 nodes that the run needs take part (nobody is there)." in done.stderr + done.stdout
