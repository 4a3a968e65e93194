"""Somebody between a client and its server: he learns nothing, changes nothing, and is told apart."""

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
from tests.support.between import Between, ManInTheMiddle
from tests.support.forked_server import ForkedServer
from tests.support.processes import Command
from tests.support.waiting import wait_until

RUN = {"model": "linear", "num_rounds": 2, "min_clients": 1}


@pytest.fixture
def api(server: ForkedServer) -> Iterator[Api]:
    server.start()
    with closing(Api(server.url)) as api:
        yield api


@pytest.fixture
def target(api: Api, server: ForkedServer) -> Address:
    """Where the server really is."""
    return parse_address(server.link)


def join_by(start_command: StartCommand, server: ForkedServer, address: Address, home: Path) -> Command:
    """A client with a folder of its own that is invited, and looks for the server at this address."""
    text = str(replace(server.invitation, address=address))
    return start_command(
        "run_client.py", "--client-id", "a", "--invite", text, env={"FEDLOOM_HOME": str(home / "far")}
    )


def test_who_passes_everything_on_does_no_harm(
    api: Api, server: ForkedServer, target: Address, start_command: StartCommand, tmp_path: Path
) -> None:
    with Between(target) as between:
        join_by(start_command, server, between.address, tmp_path)
        api.wait_for_client("a", "idle")
        run_id = api.start(**RUN)["id"]
        api.wait_for_run(run_id, "completed")


def test_who_has_a_certificate_of_his_own_is_told_nothing_until_the_real_server_is_there(
    api: Api,
    server: ForkedServer,
    target: Address,
    start_command: StartCommand,
    other: KeyPair,
    tmp_path: Path,
) -> None:
    with ManInTheMiddle(target, other, tmp_path) as man:
        client = join_by(start_command, server, man.address, tmp_path)
        said = client.wait_for_output(r"no connection to \S+: (The server at .*)")[1]
        assert "has another key than the one in the invitation" in said
        assert "somebody is between" in said
        assert str(other.public.id) in said
        wait_until(lambda: man.connections >= 3, "it goes on trying")
        assert bytes(man.heard) == b"", "not a byte, and so neither the token nor who asks"
        assert client.count("has another key") == 1, "and says so once"

    with Between(target, man.address.port):
        client.wait_for_output("connected to the server")
        api.wait_for_client("a", "idle")
        api.wait_for_run(api.start(**RUN)["id"], "completed")
    assert "Traceback" not in client.output


def test_who_lets_the_first_look_at_the_certificate_pass_is_told_nothing_either(
    api: Api,
    server: ForkedServer,
    target: Address,
    start_command: StartCommand,
    other: KeyPair,
    tmp_path: Path,
) -> None:
    with ManInTheMiddle(target, other, tmp_path, trusty=1) as man:
        client = join_by(start_command, server, man.address, tmp_path)
        client.wait_for_output("has another certificate than a moment ago")
        wait_until(lambda: man.connections >= 5, "it goes on trying")
        assert bytes(man.heard) == b""
        assert "a" not in api.clients()

    with Between(target, man.address.port):
        client.wait_for_output("connected to the server")


def test_who_cuts_the_connection_in_a_round_costs_nothing_but_time(
    api: Api, server: ForkedServer, target: Address, start_command: StartCommand, tmp_path: Path
) -> None:
    with Between(target) as between:
        client = join_by(start_command, server, between.address, tmp_path)
        api.wait_for_client("a", "idle")
        run_id = api.start(**{**RUN, "num_rounds": 100})["id"]
        api.wait_for_round(run_id, 1)
    api.wait_for_client("a", "lost")

    with Between(target, between.address.port):
        api.wait_for_client("a", "training", "evaluating", "idle")
        api.wait_for_run(run_id, "completed")
    assert "Traceback" not in client.output
