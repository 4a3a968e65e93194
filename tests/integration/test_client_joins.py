"""A client's command joins a link under the address that it is given, or says why not."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from flwr.clientapp import ClientApp

from app.federation.link.clients import ClientRegistry
from app.federation.link.spool import Spool
from client.built_in_app import BuiltInApp
from client.link import ClientIdentity, Link
from client.runtime import Runtime
from shared.security.server_identity import ServerIdentity
from tests.conftest import StartCommand
from tests.support.a_link import a_link
from tests.support.membership import member
from tests.support.tools import give_up
from tests.support.waiting import wait_until

Served = tuple[ClientRegistry, int]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[str], Served]]:
    """Starts a link on an address of this machine; returns who is there, and the port."""
    with ExitStack() as ending:

        def start(host: str) -> Served:
            identity = ServerIdentity.load_or_make(tmp_path)
            link, registry = a_link(identity, Spool(tmp_path / "spool"))
            ending.callback(link.stop, 0.0)
            port = link.start(host, 0)
            identity.invite(tmp_path, host, port)
            return registry, port

        yield start


@pytest.fixture
def ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        give_up("needs IPv6 on loopback")


@pytest.mark.usefixtures("ipv6")
@pytest.mark.parametrize(("listens", "joins"), [("::1", "[::1]"), ("::", "[::1]"), ("::", "127.0.0.1")])
def test_over_ipv6(
    serve: Callable[[str], Served], start_command: StartCommand, listens: str, joins: str
) -> None:
    registry, port = serve(listens)

    client = start_command("run_client.py", "--client-id", "a", "--server", f"{joins}:{port}")

    client.wait_for_output(re.escape(f"connected to the server at {joins}:{port}"))
    wait_until(lambda: registry.get("a"), "the client is there")


def test_a_name_that_is_no_utf_8_is_refused_in_words(
    serve: Callable[[str], Served], start_command: StartCommand
) -> None:
    _, port = serve("127.0.0.1")

    client = start_command("run_client.py", "--client-id", "B\udce4r", "--server", f"127.0.0.1:{port}")

    assert client.wait_for_exit(60) == 1
    assert "A client id has 1 to 64 letters, digits" in client.output
    assert "Traceback" not in client.output


def test_a_machine_whose_name_is_no_utf_8_is_shown_as_far_as_it_can_be(
    serve: Callable[[str], Served], tmp_path: Path
) -> None:
    registry, port = serve("127.0.0.1")
    identity = ClientIdentity("a", "digits", ("cnn",), "B\udce4r", "cpu")
    runtime = Runtime(BuiltInApp(ClientApp()), {}, threads=1)
    link = Link(member("a", f"127.0.0.1:{port}", tmp_path), identity, runtime, lambda _: None)

    async def serve_until_it_is_there() -> None:
        serving = asyncio.create_task(link.run())
        async with asyncio.timeout(10):
            while registry.get("a") is None:
                assert not serving.done(), serving.exception()
                await asyncio.sleep(0.01)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving

    asyncio.run(serve_until_it_is_there())

    assert registry.known("a").host == "B\ufffdr"
