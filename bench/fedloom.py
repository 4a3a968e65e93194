"""`round` through FedLoom as a user runs it: server process with page and link, client processes, a run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx

from app.demo.fleet import Fleet
from app.settings import ServerSettings
from bench.crew import BenchFailed
from bench.workload import CLIENTS, Outcome
from client.settings import ClientSettings
from shared.run_spec import RunSpec

POLL_S = 1.0
"""Rare: what answers this is the server that is being measured."""


def run(spec: RunSpec, data_dir: Path) -> Outcome:
    """Start everything, wait until the run has ended, stop everything."""
    with Fleet() as fleet:
        ports = fleet.start_server(
            ServerSettings(port=0, link_port=0, data_dir=data_dir, spec=spec, queue_run=True)
        )
        for number in range(1, CLIENTS + 1):
            fleet.start_client(
                ClientSettings(
                    client_id=f"client-{number}",
                    dataset=spec.dataset,
                    server=f"127.0.0.1:{ports.link}",
                    data_dir=data_dir,
                    device="cpu",
                )
            )
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
    """From the end of round 0, the evaluation of the initial model, to the end of the last round."""
    first, last = rounds[0], rounds[-1]
    started = first["started_at"] + first["duration_s"]
    return Outcome(last["started_at"] + last["duration_s"] - started, last["loss"])
