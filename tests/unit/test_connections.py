"""Connections give way to each other before the process has no descriptor left."""

from __future__ import annotations

import errno
import logging
import resource
import socket

import pytest

from app.descriptors import raise_descriptor_limit
from app.web.connections import FULL, MOST, Connections


class Fake:
    """A connection with a number of its own."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.said = b""
        self.ended = False

    def fileno(self) -> int:
        return self._number

    def send(self, data: bytes, /) -> int:
        self.said += data
        return len(data)

    def shutdown(self, how: int, /) -> None:
        assert how == socket.SHUT_RDWR
        self.ended = True


def filled(connections: Connections, numbers: range) -> list[Fake]:
    fakes = [Fake(number) for number in numbers]
    assert all(connections.admit(fake) for fake in fakes)
    return fakes


def test_while_there_is_room_nobody_has_to_go() -> None:
    connections = Connections(limit=400)

    assert not any(fake.ended for fake in filled(connections, range(10, 336)))


def test_close_to_the_limit_the_one_that_is_idle_for_longest_goes() -> None:
    connections = Connections(limit=400)
    first, second, *_ = filled(connections, range(10, 336))
    connections.busy(first)
    connections.idle(first)
    newcomer = Fake(336)

    assert connections.admit(newcomer)

    assert (second.ended, first.ended, newcomer.ended) == (True, False, False)


def test_those_that_are_going_already_are_counted() -> None:
    connections = Connections(limit=400)
    idle = filled(connections, range(10, 336))

    assert connections.admit(Fake(340))
    assert sum(fake.ended for fake in idle) == 5
    assert connections.admit(Fake(341))

    assert sum(fake.ended for fake in idle) == 6
    for fake in idle[:6]:
        connections.remove(fake)
        connections.idle(fake)
    assert connections.admit(Fake(336)), "and one that was ended does not come back"


def test_without_an_idle_one_the_newcomer_is_told_to_come_again() -> None:
    connections = Connections(limit=400)
    for fake in filled(connections, range(10, 336)):
        connections.busy(fake)
    newcomer = Fake(336)

    assert not connections.admit(newcomer)

    assert newcomer.said == FULL


def test_where_connections_need_more_than_one_descriptor_there_are_fewer() -> None:
    connections = Connections(limit=400, per_connection=2)
    taken = filled(connections, range(10, 172))

    assert not any(fake.ended for fake in taken)
    filled(connections, range(172, 180))
    assert any(fake.ended for fake in taken)


@pytest.mark.parametrize("limit", [None, 10**6])
def test_there_is_a_most_whatever_the_limit(limit: int | None) -> None:
    connections = Connections(limit)
    idle = filled(connections, range(10, 10 + MOST))

    assert connections.admit(Fake(10 + MOST))

    assert [fake.ended for fake in idle[:2]] == [True, False]


def test_what_goes_wrong_again_and_again_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    connections = Connections(limit=4_000)
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            connections.failed(OSError(errno.EMFILE, "Too many open files"))
            connections.failed(RuntimeError("can't start new thread"))

    assert len(caplog.records) == 1


def test_a_low_limit_is_told_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Connections(limit=256)
        Connections(limit=65_536)

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
