"""Servers that are killed and started again, clients good and bad, and what an undisturbed run comes to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flwr.app import Message

from app.demo.fleet import Fleet
from shared.flower import decode
from tests.conftest import Clients
from tests.support.api import Api, Json, tidied
from tests.support.consistency import require_consistent
from tests.support.forked_server import ForkedServer
from tests.support.meshed import Meshed
from tests.support.raw_link import RawClient

Undisturbed = Callable[..., list[Json]]

PAIR = ("a", "b")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkedServer]:
    """A server of the test's own, not yet started; its store must be consistent after the test."""
    server = ForkedServer(tmp_path / "home")
    yield server
    server.end()
    require_consistent(server.home)


@pytest.fixture(scope="module")
def lasting_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedServer]:
    """A server for all tests of a module, which it should survive; the same goes for its store."""
    server = ForkedServer(tmp_path_factory.mktemp("lasting") / "home")
    server.start()
    yield server
    assert server.is_running
    server.end()
    require_consistent(server.home)


@pytest.fixture
def api(lasting_server: ForkedServer) -> Iterator[Api]:
    """Its REST API; runs that the test leaves behind are stopped."""
    with tidied(lasting_server.url) as api:
        yield api


@pytest.fixture
def meshed(server: ForkedServer, ending: ExitStack) -> Iterator[Meshed]:
    """Clients of the test's own server; none of them may have come upon a bug."""
    clients = Meshed(server, ending)
    yield clients
    for command in clients.commands.values():
        assert "Traceback" not in command.output, command


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Client processes, which end with the test."""
    with Fleet() as fleet:
        yield fleet


@pytest.fixture
def clients(lasting_server: ForkedServer, fleet: Fleet, tmp_path: Path) -> Clients:
    """Clients of the module's server."""
    return Clients(fleet, lasting_server, tmp_path)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    """`undisturbed(**spec)`: the rounds of such a run by the clients a and b, to which nothing happens."""
    server = ForkedServer(tmp_path_factory.mktemp("undisturbed") / "home")
    server.start()
    api = Api(server.url)
    known: dict[str, list[Json]] = {}

    def rounds(**spec: Any) -> list[Json]:
        key = json.dumps(spec, sort_keys=True)
        if key not in known:
            run = api.start(**spec)
            api.wait_for_run(run["id"], "completed")
            known[key] = api.rounds(run["id"])
        return known[key]

    with Fleet() as fleet:
        Clients(fleet, server, server.home).start(*PAIR)
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        yield rounds
    api.close()
    server.end()


def without_times(rounds: list[Json]) -> list[Json]:
    """What a run has come to: all but how long it took, with room for the noise of floats."""
    return [
        {
            name: _approximately(value)
            for name, value in round_.items()
            if name not in ("started_at", "duration_s", "sent_bytes", "received_bytes", "per_client")
        }
        | {
            "per_client": {
                client_id: {
                    name: _approximately(value)
                    for name, value in part.items()
                    if name not in ("train_s", "evaluate_s")
                }
                for client_id, part in round_["per_client"].items()
            }
        }
        for round_ in rounds
    ]


def _approximately(value: Any) -> Any:
    return pytest.approx(value, rel=1e-4) if isinstance(value, float) else value


@pytest.fixture
def no_tracebacks(api: Api) -> Iterator[None]:
    """Whatever a client does is told in words."""
    before = api.get("/status")["seq"]
    yield
    said = [entry for entry in api.logs(source="server") if entry["seq"] > before]
    assert [entry for entry in said if entry["traceback"]] == []


@pytest.fixture
def bad(lasting_server: ForkedServer, api: Api) -> Iterator[RawClient]:
    """A client that does what the test says."""
    with RawClient(lasting_server.home) as link:
        link.hello("bad")
        yield link
        api.end_all_runs()
    api.wait_for_client("bad", "lost")


@pytest.fixture
def good(clients: Clients, api: Api) -> Iterator[None]:
    """A real client."""
    clients.start("good")
    api.wait_for_client("good", "idle")
    yield
    api.end_all_runs()
    clients.end("good")
    api.wait_for_client("good", "lost")


def completed_round(api: Api, run_id: str, number: int = 1) -> Json:
    """A round of a run, which completes."""
    api.wait_for_run(run_id, "completed", timeout_s=150.0)
    return api.rounds(run_id)[number]


def said_since(api: Api, seq: int) -> list[str]:
    """What the server has said after event `seq`."""
    return [entry["message"] for entry in api.logs(source="server") if entry["seq"] > seq]


def read_message(link: RawClient) -> tuple[str, Message]:
    """The next message and its id."""
    message_id, payload = link.read_task()
    return message_id, decode(payload)


def require_the_only_run(api: Api, run_id: str) -> None:
    """No other run was made of it."""
    assert [run["id"] for run in api.get("/runs")["runs"]] == [run_id]
