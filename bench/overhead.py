"""`overhead`: what the link costs in a round when the clients need no time."""

from __future__ import annotations

import asyncio
import platform
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from statistics import median

from app.events import EventBus
from app.federation.grid import LinkGrid
from app.federation.link_server import LinkServer
from app.federation.registry import ClientRegistry
from app.federation.replies import check_reply
from app.federation.rounds import RoundTracker
from app.federation.run_book import RunBook
from app.federation.spec import RunSpec
from app.records import Run, RunState
from bench import echo, flower_simulation, sockets
from bench.crew import Crew
from bench.report import FEDLOOM, Result, medians, this_machine
from client.link import ClientIdentity, Link
from client.runtime import Runtime
from shared.console import configure_logging
from shared.flower import identify_server_task
from shared.proto.link_pb2 import Assignment

REACH_MS = 20.0
LIMIT = "plain loopback sockets"
PEER = "Flower simulation (Ray)"
RUN_ID = "bec4"
"""Of the run that the book and the clients hear of; a grid's run id is this number."""


def measure(repeats: int, quick: bool) -> Result:
    """The median round of each repetition; of those, the median."""
    machine = this_machine()
    warm_up, count, peer_count = (1, 5, 2) if quick else (5, 50, 10)
    model_bytes = sum(len(array.data) for array in echo.initial_arrays().values())
    runs = [
        {
            LIMIT: _milliseconds(sockets.rounds(echo.CLIENTS, model_bytes, warm_up, count)),
            FEDLOOM: _milliseconds(_fedloom(warm_up, count)),
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
        note="without TLS and signatures, which do not exist yet",
        quick=quick,
        machine=machine,
    )


def _milliseconds(seconds: list[float]) -> float:
    return 1000 * median(seconds)


def _fedloom(warm_up: int, count: int) -> list[float]:
    """Seconds of each round over FedLoom's link to client processes, with its bookkeeping and events."""
    bus = EventBus()
    registry = ClientRegistry(bus)
    link = LinkServer(registry, bus)
    port = link.start("127.0.0.1", 0)
    try:
        names = [f"client-{number}" for number in range(1, echo.CLIENTS + 1)]
        everybody_is_here = _watch(registry)
        with Crew(_client, [(name, port) for name in names]) as crew:
            while not everybody_is_here.wait(0.1):
                crew.require_alive()
            grid = LinkGrid(
                link, int(RUN_ID, 16), lambda: names, _tracker(bus, link), check_reply, lambda: None
            )
            identify_server_task(grid.run.run_id)
            for name in names:
                link.assign(
                    name, Assignment(run_id=grid.run.run_id, run=RUN_ID, clients_on_host=echo.CLIENTS)
                )
            return echo.rounds(grid, warm_up, count)
    finally:
        link.stop()


def _watch(registry: ClientRegistry) -> threading.Event:
    """An event that is set once all clients are connected."""
    complete = threading.Event()

    def look() -> None:
        if registry.counts().connected == echo.CLIENTS:
            complete.set()

    registry.on_membership(look)
    return complete


def _tracker(bus: EventBus, link: LinkServer) -> RoundTracker:
    book = RunBook(bus)
    spec = RunSpec.model_validate({"min_clients": echo.CLIENTS})
    run = Run(
        id=RUN_ID, state=RunState.RUNNING, spec=spec, num_rounds=spec.num_rounds, created_at=time.time()
    )
    book.add(run)
    return RoundTracker(run.id, book, link.note)


def _client(pipe: Connection, name: str, port: int) -> None:
    """A client as `client.main` starts it, with the echo in place of the built-in ClientApp."""
    configure_logging(name)
    runtime = Runtime(echo.app, {}, None)
    runtime.start()
    identity = ClientIdentity(name, "mnist", ("cnn",), platform.node(), "cpu")
    with suppress(asyncio.CancelledError):
        asyncio.run(_serve(Link(f"127.0.0.1:{port}", identity, runtime), pipe))


async def _serve(link: Link, pipe: Connection) -> None:
    """Serve the link until the benchmark closes the pipe."""
    serving = asyncio.ensure_future(link.run())
    asyncio.get_running_loop().add_reader(pipe.fileno(), serving.cancel)
    await serving
