"""The page and the link on other addresses than 127.0.0.1, asked for real."""

from __future__ import annotations

import shlex
import socket
from contextlib import closing

import httpx
import pytest

from tests.conftest import StartCommand, StartServer
from tests.support.api import Api
from tests.support.page import Page
from tests.support.people import administrator
from tests.support.processes import ServerProcess
from tests.support.tools import give_up

MODES = ["eventlet", "threading"]


@pytest.fixture(autouse=True)
def _ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        give_up("needs the loopback address of IPv6: the server listens there")


def asked(server: ServerProcess, host: str, **headers: str) -> int:
    """The status that is answered at an address."""
    url = f"http://{host}:{server.port}/api/v1/status"
    return httpx.get(url, headers=headers, trust_env=False, timeout=20).status_code


@pytest.mark.parametrize("mode", MODES)
def test_on_the_loopback_of_ipv6_all_is_as_on_the_other(
    start_server: StartServer, start_command: StartCommand, mode: str
) -> None:
    server = start_server("--host", "::1", "--async-mode", mode)
    url = f"http://[::1]:{server.port}"

    assert f"FedLoom is ready at {url} " in server.output
    assert "there is no login yet" not in server.output
    with pytest.raises(httpx.ConnectError):
        asked(server, "127.0.0.1")
    assert asked(server, "[::1]") == 200
    assert asked(server, "[::1]", Origin=url) == 200
    assert asked(server, "[::1]", Host=f"localhost:{server.port}") == 200
    assert asked(server, "[::1]", Host="evil.example") == 403
    assert asked(server, "[::1]", Host=f"[::2]:{server.port}") == 403
    assert asked(server, "[::1]", Origin=f"http://[::1]:{server.port + 1}") == 403
    with Page(url) as page:
        assert page.snapshot()["status"]["link"] == {"host": "::1", "port": server.link_port}
    with closing(Api(url)) as api:
        join = shlex.split(api.get("/status")["join_command"])
        assert join[-2:] == ["--server", f"[::1]:{server.link_port}"]
        start_command(*join[1:])
        api.wait_for_client("client-1", "idle")


@pytest.mark.parametrize("mode", MODES)
def test_on_all_addresses_it_answers_at_each(start_server: StartServer, mode: str) -> None:
    server = start_server("--host", "::", "--async-mode", mode)

    assert f"FedLoom is ready at http://localhost:{server.port} " in server.output
    assert "The page can be reached from other machines by plain HTTP" in server.output
    assert asked(server, "[::1]") == 200
    assert asked(server, "127.0.0.1") == 200
    with administrator(server) as http:
        command: str = http.get("/api/v1/status").json()["join_command"]
    assert command.endswith(f" --server <this-host>:{server.link_port}")


def test_a_name_is_an_address_too(start_server: StartServer) -> None:
    server = start_server("--host", "localhost")

    assert f"FedLoom is ready at http://localhost:{server.port} " in server.output
    assert asked(server, "localhost") == 200


def test_another_loopback_address_is_named_as_it_is(start_server: StartServer) -> None:
    server = start_server("--host", "127.0.0.2")

    assert f"FedLoom is ready at http://127.0.0.2:{server.port} " in server.output
    with closing(Api(f"http://127.0.0.2:{server.port}")) as api:
        assert api.get("/status")["join_command"].endswith(f" --server 127.0.0.2:{server.link_port}")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("host", ["nowhere.invalid", "2001:db8::1", "a..b", "[::1]"])
def test_an_address_that_cannot_be_had_is_named(start_command: StartCommand, host: str, mode: str) -> None:
    command = start_command("run_server.py", "--host", host, "--port", "5999", "--async-mode", mode)

    assert command.wait_for_exit(60) == 1
    shown = "[2001:db8::1]" if ":" in host and not host.startswith("[") else host
    assert f"error: The page cannot be served on {shown}:5999: " in command.output
    assert "Check --host and --port." in command.output
    assert "Traceback" not in command.output
