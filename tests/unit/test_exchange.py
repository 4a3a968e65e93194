"""Messages that were sent together: when they have been waited for long enough, and what is said of that."""

from __future__ import annotations

import pytest

from app.federation.grid.exchange import Exchange
from app.federation.runs import words
from app.records import WaitingFor
from tests.support.clock import Clock


class Told:
    """The patience of a run, and what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def deadline_s(self, kind: str) -> float | None:
        return 10.0

    def required(self, kind: str, asked: int, declined: int) -> int:
        return asked - declined

    def least(self, kind: str, asked: int, declined: int) -> int:
        return self.required(kind, asked, declined)

    def waits(self, waiting_for: WaitingFor) -> None:
        self.said.append(words.waiting(waiting_for))

    def goes_on(self) -> None:
        self.said.append("goes on")


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


@pytest.fixture
def exchange(told: Told, clock: Clock) -> Exchange:
    return Exchange(told, "train", ["m1", "m2"], timeout_s=None, held_s=5.0, clock=clock)


def test_each_time_it_is_said_what_an_exchange_waits_for(exchange: Exchange, told: Told) -> None:
    exchange.waits(["a"], ["a"])
    exchange.waits(["a"], ["a"])  # the run was paused meanwhile, which took the reason's place

    assert told.said == ["waiting for 2 more replies (0 of 2): a is lost"] * 2


def test_that_it_goes_on_is_said_once_and_only_after_it_has_waited(exchange: Exchange, told: Told) -> None:
    exchange.went_on()
    assert told.said == []

    exchange.answered("m1", good=True)
    exchange.waits(["a", "b"], ["b"])
    exchange.went_on()
    exchange.went_on()

    assert told.said == ["waiting for 1 more reply (1 of 2): a is late; b is lost", "goes on"]


def test_who_declines_is_not_waited_for_and_counts_as_one_who_was_not_asked(exchange: Exchange) -> None:
    assert exchange.missing == 2

    exchange.answered("m1", good=False, declined=True)

    assert exchange.missing == 1
    exchange.answered("m2", good=True)
    assert exchange.missing == 0


def test_the_time_of_a_pause_does_not_count(exchange: Exchange, clock: Clock) -> None:
    clock.now += 9.0
    assert not exchange.is_overdue(5.0)
    assert exchange.remaining_s(5.0) == pytest.approx(1.0)

    clock.now += 1.0

    assert exchange.is_overdue(5.0)
    assert not exchange.is_overdue(6.0)
    assert exchange.remaining_s(5.0) is None


def test_somebody_who_does_not_want_to_wait_ends_it_as_the_deadline_would(exchange: Exchange) -> None:
    assert (exchange.lacking, exchange.is_overdue(5.0)) == (2, False)

    exchange.answered("m1", good=True)
    exchange.answered("m2", good=False, declined=True)
    exchange.end_early()

    assert (exchange.lacking, exchange.is_overdue(5.0), exchange.remaining_s(5.0)) == (0, True, None)
