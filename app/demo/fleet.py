"""The demo's processes: a server and clients, forked from one process that has PyTorch imported already."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from app.settings import ServerSettings
from client.settings import ClientSettings
from shared.console import configure_logging
from shared.errors import DatasetUnavailable, FedLoomError
from shared.interrupt import end_on_signals

PRELOAD = [
    "app.demo.ignore_interrupt",
    "app.server",
    "client.built_in_app",
    "torch._dynamo",
    "sklearn.datasets",
]
"""Imported once, before the fork: together they take seconds, and every process needs them."""

START_TIMEOUT_S = 120.0
CLIENTS_STOP_TIMEOUT_S = 1.2
SERVER_STOP_TIMEOUT_S = 1.2


class DemoFailed(FedLoomError):
    """A process of the demo ended that it cannot do without."""


@dataclass(frozen=True)
class Ports:
    """Where the demo's server listens."""

    web: int
    link: int


class Fleet:
    """Starts processes and ends every one of them. A context manager.

    `own_sessions`: each process is in a session of its own, as if started in a terminal of its own. Linux
    shares the processors out by session.
    """

    def __init__(self, *, own_sessions: bool = False) -> None:
        self._own_sessions = own_sessions
        self._context: ForkServerContext | SpawnContext = multiprocessing.get_context("spawn")
        if "forkserver" in multiprocessing.get_all_start_methods():
            self._context = multiprocessing.get_context("forkserver")
            self._context.set_forkserver_preload(PRELOAD)
        self.server: BaseProcess | None = None
        self.clients: dict[str, BaseProcess] = {}
        self._others: list[BaseProcess] = []

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def dataset_problem(self, dataset: str, data_dir: Path) -> str | None:
        """Why a data set cannot be used, in words; downloads it where necessary. None: it is here."""
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_check_dataset, args=(dataset, data_dir, sender), daemon=True)
        process.start()
        self._others.append(process)
        sender.close()
        try:
            problem: str | None = receiver.recv()
        except EOFError:
            raise DemoFailed(
                f"Loading the data set {dataset} ended unexpectedly; see the message above."
            ) from None
        process.join()
        return problem

    def start_server(self, settings: ServerSettings) -> Ports:
        """Start the server and wait until it answers. It ends at once when it is told to."""
        settings = replace(settings, drain_s=0)
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_serve, args=(settings, sender, self._own_sessions), name="server", daemon=True
        )
        process.start()
        self.server = process
        sender.close()
        if not wait([receiver], START_TIMEOUT_S):
            raise DemoFailed(f"The server did not start within {START_TIMEOUT_S:.0f} s.")
        try:
            return Ports(*receiver.recv())
        except EOFError:
            raise DemoFailed("The server could not start; its message is above.") from None

    def kill_server(self) -> None:
        """SIGKILL: the server has no chance to let anybody know."""
        if self.server is not None:
            self.server.kill()
            self.server.join()

    def start_client(self, settings: ClientSettings) -> None:
        """Start a client; does not wait until it is connected."""
        process = self._context.Process(
            target=_join, args=(settings, self._own_sessions), name=settings.client_id, daemon=True
        )
        process.start()
        self.clients[settings.client_id] = process

    def stop(self) -> None:
        """End all processes: asked first, forced when they take too long."""
        _end([*self._others, *self.clients.values()], CLIENTS_STOP_TIMEOUT_S)
        # After the clients, so that it hears their goodbye.
        _end([self.server] if self.server else [], SERVER_STOP_TIMEOUT_S)


def _end(processes: list[BaseProcess], timeout_s: float) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + timeout_s
    for process in processes:
        process.join(max(deadline - time.monotonic(), 0))
        if process.is_alive():
            process.kill()
            process.join()


# in the child processes


def _check_dataset(dataset: str, data_dir: Path, result: Connection) -> None:
    from shared.data.datasets import load_test, load_train_labels

    configure_logging("demo")
    _end_with_parent()
    end_on_signals()
    try:
        load_train_labels(dataset, data_dir)
        load_test(dataset, data_dir)
    except DatasetUnavailable as error:
        result.send(str(error))
    except KeyboardInterrupt:
        pass
    else:
        result.send(None)


def _serve(settings: ServerSettings, ready: Connection, own_session: bool) -> None:
    from app.server import serve

    _begin(own_session)
    try:
        serve(settings, on_ready=lambda web, link: ready.send((web, link)))
    except FedLoomError as error:
        sys.exit(f"error: {error}")


def _join(settings: ClientSettings, own_session: bool) -> None:
    from client.main import run

    _begin(own_session)
    sys.exit(run(settings))


def _begin(own_session: bool) -> None:
    if own_session:
        os.setsid()
    _end_with_parent()


def _end_with_parent() -> None:
    """End this process when the demo's own process is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
