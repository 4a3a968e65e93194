"""Connections to the link of which nobody knows whose they are: how long, and how many of them."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.federation.link.arrivals import HELLO_TIMEOUT_S, LONG_S, MOST_CONNECTIONS, Arrivals, most_connections
from app.federation.link.peers import OpenConnection, Peer, connections_to


def from_(host: str, *ports: int) -> list[OpenConnection]:
    """Connections from an address; the port stands for all that tells them apart."""
    return [OpenConnection(port, port, Peer(host, port)) for port in ports]


class TestArrivals:
    def test_one_that_says_nothing_goes_when_its_time_is_over(self) -> None:
        arrivals, there = Arrivals(), from_("10.0.0.1", 1)

        assert arrivals.unwelcome(there, 100.0) == ([], [])
        assert arrivals.unwelcome(there, 100.0 + HELLO_TIMEOUT_S) == ([], [])
        assert arrivals.unwelcome(there, 100.1 + HELLO_TIMEOUT_S) == (there, [])
        assert arrivals.unwelcome(there, 101.0 + HELLO_TIMEOUT_S) == ([], []), "it is told once"

    def test_who_leaves_after_long_without_a_word_is_told_once_and_who_leaves_at_once_is_not(self) -> None:
        arrivals, there = Arrivals(), from_("10.0.0.1", 1, 2)
        guest, brief = from_("10.0.0.2", 3), from_("10.0.0.3", 4)
        arrivals.unwelcome(there + guest, 0.0)
        arrivals.admit(guest[0].peer)
        arrivals.unwelcome(there + guest + brief, LONG_S)

        assert arrivals.left(there + guest + brief, LONG_S + 1) == []
        assert arrivals.left(there[:1], LONG_S + 1) == [there[1].peer]
        arrivals.unwelcome(there[:1], LONG_S + 1)
        assert arrivals.left(there[:1], LONG_S + 2) == []

    def test_who_was_told_to_go_does_not_count_again_when_they_have_gone(self) -> None:
        arrivals, there = Arrivals(), from_("10.0.0.1", 1)
        arrivals.unwelcome(there, 0.0)
        arrivals.unwelcome(there, HELLO_TIMEOUT_S + 1)

        assert arrivals.left([], HELLO_TIMEOUT_S + 2) == []

    def test_a_client_that_is_in_stays(self) -> None:
        arrivals, there = Arrivals(), from_("10.0.0.1", 1, 2)
        arrivals.unwelcome(there, 0.0)
        arrivals.admit(there[0].peer)

        assert arrivals.unwelcome(there, 1_000.0) == ([there[1]], [])

    def test_whoever_comes_from_the_port_of_one_that_left_is_no_client(self) -> None:
        arrivals = Arrivals()
        arrivals.admit(Peer("10.0.0.1", 1))
        arrivals.forget(Peer("10.0.0.1", 1))
        again = from_("10.0.0.1", 1)

        arrivals.unwelcome(again, 0.0)

        assert arrivals.unwelcome(again, 1_000.0) == (again, [])

    def test_another_connection_with_the_same_descriptor_begins_anew(self) -> None:
        arrivals = Arrivals()
        arrivals.unwelcome([OpenConnection(7, 70, Peer("10.0.0.1", 1))], 0.0)
        later = [OpenConnection(7, 71, Peer("10.0.0.1", 2))]

        assert arrivals.unwelcome(later, HELLO_TIMEOUT_S + 1) == ([], [])

    def test_of_too_many_from_one_address_the_oldest_go_and_others_are_left_alone(self) -> None:
        arrivals = Arrivals(most_of_one=2)
        old, new = from_("10.0.0.1", 1, 2), from_("10.0.0.1", 3, 4)
        others = from_("10.0.0.2", 5, 6)
        arrivals.unwelcome(old + others, 0.0)

        silent, too_many = arrivals.unwelcome(old + others + new, 1.0)

        assert silent == []
        assert too_many == old

    def test_clients_that_are_in_do_not_count(self) -> None:
        """A hundred of them behind one router."""
        arrivals = Arrivals(most_of_one=2)
        inside = from_("10.0.0.1", *range(1, 101))
        for connection in inside:
            arrivals.admit(connection.peer)

        assert arrivals.unwelcome(inside + from_("10.0.0.1", 200, 201), 0.0) == ([], [])

    def test_a_site_with_many_addresses_of_ipv6_counts_as_one(self) -> None:
        arrivals = Arrivals(most_of_one=2)
        theirs = [OpenConnection(n, n, Peer(f"2001:db8::{n}", n)) for n in range(1, 6)]
        elsewhere = [OpenConnection(9, 9, Peer("2001:db8:0:1::1", 9))]

        _, too_many = arrivals.unwelcome(theirs + elsewhere, 0.0)

        assert len(too_many) == 3
        assert elsewhere[0] not in too_many

    def test_there_are_only_so_many_in_all(self) -> None:
        arrivals = Arrivals(most=3)
        there = [from_(f"10.0.0.{n}", n)[0] for n in range(1, 6)]
        too_many = [arrivals.unwelcome(there[: moment + 1], float(moment))[1] for moment in range(5)]

        assert too_many == [[], [], [], there[:1], there[1:2]]


@pytest.mark.parametrize(
    ("limit", "most"), [(None, MOST_CONNECTIONS), (1 << 20, MOST_CONNECTIONS), (1_024, 480), (64, 24)]
)
def test_the_page_and_the_database_always_have_descriptors_left(limit: int | None, most: int) -> None:
    assert most_connections(limit) == most


class TestPeers:
    @pytest.mark.parametrize(
        ("told", "peer"),
        [
            ("ipv4:127.0.0.1:5050", Peer("127.0.0.1", 5050)),
            ("ipv6:%5B::1%5D:5050", Peer("::1", 5050)),
            ("ipv6:[::1]:5050", Peer("::1", 5050)),
            ("ipv6:%5B::ffff:10.0.0.1%5D:5050", Peer("10.0.0.1", 5050)),
            ("ipv6:%5Bfe80::1%25eth0%5D:5050", Peer("fe80::1", 5050)),
            ("unix:", Peer("", 0)),
        ],
    )
    def test_grpc_tells_it_in_its_own_way(self, told: str, peer: Peer) -> None:
        assert Peer.of_call(told) == peer

    @given(st.text(max_size=60))
    def test_whatever_it_tells_is_a_peer(self, told: str) -> None:
        assert Peer.of_call(told).network is not None

    def test_the_system_tells_who_is_connected_and_the_link_can_end_it(self) -> None:
        with ExitStack() as ending, socket.create_server(("127.0.0.1", 0)) as listener:
            here = listener.getsockname()
            theirs = [ending.enter_context(socket.create_connection(here, 5.0)) for _ in range(3)]
            ours = [ending.enter_context(listener.accept()[0]) for _ in range(3)]

            found = connections_to(here[1], {})

            assert {connection.descriptor for connection in found.values()} == {s.fileno() for s in ours}
            peers = {connection.peer.port: connection for connection in found.values()}
            assert peers.keys() == {connection.getsockname()[1] for connection in theirs}

            peers[theirs[1].getsockname()[1]].end()
            assert theirs[1].recv(1) == b""
            theirs[0].sendall(b"x")
            assert ours[0].recv(1) == b"x", "the others go on"
            for connection in ours:
                connection.close()
            assert connections_to(here[1], found) == {}

    def test_a_descriptor_that_is_another_connection_by_now_is_left_alone(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname(), 5.0) as theirs,
            listener.accept()[0] as ours,
        ):
            OpenConnection(ours.fileno(), 1, Peer("127.0.0.1", 1)).end()

            ours.sendall(b"x")
            assert theirs.recv(1) == b"x"
