"""A real server in a process of its own, whose records are told of a run in place of its link."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Thread

from app.environment import Environment
from app.server import attach_page_sockets, create_app
from app.settings import ServerSettings
from app.web.servers import serve_until_stopped
from bench.crew import Crew
from bench.crowd_run import fill
from bench.light import names
from bench.told_run import Step, ToldRun
from shared.console import configure_logging


class ToldServer:
    """The server, from outside."""

    def __init__(self, crew: Crew, port: int) -> None:
        self.port = port
        self._crew = crew

    def tell(self, step: Step) -> None:
        """Have it happen; returns once it has."""
        self._crew.tell(step)
        self._crew.hear()


@contextmanager
def told_server(home: Path, clients: int, *, simulated: bool) -> Iterator[ToldServer]:
    """A server whose run has no round yet, while the block lasts. `simulated`: by the simulation engine."""
    with Crew(_serve, [(home, clients, simulated)]) as crew:
        (port,) = crew.hear()
        yield ToldServer(crew, port)


def _serve(pipe: Connection, home: Path, clients: int, simulated: bool) -> None:
    """Serve until the pipe is closed."""
    configure_logging("told server")
    if not simulated:
        fill(home, clients, 1, known=True)  # a run before, of which the server knows its clients
    settings = ServerSettings(port=0, link_port=0, home=home)
    env = Environment(settings)
    flask_app = create_app(env)
    pump = attach_page_sockets(flask_app, env)

    def begin(port: int) -> None:
        env.start()
        pump.start()
        told = ToldRun(env.book, env.registry, names(clients), simulated=simulated)
        Thread(target=_listen, args=(pipe, port, told), daemon=True).start()

    try:
        serve_until_stopped(flask_app, settings, begin, env.count_at_page)
    finally:
        env.shut_down()


def _listen(pipe: Connection, port: int, told: ToldRun) -> None:
    pipe.send(port)
    try:
        while True:
            told.tell(pipe.recv())
            pipe.send("told")
    except EOFError:
        os.kill(os.getpid(), signal.SIGTERM)
