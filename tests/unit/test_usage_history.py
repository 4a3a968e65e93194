"""What machines were used for: all of a quarter of an hour, means for a day, and no more than that."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from app.records import GpuUsage
from app.store.store import Store
from app.store.urls import parse_url
from app.store.usage import UsageStore
from app.usage.history import HISTORY_S, MAX_WAITING, UsageHistory
from app.usage.means import downsampled, mean_of
from app.usage.minutes import MAX_OPEN, MinuteMean, Minutes
from app.usage.recent import MAX_USAGES, RECENT_S, Recent
from dashboard.reading import reading_between
from tests.support.usage import KeptInMemory, a_usage, counters

DAY = 20_000 * 86_400.0


class Server:
    """A history on a clock and a store of the test's."""

    def __init__(self) -> None:
        self.now = DAY
        self.store = KeptInMemory()
        self.history = UsageHistory(self.store, lambda: self.now)

    def goes_on(self, seconds: float, *nodes: str | None, every: float = 2.0) -> None:
        """Each of these nodes tells, and the monitor looks at the minutes."""
        until = self.now + seconds
        while self.now < until:
            self.now += every
            for node in nodes:
                self.history.add(node, a_usage(self.now))
            self.history.keep_minutes()


def test_a_mean_is_one_of_rates_and_of_what_is_used_and_the_rest_is_as_it_was_last() -> None:
    gpu = GpuUsage(busy=0.5, memory_used=10, memory_total=100)
    mean = mean_of(
        [
            a_usage(0, cpu=0.0, sent=10, memory_used=3, gpus=(gpu,)),
            a_usage(4, cpu=0.5, sent=20, memory_used=5, memory_total=16_000, gpus=(gpu, gpu)),
            a_usage(8, cpu=1.0, sent=60, memory_used=7, memory_total=16_000, gpus=(gpu, gpu)),
        ]
    )

    assert (mean.time, mean.cpu, mean.sent, mean.memory_used, mean.memory_total) == (4, 0.5, 30, 5, 16_000)
    assert mean.gpus == (gpu, gpu)


def test_a_node_that_is_forgotten_is_told_of_no_more_and_the_others_are() -> None:
    server = Server()
    server.goes_on(20 * 60, "a", "b")
    assert {node for node, _ in server.store.kept} == {"a", "b"}

    server.history.forget("a")

    server.goes_on(120, "b")
    assert {node for node, _ in server.store.kept} == {"b"}
    assert server.history.latest().keys() == {"b"}
    assert server.history.series(DAY, server.now, 10).keys() == {"b"}


@given(
    st.lists(st.floats(0, 1_000), max_size=200).map(sorted),
    st.floats(0, 500),
    st.floats(0, 500),
    st.integers(1, 50),
)
def test_of_any_series_at_most_so_many_points_are_left_in_order_and_within_its_time(
    times: list[float], since: float, length: float, points: int
) -> None:
    found = downsampled([a_usage(time) for time in times], since, since + length, points)

    assert len(found) <= points
    assert [usage.time for usage in found] == sorted(usage.time for usage in found)
    assert all(since - 1e-6 <= usage.time <= since + length + 1e-6 for usage in found)
    assert bool(found) == any(since <= time <= since + length for time in times)


def test_in_memory_is_a_quarter_of_an_hour_and_nothing_of_nodes_that_are_gone() -> None:
    recent = Recent()
    recent.add("gone", a_usage(0.0))
    for second in range(5_000):
        recent.add("busy", a_usage(float(second)))

    assert list(recent.nodes()) == ["busy"]
    assert len(recent.nodes()["busy"]) == MAX_USAGES


def test_news_are_the_newest_of_each_node_once() -> None:
    recent = Recent()
    for time in (1.0, 2.0):
        recent.add(None, a_usage(time))
    recent.add("a", a_usage(1.5))

    assert {(news.client, news.usage.time) for news in recent.take_news()} == {(None, 2.0), ("a", 1.5)}
    assert recent.take_news() == ()


def test_a_minute_is_given_once_when_it_is_over_and_takes_only_so_many() -> None:
    minutes = Minutes()
    for number in range(MAX_OPEN + 50):
        minutes.add("a", a_usage(60.0, sent=float(number)))

    assert minutes.take_finished(119.9) == []
    (mean,) = minutes.take_finished(120.0)
    assert (mean.node, mean.minute, mean.usage.sent) == ("a", 1, (MAX_OPEN - 1) / 2)
    assert minutes.take_finished(500.0) == []


def test_after_a_quarter_of_an_hour_there_are_minutes_and_after_a_day_nothing() -> None:
    server = Server()
    server.goes_on(3_600, None, "a", every=10.0)

    series = server.history.series(DAY, server.now, 1_000)
    assert series.keys() == {None, "a"}
    old = [usage.time for usage in series["a"] if usage.time < server.now - RECENT_S]
    new = [usage.time for usage in series["a"] if usage.time >= server.now - RECENT_S]
    assert 44 <= len(old) <= 46, "one a minute"
    assert len(new) > 85, "all of them"
    assert [*old, *new] == sorted([*old, *new])

    server.goes_on(HISTORY_S + 3_600, None, every=60.0)
    assert len(server.store.kept) <= HISTORY_S / 60 + 1
    assert server.history.series(0.0, server.now, 100).keys() == {None}


def test_after_a_restart_the_minutes_before_are_told_and_the_time_away_is_a_gap() -> None:
    server = Server()
    server.goes_on(3_600, None)
    ended = server.now
    server.now += 300
    server.history = UsageHistory(server.store, lambda: server.now)
    server.goes_on(120, None)

    times = [usage.time for usage in server.history.series(server.now - 3_600, server.now, 1_000)[None]]

    steps = sorted((after - before, before) for before, after in pairwise(times))
    assert 240 < steps[-1][0] < 420, "a gap as long as it was away"
    assert ended - 120 < steps[-1][1] <= ended, "from its last whole minute on"
    assert steps[-2][0] <= 61, "and no other"


def test_while_the_database_fails_minutes_wait_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server()
    server.store.problem = "The disk is full."
    server.goes_on(300, "a")
    assert server.store.kept == {}

    server.store.problem = None
    server.goes_on(60, "a")

    assert len(server.store.kept) >= 5
    assert caplog.text.count("The disk is full.") == 1


def test_a_database_that_fails_for_long_does_not_fill_the_memory() -> None:
    server = Server()
    server.store.problem = "gone"
    for _ in range(3):
        server.now += 60
        usage = a_usage(server.now)
        for node in range(MAX_WAITING // 2):
            server.history.add(f"c-{node}", usage)
        server.history.keep_minutes()
    server.now += 60
    server.history.keep_minutes()
    server.store.problem = None
    server.history.keep_minutes()

    assert len(server.store.kept) == MAX_WAITING
    assert min(minute for _, minute in server.store.kept) > DAY // 60 + 1, "the oldest were lost"


def test_the_servers_own_reading_gets_the_servers_time() -> None:
    server = Server()
    server.history.of_server(reading_between(counters(0), counters(2, sent=8)))

    assert server.history.latest()[None].model_dump(include={"time", "sent"}) == {"time": DAY, "sent": 4}


def test_the_store_keeps_minutes_over_a_restart_and_no_longer_than_asked(store_url: str) -> None:
    def means(*minutes: int) -> list[MinuteMean]:
        both = [(node, minute) for minute in minutes for node in (None, "a")]
        return [MinuteMean(node, minute, a_usage(60.0 * minute)) for node, minute in both]

    with Store.open(store_url) as store:
        store.usage.keep(means(1, 2, 3), oldest=0)
        store.usage.keep(means(3, 4), oldest=2)
    with Store.open(store_url) as store:
        assert set(kept_in(store.usage)) == {(node, minute) for node in (None, "a") for minute in (2, 3, 4)}
        assert store.usage.between(3, 3)[0].usage == a_usage(180.0)


def kept_in(store: UsageStore) -> list[tuple[str | None, int]]:
    return [(minute.node, minute.minute) for minute in store.between(0, 1_000_000)]


def test_what_another_version_has_kept_and_this_one_cannot_read_is_left_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fedloom.db'}"
    with Store.open(url) as store:
        store.usage.keep([MinuteMean("a", 1, a_usage(60.0)), MinuteMean("b", 1, a_usage(60.0))], oldest=0)
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE usage_minutes SET usage = '{\"cpu\": 7}' WHERE node = 'a'"))
    engine.dispose()

    with Store.open(url) as store:
        assert kept_in(store.usage) == [("b", 1)]
