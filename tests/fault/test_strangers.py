"""Thousands of connections to the link by nobody in particular: they are turned away, and clients get in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from shared.address import Address, parse_address
from tests.conftest import Clients, StartServer
from tests.fault.conftest import said_since
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.memory import PeakMemory
from tests.support.strangers import KINDS, Polite, connected, crowd, wait_until_turned_away
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("no_tracebacks")

PATIENCE_S = 40.0
"""The server has 10 s for each, and the machine other things to do."""

SPEC = {"model": "linear", "num_rounds": 3, "min_clients": 2}


@pytest.fixture
def address(lasting_server: ForkedServer) -> Address:
    return parse_address(lasting_server.link)


def turned_away(api: Api) -> int:
    """How many connections to the link, since they said nothing."""
    refused = api.get("/status")["refused"]
    return sum(refused.get(code, 0) for code in ("link-silent", "link-crowd"))


@contextmanager
def flood(address: Address) -> Iterator[list[int]]:
    """New connections that say nothing, as fast as one thread can make them; how many there were."""
    is_over = threading.Event()
    opened = [0]

    def work() -> None:
        connections = []
        while not is_over.is_set():
            with suppress(OSError):
                connections.append(connected(address))
                opened[0] += 1
            if len(connections) > 2_000:
                connections.pop(0).close()
        for connection in connections:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield opened
    finally:
        is_over.set()
        thread.join()


def test_whoever_does_not_say_who_they_are_is_turned_away_however_far_they_come(address: Address) -> None:
    with crowd(address, **dict.fromkeys(KINDS, 3)) as connections:
        assert len(connections) == 3 * len(KINDS)
        wait_until_turned_away(connections, PATIENCE_S)


def test_whoever_keeps_all_rules_of_http_and_says_nothing_is_turned_away_and_that_is_said(
    address: Address, api: Api
) -> None:
    seq, before = api.get("/status")["seq"], turned_away(api)
    strangers = [Polite(address) for _ in range(3)]

    wait_until(
        lambda: not [stranger for stranger in strangers if stranger.is_open()],
        "the server has turned all of them away",
        PATIENCE_S,
    )

    assert turned_away(api) >= before + len(strangers)
    wait_until(
        lambda: [line for line in said_since(api, seq) if "did not say" in line],
        "it is said",
        PATIENCE_S,
    )


def test_two_thousand_of_them_take_no_memory_and_clients_train_meanwhile(
    address: Address, lasting_server: ForkedServer, clients: Clients, api: Api
) -> None:
    clients.start("there-before")
    api.wait_for_client("there-before", "idle")
    connected_at = api.clients()["there-before"]["connected_at"]
    memory, before = PeakMemory(lasting_server.pid), turned_away(api)

    with crowd(
        address, silent=1_200, half_a_handshake=200, TLS_alone=200, no_frame=200, half_a_hello=200
    ) as connections:
        clients.start("comes-now")
        api.wait_for_client("comes-now", "idle")
        run_id = api.start(**SPEC)["id"]
        api.wait_for_run(run_id, "completed")
        wait_until_turned_away(connections, PATIENCE_S)

    assert api.clients()["there-before"]["connected_at"] == connected_at, "it was never disturbed"
    assert [round_["clients"] for round_ in api.rounds(run_id)[1:]] == [2, 2, 2]
    assert memory.grown_by < 300 << 20
    wait_until(lambda: turned_away(api) >= before + len(connections), "each is counted")


def test_while_they_come_without_end_a_client_gets_in_and_trains(
    address: Address, clients: Clients, api: Api
) -> None:
    before = api.get("/status")["seq"]
    with flood(address) as opened:
        wait_until(lambda: opened[0] > 2_000, "the flood is there")
        clients.start("first", "second")
        for client_id in ("first", "second"):
            api.wait_for_client(client_id, "idle")
        run_id = api.start(**SPEC)["id"]
        api.wait_for_run(run_id, "completed")

    def refused() -> list[str]:
        return [line for line in said_since(api, before) if line.startswith("refused")]

    wait_until(refused, "it is said", PATIENCE_S)
    assert len(refused()) < 30, "the log is not full of it"


def test_with_few_descriptors_the_page_and_the_store_keep_theirs(start_server: StartServer) -> None:
    server = start_server(before=("prlimit", "--nofile=160:160"))
    with closing(Api(server.url)) as api, crowd(parse_address(server.link), silent=1_000):
        run_id = api.start(num_rounds=1, min_clients=1)["id"]
        assert api.wait_for_reason(run_id, "waiting for 1 more client")
        assert api.get("/status")["store_problem"] is None
    assert "Traceback" not in server.output
