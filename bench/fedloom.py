"""`round` through FedLoom as a user runs it: server process with page and link, client processes, a run.

Each process is in a session of its own, as in a terminal of its own. An app's own processes always are; if
the others shared one, Linux would give them another share of the processors.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from app.demo.fleet import Fleet
from app.settings import ServerSettings
from bench.crew import BenchFailed
from bench.workload import CLIENTS, Outcome, Rhythm
from client.client_app import node_config_of
from client.learner import Site
from client.settings import ClientSettings, MeshOptions
from shared import paths
from shared.flower_app import read_app
from shared.run_spec import RunSpec

PROJECT = Path(__file__).resolve().parent.parent

POLL_S = 1.0
"""Rare: what answers this is the server that is being measured."""


def run(spec: RunSpec, data_dir: Path, clients: int = CLIENTS) -> Outcome:
    """Start everything, wait until the run has ended, stop everything."""
    return _run(*_built_in(spec, data_dir), clients)


def run_with_idle_mesh(spec: RunSpec, data_dir: Path) -> Outcome:
    """The same, with clients that are connected among each other (`--enable-mesh`), and need not be."""
    server, client = _built_in(spec, data_dir)
    return _run(server, replace(client, mesh=MeshOptions()))


def _built_in(spec: RunSpec, data_dir: Path) -> tuple[ServerSettings, ClientSettings]:
    return (
        ServerSettings(port=0, link_port=0, data_dir=data_dir, spec=spec, queue_run=True),
        ClientSettings(client_id="", server="", dataset=spec.dataset, data_dir=data_dir, device="cpu"),
    )


def run_in_own_processes(spec: RunSpec, data_dir: Path) -> Outcome:
    """The same, with FedLoom's own app as if it were another one: the server and the clients start processes
    for it, which know of FedLoom what is in the copy of its folder that they run from."""
    app = read_app(PROJECT)
    outer = RunSpec.model_validate(
        {
            "app": app.name,
            "num_rounds": spec.num_rounds,
            "min_clients": spec.min_clients,
            "num_partitions": spec.num_partitions,
            "run_config": spec.to_run_config(),
        }
    )
    site = Site(data_dir, spec.dataset, 0, "cpu")
    node_config = node_config_of(site, paths.home_dir(), private_labels=False, tells_metrics=False)
    return _run(
        ServerSettings(port=0, link_port=0, data_dir=data_dir, spec=outer, queue_run=True, app=app),
        ClientSettings(
            client_id="", server="", dataset=spec.dataset, data_dir=data_dir, app=app, node_config=node_config
        ),
    )


def _run(server: ServerSettings, client: ClientSettings, clients: int = CLIENTS) -> Outcome:
    """With a home of their own, which is empty."""
    with TemporaryDirectory(prefix="fedloom-bench-") as folder, Fleet(own_sessions=True) as fleet:
        home = Path(folder)
        ports = fleet.start_server(replace(server, home=home))
        for number in range(1, clients + 1):
            link = f"127.0.0.1:{ports.link}"
            fleet.start_client(replace(client, client_id=f"client-{number}", server=link, home=home))
        with httpx.Client(base_url=f"http://127.0.0.1:{ports.web}/api/v1", timeout=10) as api:
            return _outcome(_rounds_of_the_run(fleet, api))


def _rounds_of_the_run(fleet: Fleet, api: httpx.Client) -> list[dict[str, Any]]:
    run_id = api.get("/runs").json()["runs"][0]["id"]
    while (run := api.get(f"/runs/{run_id}").json())["state"] != "completed":
        if run["state"] in ("stopped", "failed") or not all(p.is_alive() for p in fleet.clients.values()):
            raise BenchFailed(f"FedLoom's run is {run['state']}: {run['reason']}. Its messages are above.")
        time.sleep(POLL_S)
    rounds: list[dict[str, Any]] = api.get(f"/runs/{run_id}/rounds").json()["rounds"]
    return rounds


def _outcome(rounds: list[dict[str, Any]]) -> Outcome:
    """From the end of round 0, the evaluation of the initial model, to the end of the last round.

    An app in its own processes has no round 0; it begins with round 1.
    """
    first, last = rounds[0], rounds[-1]
    started = first["started_at"] + (first["duration_s"] if first["round"] == 0 else 0)
    warm = [round_ for round_ in rounds if round_["round"] >= 2]
    intervals = [later["started_at"] - earlier["started_at"] for earlier, later in pairwise(warm)]
    apart = [whole - _longest_work(round_) for whole, round_ in zip(intervals, warm, strict=False)]
    return Outcome(
        last["started_at"] + last["duration_s"] - started,
        last["loss"],
        last["client_loss"],
        Rhythm(median(intervals), median(apart)) if intervals else None,
    )


def _longest_work(round_: dict[str, Any]) -> float:
    """Seconds that the slowest client trained and the slowest one evaluated, by their own clocks."""
    results = round_["per_client"].values()
    return sum(max(_seconds(result, stage) for result in results) for stage in ("train", "evaluate"))


def _seconds(result: dict[str, Any], stage: str) -> float:
    """Of another app it is one of the numbers that it reports."""
    own: float | None = result[f"{stage}_s"]
    return result["stages"][stage]["duration_s"] if own is None else own
