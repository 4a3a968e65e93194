"""A client that meets something at the address which is no FedLoom server keeps trying, and says why."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from flwr.clientapp import ClientApp

import client.link
import client.outage
from client.built_in_app import BuiltInApp
from client.link import ClientIdentity, Link
from client.runtime import Runtime
from shared.security.server_identity import ServerIdentity
from tests.support.membership import member
from tests.support.processes import ServerProcess

HINT = "`python -m client.doctor` with the same flags says what this machine lacks to join"
"""What a client says once that has never had a connection."""


@pytest.fixture
def invited(tmp_path: Path) -> Path:
    """The folder of a server that has invited whoever finds it."""
    ServerIdentity.load_or_make(tmp_path).invite(tmp_path, "127.0.0.1", 1)
    return tmp_path


def said_by_a_client(
    address: str, caplog: pytest.LogCaptureFixture, enough: Callable[[], bool], home: Path
) -> list[str]:
    """The client's log lines, once `enough` holds; it is invited by a server whose folder this is."""
    runtime = Runtime(BuiltInApp(ClientApp()), {}, threads=1)
    link = Link(
        member("a", address, home),
        ClientIdentity("a", "digits", ("cnn",), "here", "cpu"),
        runtime,
        lambda _: None,
    )

    async def serve() -> None:
        serving = asyncio.create_task(link.run())
        async with asyncio.timeout(20):
            while not enough():
                assert not serving.done(), serving.exception()
                await asyncio.sleep(0.02)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    caplog.set_level("INFO", logger="client.outage")
    asyncio.run(serve())
    return [record.getMessage() for record in caplog.records if record.name == "client.outage"]


def test_one_that_accepts_but_says_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, invited: Path
) -> None:
    monkeypatch.setattr(client.link, "CONNECT_TIMEOUT_S", 0.5)
    accepted: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]

        def two_tries() -> bool:
            with contextlib.suppress(BlockingIOError):
                accepted.append(listener.accept()[0])
            return len(accepted) >= 3

        lines = said_by_a_client(f"127.0.0.1:{port}", caplog, two_tries, invited)
    for connection in accepted:
        connection.close()

    assert len(lines) == 2
    assert lines[1] == HINT
    assert lines[0].startswith(f"no connection to 127.0.0.1:{port}: it ")
    assert lines[0].endswith("Trying again until there is one.")


def test_one_that_is_not_there(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, invited: Path
) -> None:
    tries: list[float] = []
    next_delay = client.outage.Outage.next_delay

    def counted(outage: client.outage.Outage) -> float:
        tries.append(next_delay(outage))
        return 0.01

    monkeypatch.setattr(client.outage.Outage, "next_delay", counted)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    lines = said_by_a_client(f"127.0.0.1:{port}", caplog, lambda: len(tries) >= 5, invited)

    assert lines == [
        f"no connection to 127.0.0.1:{port}: nothing listens there. Trying again until there is one.",
        HINT,
    ]


def test_one_that_speaks_http(caplog: pytest.LogCaptureFixture, session_server: ServerProcess) -> None:
    """The port of the page in place of that for clients: the likeliest mistake."""
    port = session_server.port

    lines = said_by_a_client(f"127.0.0.1:{port}", caplog, lambda: bool(caplog.records), session_server.home)

    assert lines[0].startswith(f"no connection to 127.0.0.1:{port}: ")
    assert f"FedLoom's page is there; clients connect to port {session_server.link_port}" in lines[0]
    assert f"--server {session_server.link}" in lines[0]


def test_a_client_that_is_told_to_end_between_two_tries_does(
    monkeypatch: pytest.MonkeyPatch, invited: Path
) -> None:
    """However the moment falls: it once could swallow the cancellation and try for ever."""
    monkeypatch.setattr(client.outage.Outage, "next_delay", lambda _: 0.001)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    async def ends(after_s: float) -> bool:
        identity = ClientIdentity("a", "digits", ("cnn",), "here", "cpu")
        runtime = Runtime(BuiltInApp(ClientApp()), {}, threads=1)
        membership = member("a", f"127.0.0.1:{port}", invited)
        serving = asyncio.create_task(Link(membership, identity, runtime, lambda _: None).run())
        await asyncio.sleep(after_s)
        serving.cancel()
        done, _ = await asyncio.wait([serving], timeout=10)
        return bool(done)

    async def many() -> list[bool]:
        return [await ends(number / 5_000) for number in range(100)]

    assert all(asyncio.run(many()))
