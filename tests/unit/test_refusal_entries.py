"""Whoever is refused is entered, and whoever knocks all night does not fill the log."""

from __future__ import annotations

import json

import pytest

from app.audit.entry import Kind
from app.audit.refusals import MOST, PERIOD_S, RefusalEntries
from tests.support.audit import a_log
from tests.support.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def entered(clock: Clock) -> tuple[RefusalEntries, list[tuple[str | None, int]]]:
    """With the clients and repetitions that are entered."""
    log, seen = a_log(), list[tuple[str | None, int]]()
    real = log.record

    def record(kind: str, **fields: object) -> None:
        real(kind, **fields)
        seen.append((json.loads(json.dumps(fields))["client"], int(str(fields["repeated"]))))

    log.record = record  # type: ignore[method-assign]
    return RefusalEntries(log, Kind.CLIENT_REFUSED, clock), seen


def test_a_refusal_is_entered_once_and_counted_after_that(
    clock: Clock, entered: tuple[RefusalEntries, list[tuple[str | None, int]]]
) -> None:
    refusals, seen = entered
    for _ in range(5):
        refusals.add("no invitation", client="a", key="KEY")
    refusals.add("no invitation", client="b", key="KEY")
    assert seen == [("a", 0), ("b", 0)]

    clock.now = PERIOD_S + 1
    refusals.add("no invitation", client="a", key="KEY")

    assert seen == [("a", 0), ("b", 0), ("a", 4), ("a", 0)]


def test_a_thousand_names_are_not_a_thousand_entries(
    entered: tuple[RefusalEntries, list[tuple[str | None, int]]],
) -> None:
    refusals, seen = entered
    for number in range(1_000):
        refusals.add("no invitation", client=f"name-{number}")
    refusals.close()

    assert len(seen) == MOST + 2
    assert seen[-1] == (None, 1_000 - MOST - 1)
