"""A real server for the benchmarks of the page, with light clients, and what it says over REST."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.crew import BenchFailed, Crew
from bench.light import SPEC, light_clients, names

RUN_SERVER = Path(__file__).resolve().parent.parent / "run_server.py"
LIMIT_S = 600.0
POLL_S = 0.2
STOP_TIMEOUT_S = 10.0
ENDED = ("completed", "stopped", "failed")


class PageServer:
    """A server process and its REST."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, link_port: int, home: Path) -> None:
        self.port = port
        self._process = process
        self._link_port = link_port
        self._home = home
        self._api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=LIMIT_S, trust_env=False)

    def get(self, path: str) -> Any:
        """An answer of REST."""
        return self._api.get(path).raise_for_status().json()

    @contextmanager
    def run(self, clients: int, rounds: int) -> Iterator[str]:
        """A run with so many light clients, which has begun; its id. The clients end with the block."""
        with Crew(light_clients, [(names(clients), self._link_port, self._home)]):
            self.wait_for(
                lambda: self.get("/status")["clients"]["connected"] >= clients, f"{clients} clients connect"
            )
            spec = {**SPEC, "num_rounds": rounds, "min_clients": clients}
            run_id: str = self._api.post("/runs", json=spec).raise_for_status().json()["id"]
            self.wait_for(lambda: self.get(f"/runs/{run_id}")["round"] >= 1, "the first round begins")
            yield run_id

    def wait_for_end(self, run_id: str) -> list[dict[str, Any]]:
        """The rounds of a run, once it is over."""
        self.wait_for(lambda: self.get(f"/runs/{run_id}")["state"] in ENDED, "the run ends")
        if (state := self.get(f"/runs/{run_id}")["state"]) != "completed":
            raise BenchFailed(f"The run is {state}; the server's messages are above.")
        rounds: list[dict[str, Any]] = self.get(f"/runs/{run_id}/rounds?clients=")["rounds"]
        return rounds

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Raises BenchFailed when the server ends, or it takes too long."""
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            if self._process.poll() is not None:
                raise BenchFailed("The server ended; its messages are above.")
            if time.monotonic() > deadline:
                raise BenchFailed(f"Within {LIMIT_S:.0f} s it did not happen that {what}.")
            time.sleep(POLL_S)


@contextmanager
def page_server(home: Path) -> Iterator[PageServer]:
    """A server that answers, while the block lasts."""
    port, link_port = _free_ports(2)
    command = (sys.executable, str(RUN_SERVER), "--port", str(port), "--link-port", str(link_port))
    environment = {**os.environ, "FEDLOOM_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as process:
        server = PageServer(process, port, link_port, home)
        try:
            server.wait_for(lambda: _answers(server), "the server answers")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(server: PageServer) -> bool:
    try:
        server.get("/status")
    except httpx.TransportError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
