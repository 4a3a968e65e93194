"""`overhead`: what the link costs in a round when the clients need no time."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from bench import echo, flower_simulation, hosted, sockets
from bench.crew import Crew
from bench.link import bench_link, echo_client, members
from bench.report import FEDLOOM, Figure, Result, Run, medians, this_machine

REACH_MS = 20.0
OWN_PROCESSES_REACH_MS = 10.0
OWN_PROCESSES = "FedLoom, an app with Flower's FedAvg, in its own processes"
SAME_PROCESS = "FedLoom, the same in FedLoom's processes"
LIMIT = "plain loopback sockets"
PEER = "Flower simulation (Ray)"
EVALUATION_BYTES = 200
"""A reply to an evaluation: a few metrics."""


def measure(repeats: int, quick: bool) -> Result:
    """The median round of each repetition; of those, the median."""
    machine = this_machine()
    warm_up, count, peer_count = (1, 5, 2) if quick else (5, 50, 10)
    model_bytes = echo.size(echo.initial_arrays())
    replies = (model_bytes, EVALUATION_BYTES)
    runs = [
        {
            OWN_PROCESSES: _milliseconds(hosted.rounds(warm_up, count)),
            SAME_PROCESS: _milliseconds(_fedloom(echo.Flower(), warm_up, count)),
            LIMIT: _milliseconds(sockets.rounds(echo.CLIENTS, model_bytes, replies, warm_up, count)),
            FEDLOOM: _milliseconds(_fedloom(echo.FedLoom(), warm_up, count)),
            PEER: _milliseconds(flower_simulation.echo_rounds(1, peer_count)),
        }
        for _ in range(repeats)
    ]
    beside = medians(runs)
    return Result(
        name="overhead",
        title=f"a round of train and evaluate, {echo.CLIENTS} clients that return at once, "
        f"{model_bytes / 1e6:.1f} MB; median of {count} rounds",
        value=beside.pop(FEDLOOM),
        unit="ms",
        reach=REACH_MS,
        beside=beside,
        runs=runs,
        runs_unit="ms",
        figures=[_cost_of_processes(runs)],
        note="FedLoom and Flower aggregate each with its own FedAvg; "
        "the link is in TLS, and what stands beside it is not",
        quick=quick,
        machine=machine,
    )


def _cost_of_processes(runs: Sequence[Run]) -> Figure:
    """How much longer a round takes when the app is in processes of its own."""
    differences = [run[OWN_PROCESSES] - run[SAME_PROCESS] for run in runs]
    return Figure(
        name="an app's own processes",
        value=median(differences),
        unit="ms",
        reach=OWN_PROCESSES_REACH_MS,
        runs=differences,
    )


def _milliseconds(seconds: list[float]) -> float:
    return 1000 * median(seconds)


def _fedloom(system: echo.Rounds, warm_up: int, count: int) -> list[float]:
    """Seconds of each round over FedLoom's link to client processes, with its bookkeeping and events."""
    with bench_link() as link, Crew(echo_client, members(echo.CLIENTS, link.port, link.folder)) as crew:
        grid = link.grid(echo.CLIENTS, crew.require_alive)
        return echo.rounds(grid, system, warm_up, count)
