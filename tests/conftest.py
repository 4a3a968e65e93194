"""Servers and clients for all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app.demo.fleet import Fleet
from client.settings import ClientSettings
from shared.security.keys import KeyPair
from shared.text import printable
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.processes import Command, ServerProcess

StartServer = Callable[..., ServerProcess]
StartCommand = Callable[..., Command]


def pytest_configure() -> None:
    """A shell has what it starts in the background ignore Ctrl-C, and so would all that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """What a test has logged goes from pytest-xdist's workers to their head as UTF-8, which not all is."""
    return _printable((yield))


def _printable(value: Any) -> Any:
    match value:
        case str():
            return printable(value)
        case dict():
            return {key: _printable(item) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_printable(item) for item in value)
        case _:
            return value


@pytest.fixture(scope="session")
def key() -> KeyPair:
    """Somebody's key; to make one takes up to 300 ms."""
    return KeyPair.make()


@pytest.fixture(scope="session")
def other() -> KeyPair:
    """Somebody else's."""
    return KeyPair.make()


@pytest.fixture(scope="session")
def session_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for every test that leaves no trace but ended runs and lost clients."""
    server = ServerProcess(home=tmp_path_factory.mktemp("server"))
    yield server
    server.end()


@pytest.fixture(scope="session")
def threading_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The same on the other web server."""
    server = ServerProcess("--async-mode", "threading", home=tmp_path_factory.mktemp("threading"))
    yield server
    server.end()


@pytest.fixture
def api(session_server: ServerProcess) -> Iterator[Api]:
    """The REST API of the shared server; runs that the test leaves behind are stopped."""
    api = Api(session_server.url)
    yield api
    api.end_all_runs()
    api.close()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers of the test's own: `start_server("--flag", port=…, link_port=…)`."""
    with ExitStack() as ending:

        def start(*flags: str, **options: Any) -> ServerProcess:
            server = ServerProcess(*flags, home=tmp_path, **options)
            ending.callback(server.end)
            return server

        yield start


@pytest.fixture
def start_command(tmp_path: Path) -> Iterator[StartCommand]:
    """Starts one of the repository's commands: `start_command("run_client.py", "--client-id", "a")`."""
    with ExitStack() as ending:

        def start(script: str, *flags: str, **options: Any) -> Command:
            command = Command(script, *flags, home=tmp_path, **options)
            ending.callback(command.end)
            return command

        yield start


class Clients:
    """Real client processes, forked from one that has PyTorch imported: they start in a moment."""

    def __init__(self, fleet: Fleet, server: ServerProcess | ForkedServer, data_dir: Path) -> None:
        self._fleet = fleet
        self._server = server
        self._data_dir = data_dir

    def start(self, *client_ids: str, dataset: str = "digits", **settings: Any) -> None:
        """Start clients; does not wait until they are connected."""
        for client_id in client_ids:
            self._fleet.start_client(
                ClientSettings(
                    client_id=client_id,
                    dataset=dataset,
                    server=self._server.link,
                    home=self._server.home,
                    data_dir=self._data_dir,
                    threads=1,
                    **settings,
                )
            )

    def kill(self, client_id: str) -> None:
        """SIGKILL: the client has no chance to say goodbye."""
        process = self._fleet.clients[client_id]
        process.kill()
        process.join()

    def freeze(self, client_id: str) -> None:
        """SIGSTOP: the process is there and does nothing."""
        self._signal(client_id, signal.SIGSTOP)

    def thaw(self, client_id: str) -> None:
        """SIGCONT."""
        self._signal(client_id, signal.SIGCONT)

    def _signal(self, client_id: str, number: signal.Signals) -> None:
        pid = self._fleet.clients[client_id].pid
        assert pid is not None
        os.kill(pid, number)

    def end(self, client_id: str) -> None:
        """SIGTERM, and wait."""
        process = self._fleet.clients[client_id]
        process.terminate()
        process.join()


@pytest.fixture
def clients(session_server: ServerProcess, tmp_path: Path) -> Iterator[Clients]:
    """Clients of the shared server; they end with the test."""
    with Fleet() as fleet:
        yield Clients(fleet, session_server, tmp_path)
