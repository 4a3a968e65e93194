"""A client that has no way out but a proxy takes part as any other does, whatever becomes of the proxy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from shared.address import Address, parse_address
from shared.security.keys import KeyPair
from tests.conftest import StartCommand
from tests.support.api import Api
from tests.support.between import ManInTheMiddle
from tests.support.connect_proxy import ConnectProxy
from tests.support.forked_server import ForkedServer
from tests.support.namespaces import namespace
from tests.support.processes import Command
from tests.support.waiting import wait_until

FAR = Address("fl.example", 5050)
"""The server, to whoever is out there: a name that the proxy alone knows."""

LOGIN = "site:p@ss:word/1"
RUN = {"model": "linear", "num_rounds": 2, "min_clients": 1}


@pytest.fixture
def api(server: ForkedServer) -> Iterator[Api]:
    server.start()
    with closing(Api(server.url)) as api:
        yield api


@pytest.fixture
def target(api: Api, server: ForkedServer) -> Address:
    """Where the server really is: on loopback."""
    return parse_address(server.link)


def join_by(
    proxy: ConnectProxy,
    start_command: StartCommand,
    server: ForkedServer,
    tmp_path: Path,
    before: tuple[str, ...] = (),
) -> Command:
    """A client with a folder of its own that is invited to the server by its name."""
    text = str(replace(server.invitation, address=FAR))
    env = {"FEDLOOM_HOME": str(tmp_path / "far"), **proxy.environment}
    return start_command("run_client.py", "--client-id", "a", "--invite", text, env=env, before=before)


def test_it_takes_part_and_comes_back_when_the_proxy_does(
    api: Api, server: ForkedServer, target: Address, start_command: StartCommand, tmp_path: Path
) -> None:
    with namespace() as there:
        with ConnectProxy(target, host=there.gateway, login=LOGIN) as proxy:
            client = join_by(proxy, start_command, server, tmp_path, tuple(there.command()))
            api.wait_for_client("a", "idle")
            run_id = api.start(**{**RUN, "num_rounds": 100})["id"]
            api.wait_for_round(run_id, 1)
        api.wait_for_client("a", "lost")
        client.wait_for_output(f"no connection to {FAR}: The proxy at {proxy.address} cannot be reached")

        with ConnectProxy(target, proxy.address.port, there.gateway, LOGIN) as again:
            api.wait_for_run(run_id, "completed", timeout_s=120)
            client.end()

    assert {*proxy.asked, *again.asked} == {str(FAR)}
    assert client.count(f"goes to {FAR} by the proxy at {proxy.address}, which https_proxy names") == 1
    assert client.count("connected to the server") == 2
    assert "p@ss" not in client.output
    assert "p%40ss" not in client.output
    assert "Traceback" not in client.output


def test_one_that_opens_tls_is_told_nothing(
    api: Api,
    server: ForkedServer,
    target: Address,
    start_command: StartCommand,
    other: KeyPair,
    tmp_path: Path,
) -> None:
    with ManInTheMiddle(target, other, tmp_path) as man, ConnectProxy(man.address) as proxy:
        client = join_by(proxy, start_command, server, tmp_path)
        said = client.wait_for_output(r"no connection to \S+: (The server at .*)")[1]
        assert "has another key than the one in the invitation" in said
        assert (
            f"the proxy at {proxy.address}: if that opens TLS, to look into it, have {FAR} excepted" in said
        )
        wait_until(lambda: man.connections >= 3, "it goes on trying")
        assert bytes(man.heard) == b"", "not a byte, and so neither the token nor who asks"
        assert client.count("has another key") == 1, "and says so once"

    with ConnectProxy(target, proxy.address.port):
        client.wait_for_output("connected to the server")
        api.wait_for_run(api.start(**RUN)["id"], "completed")
    assert "Traceback" not in client.output


def test_one_that_refuses_is_asked_again_until_it_does_not(
    api: Api, server: ForkedServer, target: Address, start_command: StartCommand, tmp_path: Path
) -> None:
    with ConnectProxy(target, refusal="403 Forbidden") as proxy:
        client = join_by(proxy, start_command, server, tmp_path)
        client.wait_for_output(f"does not let connections to {FAR} pass .403 Forbidden.")
        wait_until(lambda: len(proxy.asked) >= 3, "it goes on trying")
        assert client.count("403 Forbidden") == 1, "and says so once"

        proxy.refusal = ""
        api.wait_for_client("a", "idle")
    assert "Traceback" not in client.output


def test_one_that_is_named_wrongly_ends_the_client_in_words(start_command: StartCommand) -> None:
    client = start_command(
        "run_client.py",
        *("--client-id", "a", "--server", str(FAR)),
        env={"https_proxy": "https://site:secret@proxy.example:3128", "no_proxy": ""},
    )

    assert client.wait_for_exit(60) == 1
    assert "https_proxy names a proxy by https://" in client.output
    assert "secret" not in client.output
