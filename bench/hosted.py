"""The rounds of `overhead` with an app in processes of its own: at the server's end, and at each client."""

from __future__ import annotations

import asyncio
import json
import logging
import platform
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from flwr.app import Context, Message, RecordDict, UserConfig

from app.federation.grid.instruction import Instruction
from app.federation.rounds.foreign_replies import open_any_reply, read_any_reply
from app.federation.rounds.results import ClientResult
from app.federation.runs.hosted_server_app import HostedServerApp
from bench import echo
from bench.crew import Crew
from bench.link import bench_link, member, members, serve_until_closed
from client.hosted_app import HostedApp
from client.link import ClientIdentity, Link
from client.runtime import Runtime
from shared.app_process import AppProcess
from shared.app_process.process import Role
from shared.console import configure_logging
from shared.flower import SERVER_NODE_ID
from shared.flower_app import read_app

APP = Path(__file__).with_name("echo_app")
OUT = "seconds.json"


def rounds(warm_up: int, count: int) -> list[float]:
    """Seconds of each round, as the ServerApp has them."""
    with (
        TemporaryDirectory(prefix="fedloom-bench-") as folder,
        bench_link() as link,
        Crew(_client, members(echo.CLIENTS, link.port, link.folder)) as crew,
    ):
        grid = link.grid(echo.CLIENTS, crew.require_alive, _read, open_any_reply)
        hosted = HostedServerApp(_start("server", Path(folder)), grid, link.results)
        hosted.begin()
        try:
            hosted.wait_until(lambda: hosted.is_ready)
            hosted.call(_context(grid.run.run_id, warm_up, count))
        finally:
            hosted.close()
        seconds: list[float] = json.loads((Path(folder) / OUT).read_text(encoding="utf-8"))
        return seconds


def _read(asked: Instruction, reply: Message) -> ClientResult:
    return read_any_reply(asked.kind, reply)


def _start(role: Role, cwd: Path) -> Callable[[], AppProcess]:
    app = read_app(APP)
    return lambda: AppProcess.start(app, app.folder, role, cwd=cwd)


def _context(run_id: int, warm_up: int, count: int) -> Context:
    shapes = [array.shape for array in echo.initial_arrays().values()]
    config: UserConfig = {"shapes": json.dumps(shapes), "warm-up": warm_up, "count": count, "out": OUT}
    return Context(run_id, SERVER_NODE_ID, {}, RecordDict(), config)


def _client(pipe: Connection, name: str, port: int, folder: Path) -> None:
    """A client as `client.main` starts it for another app."""
    configure_logging(name)
    logging.getLogger().setLevel(logging.WARNING)
    hosted = HostedApp(_start("client", Path.cwd()))
    hosted.load()
    runtime = Runtime(hosted, {}, None)
    runtime.start()
    identity = ClientIdentity(name, "mnist", ("cnn",), platform.node(), "cpu")
    try:
        with suppress(asyncio.CancelledError):
            link = Link(member(name, port, folder), identity, runtime, lambda _: None)
            asyncio.run(serve_until_closed(link, pipe))
    finally:
        hosted.close()
