"""`sign`: what hashing, signing and verifying add to the time in which a large update comes in."""

from __future__ import annotations

import asyncio
import platform
import time
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from flwr.app import ArrayRecord, ConfigRecord, Message, RecordDict
from flwr.serverapp import Grid

from app.federation.rounds.results import ClientResult
from bench import echo, payload
from bench.crew import BenchFailed, Crew
from bench.link import LOOK_S, bench_link, member, serve_until_closed
from bench.report import FEDLOOM, Result, Run, ratios, this_machine
from bench.unsigned import trust_blindly
from client.built_in_app import BuiltInApp
from client.link import ClientIdentity, Link
from client.runtime import Runtime
from shared.console import configure_logging

REACH = 1.15
UNSIGNED = "FedLoom's link, nothing hashed or signed"


def measure(repeats: int, quick: bool) -> Result:
    """Both take turns, each time with new processes; of the ratios within a repetition, the median."""
    machine = this_machine()
    warm_up, count = (1, 3) if quick else (2, 15)
    elements = payload.elements(quick)
    update_bytes = echo.size(payload.model(elements))
    runs: list[Run] = []
    for number in range(repeats):
        # Whoever goes first has the quieter machine, or the colder one.
        order = (UNSIGNED, FEDLOOM) if number % 2 == 0 else (FEDLOOM, UNSIGNED)
        took = {name: _update_s(elements, warm_up, count, is_signed=name == FEDLOOM) for name in order}
        runs.append({name: 1000 * took[name] for name in (UNSIGNED, FEDLOOM)})
    beside = ratios(runs, UNSIGNED)
    return Result(
        name="sign",
        title=f"an update of {update_bytes / 1e6:.0f} MB from a client to the server, in TLS; "
        f"median of {count}",
        value=beside.pop(FEDLOOM),
        unit="x unsigned",
        reach=REACH,
        beside=beside,
        runs=runs,
        runs_unit="ms",
        note="client and server share this machine's cores; on two machines each hashes on its own",
        quick=quick,
        machine=machine,
    )


def _update_s(elements: int, warm_up: int, count: int, *, is_signed: bool) -> float:
    """Seconds from the message that asks for an update to the update, opened: the median."""
    with Crew(_server, [(warm_up, count, is_signed)]) as server:
        ((port, folder),) = server.hear()
        with Crew(_client, [(port, folder, elements, is_signed)]) as client:
            while not server.pipes[0].poll(LOOK_S):
                client.require_alive()
            (seconds,) = server.hear()
            return float(median(seconds[warm_up:]))


def _server(pipe: Connection, warm_up: int, count: int, is_signed: bool) -> None:
    """Tell where the link is, port and folder; then the seconds of each update."""
    if not is_signed:
        trust_blindly()

    def still() -> None:
        if pipe.poll():
            pipe.recv()  # it says nothing: the benchmark has closed it

    with bench_link() as link:
        pipe.send((link.port, link.folder))
        grid = link.grid(1, still, read=lambda instruction, reply: ClientResult())
        pipe.send([_ask(grid) for _ in range(warm_up + count)])


def _ask(grid: Grid) -> float:
    content = RecordDict({"config": ConfigRecord({"server-round": 1})})
    messages = [grid.create_message(content, "train", node, "") for node in grid.get_node_ids()]
    started = time.perf_counter()
    for reply in grid.send_and_receive(messages):
        if reply.has_error():
            raise BenchFailed(f"The client sent no update: {reply.error.reason}")
    return time.perf_counter() - started


def _client(pipe: Connection, port: int, folder: Path, elements: int, is_signed: bool) -> None:
    """A client that has its update ready."""
    if not is_signed:
        trust_blindly()
    configure_logging("client")
    runtime = Runtime(BuiltInApp(partial(_reply, payload.model(elements))), {}, None)
    runtime.start()
    identity = ClientIdentity("client-1", "mnist", ("cnn",), platform.node(), "cpu")
    with suppress(asyncio.CancelledError):
        link = Link(member("client-1", port, folder), identity, runtime, lambda _: None)
        asyncio.run(serve_until_closed(link, pipe))


def _reply(update: ArrayRecord, message: Message, _: object) -> Message:
    return Message(RecordDict({"arrays": update}), reply_to=message)
