"""`payload`: a large model out to all clients and back: how fast it moves, how often it lies in memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

import numpy as np
from flwr.app import Array, ArrayRecord

from app.federation.grid.link_grid import LinkGrid
from bench import echo, memory, sockets
from bench.crew import Crew
from bench.link import LOOK_S, bench_link, echo_client, members
from bench.report import FEDLOOM, Figure, Result, ratios, this_machine

REACH = 0.4
REACH_MEMORY = 4.0
REACH_GROWTH = 0.5
"""Models, for 4 more clients. A server that kept all replies would grow by 4; buffers may take a little."""

LIMIT = "plain loopback sockets in TLS"
PLAIN = "plain loopback sockets"
CLIENTS = 4
MORE_CLIENTS = 8
LAYERS = 10


@dataclass(frozen=True)
class Outcome:
    """Seconds of the median round, and the peak of the server's memory above what it had without a model."""

    seconds: float
    peak_bytes: int


def measure(repeats: int, quick: bool) -> Result:
    """Sockets and FedLoom take turns, then FedLoom with more clients; each time with new processes."""
    machine = this_machine()
    warm_up, count = (1, 1) if quick else (1, 5)
    model_bytes = echo.size(model(elements(quick)))
    runs, peaks, peaks_of_more = [], [], []
    for _ in range(repeats):
        bare, secured = (
            median(sockets.rounds(CLIENTS, model_bytes, [model_bytes], warm_up, count, in_tls=in_tls))
            for in_tls in (False, True)
        )
        mine = _fedloom(CLIENTS, elements(quick), warm_up, count)
        more = _fedloom(MORE_CLIENTS, elements(quick), warm_up, count)
        moved = 2 * CLIENTS * model_bytes / 1e6
        runs.append({PLAIN: moved / bare, LIMIT: moved / secured, FEDLOOM: moved / mine.seconds})
        peaks.append(mine.peak_bytes / model_bytes)
        peaks_of_more.append(more.peak_bytes / model_bytes)
    beside = ratios(runs, LIMIT)
    return Result(
        name="payload",
        title=f"a model of {model_bytes / 1e6:.0f} MB out to {CLIENTS} clients that return it at once, "
        f"and averaged; median of {count} rounds",
        value=beside.pop(FEDLOOM),
        unit="x sockets in TLS",
        reach=REACH,
        at_least=True,
        beside=beside,
        runs=runs,
        runs_unit="MB/s",
        figures=_memory(peaks, peaks_of_more),
        note="memory: the server process, above what it had before there was a model",
        quick=quick,
        machine=machine,
    )


def elements(quick: bool) -> int:
    """Numbers in the model: 100 MB of float32, or 8 MB."""
    return 2_000_000 if quick else 25_000_000


def model(elements: int) -> ArrayRecord:
    """A model of which one matrix, like that of an embedding, is half, and equal layers the other half."""
    random = np.random.default_rng(0)
    sizes = {"embedding": elements // 2}
    sizes |= {f"layer-{number}": elements // 2 // LAYERS for number in range(1, LAYERS + 1)}
    return ArrayRecord(
        {
            name: Array(random.standard_normal((size // 1_000, 1_000), dtype=np.float32))
            for name, size in sizes.items()
        }
    )


def _memory(peaks: Sequence[float], peaks_of_more: Sequence[float]) -> list[Figure]:
    growth = [more - peak for peak, more in zip(peaks, peaks_of_more, strict=True)]
    return [
        Figure(name=name, value=median(values), unit="x model", reach=reach, runs=values)
        for name, values, reach in (
            (f"peak memory, {CLIENTS} clients", peaks, REACH_MEMORY),
            (f"peak memory, {MORE_CLIENTS} clients", peaks_of_more, REACH_MEMORY),
            (f"growth from {CLIENTS} to {MORE_CLIENTS} clients", growth, REACH_GROWTH),
        )
    ]


def _fedloom(clients: int, elements: int, warm_up: int, count: int) -> Outcome:
    """Rounds of training over FedLoom's link, its server in a process of its own."""
    with Crew(_server, [(clients, elements, warm_up, count)]) as server:
        ((port, folder),) = server.hear()
        with Crew(echo_client, members(clients, port, folder)) as crew:
            while not server.pipes[0].poll(LOOK_S):
                crew.require_alive()
            (outcome,) = server.hear()
            return Outcome(*outcome)


def _server(pipe: Connection, clients: int, elements: int, warm_up: int, count: int) -> None:
    """Tell where the link is, port and folder; then what an Outcome holds."""

    def still() -> None:
        if pipe.poll():
            pipe.recv()  # it says nothing: the benchmark has closed it

    with bench_link() as link:
        pipe.send((link.port, link.folder))
        pipe.send(_rounds(link.grid(clients, still), elements, warm_up, count))


def _rounds(grid: LinkGrid, elements: int, warm_up: int, count: int) -> tuple[Any, ...]:
    system = echo.FedLoom()
    before = memory.resident_bytes()
    arrays = model(elements)
    memory.reset_peak()
    seconds = []
    for server_round in range(1, warm_up + count + 1):
        started = time.perf_counter()
        arrays = system.train(grid, server_round, arrays)
        seconds.append(time.perf_counter() - started)
    return median(seconds[warm_up:]), memory.peak_bytes() - before
