"""The event bus gives every event its number, keeps the newest, and says when what is asked for is gone."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.event_bus import EventBus, EventsGone
from app.records import LogRecord


def line(message: str = "hello") -> LogRecord:
    return LogRecord(level="info", source="server", logger="test", message=message)


def bus_with(events: int, capacity: int = 100, log_capacity: int = 100) -> EventBus:
    bus = EventBus(capacity, log_capacity)
    for number in range(1, events + 1):
        bus.publish(line(str(number)))
    return bus


def messages_since(bus: EventBus, seq: int) -> list[str]:
    return [event.data.message for event in bus.since(seq) if isinstance(event.data, LogRecord)]


def test_events_are_numbered_from_one_without_gaps() -> None:
    bus = bus_with(3)

    assert bus.last == 3
    assert [(event.seq, event.type) for event in bus.since(0)] == [(1, "log"), (2, "log"), (3, "log")]


def test_a_new_bus_has_nothing_and_says_so() -> None:
    bus = EventBus()

    assert bus.last == 0
    assert bus.since(0) == []


@given(st.integers(0, 30), st.integers(1, 20), st.integers(-3, 35))
def test_since_gives_exactly_what_came_after_or_refuses(published: int, capacity: int, seq: int) -> None:
    bus = bus_with(published, capacity)
    oldest_useful = max(published - capacity, 0)

    if oldest_useful <= seq <= published:
        assert messages_since(bus, seq) == [str(n) for n in range(seq + 1, published + 1)]
    else:
        with pytest.raises(EventsGone):
            bus.since(seq)


def test_what_left_the_ring_is_named_as_gone() -> None:
    with pytest.raises(EventsGone, match=r"newest is 150, the oldest kept is 51\. Start from a snapshot"):
        bus_with(150).since(3)


def test_the_newest_logs_are_kept_when_the_ring_has_lost_them() -> None:
    bus = bus_with(30, capacity=2, log_capacity=5)

    logs = bus.logs()

    assert [(entry.seq, entry.message) for entry in logs] == [(n, str(n)) for n in range(26, 31)]


def test_threads_that_publish_together_lose_nothing() -> None:
    threads, each = 8, 500
    bus = EventBus(threads * each)
    numbers: list[list[int]] = [[] for _ in range(threads)]
    start = threading.Barrier(threads)

    def publish(mine: int) -> None:
        start.wait()
        numbers[mine] += [bus.publish(line(f"{mine}-{n}")) for n in range(each)]

    workers = [threading.Thread(target=publish, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    events = bus.since(0)
    assert [event.seq for event in events] == list(range(1, threads * each + 1))
    by_number = dict(zip((event.seq for event in events), messages_since(bus, 0), strict=True))
    for mine, given_numbers in enumerate(numbers):
        assert [by_number[seq] for seq in given_numbers] == [f"{mine}-{n}" for n in range(each)]


def test_numbers_and_logs_go_on_from_an_older_server() -> None:
    old = bus_with(3)
    bus = EventBus(first_seq=old.last + 1, logs=old.logs())

    assert bus.last == 3
    assert bus.publish(line("4")) == 4
    assert messages_since(bus, 3) == ["4"]
    assert [entry.message for entry in bus.logs()] == ["1", "2", "3", "4"]
    with pytest.raises(EventsGone, match="the oldest kept is 4"):
        bus.since(2)


class TestWaitingForNews:
    def test_it_is_over_at_once_when_there_are_any(self) -> None:
        assert bus_with(1).wait_for_news(0)

    def test_it_is_over_in_time_when_there_are_none(self) -> None:
        assert not bus_with(1).wait_for_news(1, timeout_s=0.01)

    def test_it_is_over_when_an_event_is_published(self) -> None:
        bus = EventBus()
        heard = threading.Thread(target=bus.wait_for_news, args=(0,))
        heard.start()
        bus.publish(line())

        heard.join(20)
        assert not heard.is_alive()

    def test_it_is_over_when_it_is_called_off(self) -> None:
        bus, over, answers = EventBus(), threading.Event(), list[bool]()
        waiting = threading.Thread(target=lambda: answers.append(bus.wait_for_news(0, unless=over.is_set)))
        waiting.start()
        bus.wake()
        over.set()
        bus.wake()

        waiting.join(20)
        assert answers == [False]
