"""The benchmarks run, and write what they promise. How fast anything is, is not judged here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.crowd_live import SITUATIONS
from tests.support.processes import Command

pytestmark = pytest.mark.alone


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("name", "unit", "beside"),
    [
        (
            "round",
            "x bare",
            {"bare processes", "Flower simulation (Ray)", "FedLoom, its app in processes of its own"},
        ),
        (
            "overhead",
            "ms",
            {
                "plain loopback sockets",
                "Flower simulation (Ray)",
                "FedLoom, an app with Flower's FedAvg, in its own processes",
                "FedLoom, the same in FedLoom's processes",
            },
        ),
        ("payload", "x sockets in TLS", {"plain loopback sockets in TLS", "plain loopback sockets"}),
        ("sign", "x unsigned", {"FedLoom's link, nothing hashed or signed"}),
        ("recover", "s", {"since the kill"}),
        ("dp", "x plain", {"plain SGD", "Opacus' GradSampleModule and DPOptimizer"}),
        ("secagg", "x FedAvg", {"FedAvg"}),
        ("mesh", "s", {"a tree of plain sockets in TLS"}),
        ("page", "ms", {"a page that nobody tells anything"}),
        ("viewers", "ms", {"one viewer"}),
    ],
)
def test_a_benchmark_measures_fedloom_beside_its_peer_and_the_limit(
    name: str, unit: str, beside: set[str], tmp_path: Path
) -> None:
    command = Command("-m bench", name, "--quick", "--json", "result.json", home=tmp_path)

    assert command.wait_for_exit(300) in {0, 1}, command  # 1: it measured, and the figure misses its reach
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["name"], result["unit"]) == (name, unit)
    assert result["value"] > 0
    assert set(result["beside"]) <= beside
    assert len(result["runs"]) == 1
    assert set(result["runs"][0]) == beside | {"FedLoom"}


def test_the_pages_of_a_large_run_are_opened_and_used_one_by_one(tmp_path: Path) -> None:
    few = ("--clients", "120", "--rounds", "3", "--only", "run: clients")
    command = Command("-m bench.crowd_pages", *few, home=tmp_path)

    assert command.wait_for_exit(300) == 0, command
    rows = [line for line in command.output.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows] == ["| page", "| run: clients", "| past run: clients"]


def test_pages_are_watched_while_many_clients_do_the_same(tmp_path: Path) -> None:
    command = Command("-m bench.crowd_live", "--clients", "120", "--only", "Live", home=tmp_path)

    assert command.wait_for_exit(300) == 0, command
    rows = [line.split(" | ") for line in command.output.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == ["| page", "| Live", "| page", "| Live"]
    assert len(rows[0]) == len(rows[1]) == 1 + len(SITUATIONS)
    assert all(float(found.strip(" |")) > 0 for found in rows[1][1:])
