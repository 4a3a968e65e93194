"""Servers and clients for all tests."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from app.demo.fleet import Fleet
from client.settings import ClientSettings
from shared.security.keys import KeyPair
from shared.security.server_identity import local_invitation
from shared.text import printable
from tests.support.api import Api, tidied
from tests.support.processes import Command, ServerProcess

StartServer = Callable[..., ServerProcess]
StartCommand = Callable[..., Command]

AWAKE_S, STOPPED_S = 0.1, 2.0
"""By turns, of a client that is slowed."""


LONGEST = (
    "integration/test_demo.py",
    "fault/test_mesh_fallback.py",
    "integration/test_lost_clients.py",
    "fault/test_mesh_field.py",
    "fault/test_mesh_attacks.py",
    "fault/test_mesh_attacks_on_files.py",
    "fault/test_mesh_server_back.py",
    "e2e/test_page_everybody.py",
    "e2e/test_page_whole_run.py",
    "e2e/test_page_dialogs.py",
    "integration/test_login.py",
    "integration/test_enrolment.py",
    "integration/test_mesh_networks.py",
    "integration/test_mesh_sync_command.py",
    "integration/test_mesh_nodes.py",
    "integration/test_privacy_docs.py",
    "integration/test_flower_apps.py",
    "integration/test_mesh_only.py",
    "integration/test_demo_apps.py",
    "integration/test_simulation.py",
    "integration/test_training_effects.py",
    "fault/test_sites.py",
    "fault/test_mesh_dir.py",
    "fault/test_secure_aggregation.py",
    "fault/test_man_in_the_middle.py",
    "e2e/test_tour.py",
    "e2e/test_page.py",
    "e2e/test_page_network.py",
    "e2e/test_page_engine.py",
    "integration/start_sh/test_bundle.py",
)
"""Files in `tests` that take long. They begin first, so that none of them is waited for at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first. pytest-xdist keeps to that with `--no-loadscope-reorder`."""
    turns = {Path(__file__).parent / name: turn for turn, name in enumerate(LONGEST)}
    items.sort(key=lambda item: turns.get(item.path, len(turns)))


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


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    """What a test opens or starts, to be closed or ended in the reverse order."""
    with ExitStack() as ending:
        yield ending


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
    with tidied(session_server.url) as api:
        yield api


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


class Link(Protocol):
    """Where a federation, or what passes its link on, is reached by clients."""

    @property
    def link(self) -> str: ...
    @property
    def home(self) -> Path: ...


class Clients:
    """Real client processes, forked from one that has PyTorch imported: they start in a moment."""

    def __init__(self, fleet: Fleet, server: Link, data_dir: Path, home: Path | None = None) -> None:
        """`home`: the clients' folder; None: they are found in the server's, as those of its user are."""
        self._fleet = fleet
        self._server = server
        self._data_dir = data_dir
        self._home = home

    def start(self, *client_ids: str, dataset: str = "digits", **settings: Any) -> None:
        """Start clients; does not wait until they are connected."""
        for client_id in client_ids:
            self._fleet.start_client(
                ClientSettings(
                    client_id=client_id,
                    dataset=dataset,
                    server=self._server.link,
                    home=self._home or self._server.home,
                    invite=local_invitation(self._server.home) if self._home else None,
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

    @contextmanager
    def slowed(self, client_id: str) -> Iterator[None]:
        """SIGSTOP most of the time: the client answers pings, so that it is not lost, and takes for ever."""
        over = threading.Event()

        def limp() -> None:
            while not over.wait(AWAKE_S):
                self.freeze(client_id)
                over.wait(STOPPED_S)
                self.thaw(client_id)

        thread = threading.Thread(target=limp)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

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
