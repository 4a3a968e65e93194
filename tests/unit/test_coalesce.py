"""What browsers are sent: the last of the updates that replace each other, and every log line."""

from __future__ import annotations

from app.batches import coalesce
from app.event_bus import EventBus
from app.events import EventData
from app.records import LogRecord, Round, RoundUpdate
from tests.support.records import a_client, a_run


def numbers(*data: EventData) -> list[int]:
    """The sequence numbers (from 1) of those that are left."""
    bus = EventBus()
    for item in data:
        bus.publish(item)
    return [event.seq for event in coalesce(bus.since(0))]


def a_round(number: int, run_id: str = "r") -> RoundUpdate:
    return RoundUpdate(run_id=run_id, round=Round(round=number, started_at=0.0))


def test_only_the_last_update_of_a_client_is_left() -> None:
    assert numbers(a_client("a", samples=1), a_client("b"), a_client("a", samples=2)) == [2, 3]


def test_only_the_last_update_of_a_run_is_left() -> None:
    assert numbers(a_run("a"), a_run("b"), a_run("a")) == [2, 3]


def test_rounds_are_apart_by_run_and_number() -> None:
    assert numbers(a_round(1), a_round(2), a_round(1, "other"), a_round(1)) == [2, 3, 4]


def test_every_log_line_is_left() -> None:
    line = LogRecord(level="info", source="server", logger="x", message="the same")

    assert numbers(line, line, line) == [1, 2, 3]


def test_a_client_and_a_run_of_the_same_name_do_not_replace_each_other() -> None:
    assert numbers(a_client("x"), a_run("x")) == [1, 2]


def test_what_is_left_is_in_order() -> None:
    assert numbers(a_run("a"), a_client("c"), a_round(0), a_run("a"), a_client("c")) == [3, 4, 5]
