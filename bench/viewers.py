"""`viewers`: many browsers' sockets during a run: how late they hear of it, and what that costs the run."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench.broadcaster import send_to_all
from bench.crew import Crew
from bench.page_server import PageServer, page_server
from bench.report import FEDLOOM, Figure, Result, medians, ratios, this_machine

LATENCY_MS = 100.0
SLOWER = 1.05
ALONE = "one viewer"
BARE = "a bare broadcaster"
CLIENTS = 10


@dataclass
class Heard:
    """What the sockets of one process were sent."""

    latencies: list[float] = field(default_factory=list)
    """Of each event on each socket, in seconds."""
    batches: int = 0
    characters: int = 0
    first: float = 0.0
    last: float = 0.0

    def add(self, batch: str, now: float) -> None:
        """Another batch on one of the sockets."""
        self.latencies.extend(now - event["time"] for event in _events(batch))
        self.first = self.first or now
        self.last = now
        self.batches += 1
        self.characters += len(batch)


def measure(repeats: int, quick: bool) -> Result:
    """Runs on the same server: with one viewer, with all of them, and with a bare broadcaster beside it."""
    machine = this_machine()
    viewers, rounds = (10, 5) if quick else (200, 50)
    latencies, rounds_s = [], []
    for _ in range(repeats):
        with TemporaryDirectory(prefix="fedloom-bench-") as home, page_server(Path(home)) as server:
            _watched_run(server, 1, 3)  # what happens only once has happened
            alone, alone_s = _watched_run(server, 1, rounds)
            together, together_s = _watched_run(server, viewers, rounds)
            with _broadcast(viewers, together):
                _, bare_s = _watched_run(server, 1, rounds)
        latencies.append({FEDLOOM: median(together.latencies) * 1000, ALONE: median(alone.latencies) * 1000})
        rounds_s.append({FEDLOOM: together_s, BARE: bare_s, ALONE: alone_s})
    beside = medians(latencies)
    against_alone = ratios(rounds_s, ALONE)
    return Result(
        name="viewers",
        title=f"median time from an event at the server to {viewers} sockets, "
        f"while {CLIENTS} light clients train",
        value=beside.pop(FEDLOOM),
        unit="ms",
        reach=LATENCY_MS,
        beside=beside,
        runs=latencies,
        runs_unit="ms",
        figures=[
            Figure(
                name=f"a round's time against {BARE}",
                value=ratios(rounds_s, BARE)[FEDLOOM],
                unit="x",
                reach=SLOWER,
                runs=[run[FEDLOOM] / run[BARE] for run in rounds_s],
            )
        ],
        note="an event is sent when it is on the disk, in at most ten batches a second; one process reads "
        f"what all viewers are sent, which costs the run time, too: against {ALONE}, a round took "
        f"{against_alone[FEDLOOM]:.2f} x with FedLoom's viewers, {against_alone[BARE]:.2f} x with {BARE}",
        quick=quick,
        machine=machine,
    )


def _watched_run(server: PageServer, viewers: int, rounds: int) -> tuple[Heard, float]:
    """What was heard, and the seconds of a round."""
    with Crew(watch, [(viewers, server.port)]) as crew:
        crew.hear()
        with server.run(CLIENTS, rounds) as run_id:
            done = server.wait_for_end(run_id)
        crew.tell("over")
        (heard,) = crew.hear()
    took = [round_["duration_s"] for round_ in done if round_["round"] > 1]
    return heard, median(took)


@contextmanager
def _broadcast(viewers: int, like: Heard) -> Iterator[None]:
    """While the block lasts, so many sockets are sent as much as others were, by a process of its own."""
    characters = like.characters // like.batches
    every_s = (like.last - like.first) * viewers / like.batches
    with (
        Crew(send_to_all, [(characters, every_s)]) as sender,
        Crew(watch, [(viewers, *sender.hear())]) as reader,
    ):
        reader.hear()
        yield
        reader.tell("over")
        reader.hear()


def watch(pipe: Connection, viewers: int, port: int) -> None:
    """Connect, say so, read until told to end, and say what was Heard."""
    pipe.send(asyncio.run(_watch(pipe, viewers, port)))


async def _watch(pipe: Connection, viewers: int, port: int) -> Heard:
    over = asyncio.Event()
    heard = Heard()
    url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    sockets = [await connect(url, max_size=None, proxy=None) for _ in range(viewers)]
    for socket in sockets:
        await socket.send("40")
    reading = [asyncio.ensure_future(_read(socket, heard)) for socket in sockets]
    pipe.send("connected")
    asyncio.get_running_loop().add_reader(pipe.fileno(), over.set)
    await over.wait()
    for reader in reading:
        reader.cancel()
    return heard


async def _read(socket: ClientConnection, heard: Heard) -> None:
    async for message in socket:
        now = time.time()
        text = str(message)
        if text == "2":  # a ping of Engine.IO
            await socket.send("3")
        elif text.startswith('42["batch"'):
            heard.add(text, now)


@lru_cache(8)  # all viewers are sent the same text
def _events(text: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads(text[2:])[1]["events"]
    return events
