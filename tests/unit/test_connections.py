"""Connections give way to each other before the process has no descriptor left."""

from __future__ import annotations

import errno
import logging
import resource
import socket
from typing import cast

import pytest

from app.descriptors import raise_descriptor_limit
from app.web.connections import FULL, MOST, Connections, end_below_tls


class Fake:
    """A connection with a number of its own."""

    def __init__(self, number: int, host: str = "192.0.2.1") -> None:
        self._number = number
        self._host = host
        self.said = b""
        self.ended = False

    def fileno(self) -> int:
        return self._number

    def getpeername(self) -> tuple[str, int]:
        return self._host, 1

    def send(self, data: bytes, /) -> int:
        self.said += data
        return len(data)

    def end(self) -> None:
        self.ended = True


def of(limit: int | None, per_connection: int = 1) -> Connections:
    """Connections of a process with this limit, which are ended as these here are."""
    return Connections(limit, per_connection, end=lambda connection: cast(Fake, connection).end())


def filled(connections: Connections, numbers: range) -> list[Fake]:
    fakes = [Fake(number) for number in numbers]
    assert all(connections.admit(fake) for fake in fakes)
    return fakes


def test_while_there_is_room_nobody_has_to_go() -> None:
    connections = of(limit=400)

    assert not any(fake.ended for fake in filled(connections, range(10, 336)))


def test_close_to_the_limit_the_oldest_goes_that_is_not_kept() -> None:
    connections = of(limit=400)
    first, second, *_ = filled(connections, range(10, 336))
    connections.keep(first)
    connections.release(first)
    newcomer = Fake(336)

    assert connections.admit(newcomer)

    assert (second.ended, first.ended, newcomer.ended) == (True, False, False)
    assert connections.refused() == {"page-gave-way": 1}


def test_one_that_is_kept_does_not_go_however_many_come() -> None:
    connections = of(limit=400)
    first, *_ = filled(connections, range(10, 336))
    connections.keep(first)

    for _ in range(1_000):
        newcomer = Fake(336)
        assert connections.admit(newcomer)
        connections.remove(newcomer)

    assert not first.ended


def test_who_opens_many_from_one_address_loses_their_own() -> None:
    connections = of(limit=400)
    honest = Fake(10, "192.0.2.2")
    assert connections.admit(honest)
    many = filled(connections, range(11, 336))

    for _ in range(200):
        newcomer = Fake(336)
        assert connections.admit(newcomer)
        connections.remove(next(fake for fake in many if fake.ended))
        many = [fake for fake in many if not fake.ended] + [newcomer]

    assert not honest.ended


def test_from_as_many_addresses_as_there_are_connections_the_oldest_goes() -> None:
    connections = of(limit=400)
    fakes = [Fake(number, f"2001:db8:0:{number:x}::1") for number in range(10, 336)]
    assert all(connections.admit(fake) for fake in fakes)

    assert connections.admit(Fake(336, "192.0.2.1"))

    assert [fake.ended for fake in fakes[:2]] == [True, False]


def test_a_site_with_many_addresses_of_ipv6_counts_as_one() -> None:
    connections = of(limit=400)
    honest = Fake(10, "2001:db8:0:1::1")
    assert connections.admit(honest)
    site = [Fake(number, f"2001:db8:0:2::{number:x}") for number in range(11, 336)]
    assert all(connections.admit(fake) for fake in site)

    assert connections.admit(Fake(336))

    assert (honest.ended, site[0].ended) == (False, True)


def test_those_that_are_going_already_are_counted() -> None:
    connections = of(limit=400)
    idle = filled(connections, range(10, 336))

    assert connections.admit(Fake(340))
    assert sum(fake.ended for fake in idle) == 5
    assert connections.admit(Fake(341))

    assert sum(fake.ended for fake in idle) == 6
    for fake in idle[:6]:
        connections.remove(fake)
        connections.release(fake)
    assert connections.admit(Fake(336)), "and one that was ended does not come back"


def test_where_all_are_kept_the_newcomer_is_told_to_come_again() -> None:
    connections = of(limit=400)
    for fake in filled(connections, range(10, 336)):
        connections.keep(fake)
    newcomer = Fake(336)

    assert not connections.admit(newcomer)

    assert newcomer.said == FULL
    assert connections.refused() == {"page-turned-away": 1}


def test_where_connections_need_more_than_one_descriptor_there_are_fewer() -> None:
    connections = of(limit=400, per_connection=2)
    taken = filled(connections, range(10, 172))

    assert not any(fake.ended for fake in taken)
    filled(connections, range(172, 180))
    assert any(fake.ended for fake in taken)


@pytest.mark.parametrize("limit", [None, 10**6])
def test_there_is_a_most_whatever_the_limit(limit: int | None) -> None:
    connections = of(limit)
    idle = filled(connections, range(10, 10 + MOST))

    assert connections.admit(Fake(10 + MOST))

    assert [fake.ended for fake in idle[:2]] == [True, False]


def test_what_goes_wrong_again_and_again_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    connections = of(limit=4_000)
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            connections.failed(OSError(errno.EMFILE, "Too many open files"))
            connections.failed(RuntimeError("can't start new thread"))

    assert len(caplog.records) == 1


def test_a_low_limit_is_told_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        of(limit=256)
        of(limit=65_536)

    assert [record.args for record in caplog.records] == [(256,)]


def test_the_limit_is_raised_as_far_as_the_system_allows() -> None:
    before = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        limit = raise_descriptor_limit()
        assert limit == min(hard, 65_536)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (limit, hard)
        assert raise_descriptor_limit() == limit
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_who_serves_a_connection_sees_that_it_was_ended() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        end_below_tls(ours)
        assert (ours.recv(1), theirs.recv(1)) == (b"", b"")
    end_below_tls(ours)  # which has been closed meanwhile
