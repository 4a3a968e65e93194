"""The demo's outage: kills the server in the middle of the run, and starts it again when the clients have
gone on without it for some rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from app.demo.fleet import DemoFailed, Fleet
from app.federation.runs.states import IDLE_STATES
from app.settings import ServerSettings
from mesh.trust.folder import folder_of
from shared.mesh_progress import MeshProgress

AFTER_S = 1.0
"""How long the demo's clients wait for a server that is away."""
MESH_ROUNDS = 4
"""That each client has gone before the server is started again."""
LOOK_S = 0.02
LIMIT_S = 300.0


@dataclass(frozen=True)
class Outage:
    """Of one demo. `home`: FedLoom's folder of the demo."""

    fleet: Fleet
    server: ServerSettings
    home: Path
    say: Callable[[str], None]

    def happen(self, api: httpx.Client, server_round: int, last_round: int) -> int:
        """Kill the server in this round of the newest run, and have it go on with that afterwards. Returns
        the round in which it was killed. Raises DemoFailed."""
        run = self._wait_for_round(api, server_round)
        run_id, killed_in = str(run["id"]), int(run["round"])
        self.fleet.kill_server()
        self.say(f"The server was killed in round {killed_in}. The clients go on over the mesh.")
        rounds = max(min(MESH_ROUNDS, last_round - killed_in), 1)
        self._wait_for_mesh(run_id, list(self.fleet.clients), rounds)
        self.say("The server is started again.")
        self.fleet.start_server(replace(self.server, queue_run=False))
        api.post(f"/runs/{run_id}/resume").raise_for_status()
        return killed_in

    def _wait_for_round(self, api: httpx.Client, server_round: int) -> dict[str, Any]:
        while True:
            run: dict[str, Any] = api.get("/runs").json()["runs"][0]
            if run["state"] in IDLE_STATES:
                raise DemoFailed(
                    f"The run was {run['state']} before the server could be killed in round {server_round}: "
                    "its rounds are too short for that. Use more --rounds, or a smaller number."
                )
            if run["round"] >= server_round:
                return run
            time.sleep(LOOK_S)

    def _wait_for_mesh(self, run_id: str, clients: Collection[str], rounds: int) -> None:
        ends = time.monotonic() + LIMIT_S
        while not all(self._has_gone(run_id, client_id, rounds) for client_id in clients):
            if time.monotonic() > ends:
                raise DemoFailed(
                    f"The clients have not gone {rounds} rounds without the server in {LIMIT_S:.0f} s. "
                    "Their messages are above."
                )
            time.sleep(LOOK_S)

    def _has_gone(self, run_id: str, client_id: str, rounds: int) -> bool:
        progress = MeshProgress.load(folder_of(self.home, client_id))
        return progress is not None and progress.run == run_id and progress.rounds >= rounds
