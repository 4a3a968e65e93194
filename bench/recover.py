"""`recover`: how soon a run goes on after its server was killed without warning."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from app.demo.fleet import Fleet
from bench.crew import BenchFailed
from bench.report import FEDLOOM, Result, medians, this_machine
from client.settings import ClientSettings
from shared.names import DatasetName

REACH_S = 5.0
SINCE_KILL = "since the kill"
"""The same moment, counted from the kill: with the time that a server takes to start."""

CLIENTS = 3
ROUND = 5
"""The round in which the server is killed: the last of the run."""

ENDED = ("completed", "stopped", "failed")
POLL_S = 0.02
LIMIT_S = 120.0
STOP_TIMEOUT_S = 10.0
RUN_SERVER = Path(__file__).resolve().parent.parent / "run_server.py"


def measure(repeats: int, quick: bool) -> Result:
    """A server, clients, a run and a kill for each repetition."""
    machine = this_machine()
    local_epochs = 30 if quick else 60
    runs = [_recovery(local_epochs) for _ in range(repeats)]
    beside = medians(runs)
    return Result(
        name="recover",
        title=f"server killed while {CLIENTS} clients train in round {ROUND}, and started again: "
        "until all of them train in that round again",
        value=beside.pop(FEDLOOM),
        unit="s",
        reach=REACH_S,
        beside=beside,
        runs=runs,
        runs_unit="s",
        note="from the moment at which the new server's port is open; the clients are never started again",
        quick=quick,
        machine=machine,
    )


def _recovery(local_epochs: int) -> dict[str, float]:
    """Seconds until the round runs again, since the port was open and since the kill."""
    with TemporaryDirectory(prefix="fedloom-bench-") as folder, Fleet() as fleet:
        port, link_port = _free_ports(2)
        command = _server_command(port, link_port, local_epochs)
        with _server(command, Path(folder), port) as first:
            for number in range(1, CLIENTS + 1):
                fleet.start_client(_client(number, link_port, Path(folder)))
            _wait_until_all_train(fleet, port)
            first.kill()
            first.wait()
        killed_at = time.monotonic()
        with _server(command, Path(folder), port):
            open_at = time.monotonic()
            _wait_until_all_train(fleet, port)
            again_at = time.monotonic()
            _require_good_end(fleet, port)
        return {FEDLOOM: again_at - open_at, SINCE_KILL: again_at - killed_at}


def _server_command(port: int, link_port: int, local_epochs: int) -> Sequence[str]:
    """The same for both: a server that finds its run cut goes on with it, and begins no other."""
    return (
        *(sys.executable, str(RUN_SERVER), "--port", str(port), "--link-port", str(link_port)),
        *("--dataset", DatasetName.DIGITS, "--num-rounds", str(ROUND), "--min-clients", str(CLIENTS)),
        *("--local-epochs", str(local_epochs), "--alpha", "100"),
    )


@contextmanager
def _server(command: Sequence[str], home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process whose port is open, while the block lasts."""
    environment = {**os.environ, "FEDLOOM_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as process:
        try:
            _wait_for(lambda: _is_open(process, port), "the server listens")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _client(number: int, link_port: int, home: Path) -> ClientSettings:
    """`home`: the server's, where it leaves its invitation."""
    return ClientSettings(
        client_id=f"client-{number}",
        dataset=DatasetName.DIGITS,
        server=f"127.0.0.1:{link_port}",
        data_dir=Path(),  # digits come with scikit-learn
        device="cpu",
        home=home,
    )


def _free_ports(count: int) -> list[int]:
    """Ports that nobody uses; a server that is started again needs the same as before."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _is_open(process: subprocess.Popen[bytes], port: int) -> bool:
    if process.poll() is not None:
        raise BenchFailed(f"The server ended with exit code {process.returncode}; its messages are above.")
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def _wait_until_all_train(fleet: Fleet, port: int) -> None:
    """Until every client has reported a batch of the round to the server that listens now."""

    def look() -> bool:
        clients = api.get("/clients").json()["clients"]
        if api.get("/runs").json()["runs"][0]["state"] in ENDED:
            raise BenchFailed(f"The run ended, and it was not seen that all clients train in round {ROUND}.")
        return sum(_trains(client) for client in clients) == CLIENTS

    with _api(port) as api:
        _wait_for(lambda: _all_alive(fleet) and look(), f"all clients train in round {ROUND}")


def _trains(client: dict[str, Any]) -> bool:
    return (client["state"], client["round"]) == ("training", ROUND) and client["progress"] is not None


def _require_good_end(fleet: Fleet, port: int) -> None:
    """Raise BenchFailed unless the run completes with every round, the one that was cut from all clients."""
    with _api(port) as api:
        (run,) = api.get("/runs").json()["runs"]
        path = f"/runs/{run['id']}"
        _wait_for(lambda: _all_alive(fleet) and api.get(path).json()["state"] in ENDED, "the run ends")
        rounds = {round_["round"]: round_["clients"] for round_ in api.get(f"{path}/rounds").json()["rounds"]}
    if rounds != {0: 0, **dict.fromkeys(range(1, ROUND + 1), CLIENTS)}:
        raise BenchFailed(f"The run did not go on as it was: it has, by round, updates of {rounds} clients.")


def _api(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=LIMIT_S, trust_env=False)


def _all_alive(fleet: Fleet) -> bool:
    if not all(client.is_alive() for client in fleet.clients.values()):
        raise BenchFailed("A client ended; its message is above.")
    return True


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise BenchFailed(f"Within {LIMIT_S:.0f} s it did not happen that {what}.")
        time.sleep(POLL_S)
