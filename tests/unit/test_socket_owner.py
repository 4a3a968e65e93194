"""Which user a loopback connection is of: by both ways to ask the kernel, and never by one that is over."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_address

import pytest

from app.auth import socket_owner
from app.auth.peer import Peer
from app.auth.socket_owner import End, is_known_here, owner_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(not is_known_here(), reason="needs Linux, which tells whose a connection is")

WAYS = {"netlink": socket_owner._by_netlink, "table": socket_owner._by_table}


@pytest.fixture(params=["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def connection(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """The client's socket and the server's. The last is an IPv6 socket with an IPv4 address in it."""
    host = request.param
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as closing:
        listener = closing.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == "::ffff:127.0.0.1":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((host, 0))
        listener.listen()
        client = closing.enter_context(socket.socket(family))
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        closing.enter_context(server)
        yield client, server


def ends(server: socket.socket) -> tuple[End, End]:
    """As the server sees them: theirs, and its own."""
    return End.of(server.getpeername()), End.of(server.getsockname())


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_of_this_process_is_of_this_user(
    connection: tuple[socket.socket, socket.socket], way: str
) -> None:
    assert WAYS[way](*ends(connection[1])) == os.geteuid()


@pytest.mark.parametrize("way", WAYS)
def test_half_closed_it_still_is(connection: tuple[socket.socket, socket.socket], way: str) -> None:
    client, server = connection
    client.shutdown(socket.SHUT_WR)
    server.recv(1)

    assert WAYS[way](*ends(server)) == os.geteuid()


@pytest.mark.parametrize("way", WAYS)
def test_one_that_was_closed_is_of_nobody_not_even_of_root(
    connection: tuple[socket.socket, socket.socket], way: str
) -> None:
    client, server = connection
    of_both = ends(server)
    client.close()
    server.recv(1)

    assert WAYS[way](*of_both) is None  # the kernel calls it root's
    server.close()
    assert WAYS[way](*of_both) is None  # it lingers for a minute


def bound(to_bind: socket.socket, name: tuple[str, int]) -> bool:
    try:
        to_bind.bind(name)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def test_who_takes_the_port_of_one_that_was_reset_is_not_who_sent_what_is_read(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    """Its request can still be read when another process has the same addresses already."""
    client, server = connection
    peer = Peer(server)
    before = peer._ends()
    client.sendall(b"request")
    name, to = client.getsockname(), client.getpeername()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    with socket.socket(client.family) as another:
        another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wait_until(lambda: bound(another, name), "nobody else's connection has that port")
        another.connect(to)
        assert server.recv(7) == b"request"
        assert before is not None
        assert owner_of(*before) == os.geteuid()  # of the other connection

        assert peer.uid is None


def test_it_is_asked_once_for_a_connection(
    connection: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = Peer(connection[1])
    assert peer.uid == os.geteuid()
    monkeypatch.setattr("app.auth.peer.owner_of", lambda near, far: pytest.fail("asked again"))

    assert peer.uid == os.geteuid()


@pytest.mark.parametrize("way", WAYS)
def test_who_listens_on_the_port_is_not_who_is_connected(way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listening = End.of(listener.getsockname())

        assert WAYS[way](listening, End(ip_address("127.0.0.1"), 9)) is None


def test_no_connection_is_between_two_kinds_of_addresses() -> None:
    assert owner_of(End(ip_address("127.0.0.1"), 1), End(ip_address("::1"), 2)) is None


def test_who_has_no_number_in_a_container_is_nobody_in_particular(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_owner, "_by_netlink", lambda near, far: socket_owner.NOBODY)

    assert owner_of(End(ip_address("127.0.0.1"), 1), End(ip_address("127.0.0.1"), 2)) is None


def test_where_netlink_is_forbidden_the_table_is_read(
    connection: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(near: End, far: End) -> int | None:
        raise PermissionError

    monkeypatch.setattr(socket_owner, "_by_netlink", forbidden)

    assert owner_of(*ends(connection[1])) == os.geteuid()
