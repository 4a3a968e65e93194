"""Lines of the log are found by run, client, level and text, counted, placed, and kept within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from app.event_bus import EventBus
from app.events import event_of
from app.records import LogCounts, LogFilter, LogKind, LogRecord, RunPeriod
from app.store.log_bounds import DAY_S, GAP_S, LogBounds
from app.store.rows import LINE_SIZE
from app.store.store import Store

LINES = [
    LogRecord(level="info", source="server", logger="app.server", message="the page is served"),
    LogRecord(level="info", source="client-1", logger="app", message="epoch 1", run_id="aa"),
    LogRecord(level="warning", source="client-2", logger="client.link", message="100% slow_", run_id="aa"),
    LogRecord(
        level="error",
        source="client-1",
        logger="client.runtime",
        message="it failed",
        run_id="bb",
        traceback="Traceback (most recent call last):\nValueError: NaN in the loss",
    ),
    LogRecord(level="debug", source="client-3", logger="x", message="tries", run_id="bb"),
    LogRecord(level="info", source="server", logger="app.runs", message="run bb ended", run_id="bb"),
]
KINDS: list[tuple[LogKind, ...]] = [
    (),
    ("info",),
    ("printed",),
    ("info", "printed"),
    ("warning", "error"),
]
FILTERS = [
    LogFilter(kinds=frozenset(kinds), source=source, run=run, text=text, since=since)
    for kinds, source, run, text, since in product(
        KINDS,
        [None, "server", "client-1", "nobody"],
        [None, RunPeriod("aa", 0.0, None), RunPeriod("bb", 2.0, 4.0)],
        ["", "nan", "100%", "_", "RUNTIME", "\\"],
        [None, 3.0],
    )
]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as store:
        yield store


def keep(store: Store, *records: LogRecord, first: int = 1) -> None:
    """The line with number n is of second n."""
    store.apply([event_of(seq, float(seq), record) for seq, record in enumerate(records, start=first)])


def lines(count: int, source: str = "client-1") -> list[LogRecord]:
    return [
        LogRecord(level="info", source=source, logger="t", message=f"{number:05}") for number in range(count)
    ]


def test_the_database_finds_what_the_filter_lets_pass(store: Store) -> None:
    keep(store, *LINES)
    everything = store.lines.newest(LogFilter(), 100)
    assert [entry.seq for entry in everything] == [1, 2, 3, 4, 5, 6]
    for wanted in FILTERS:
        expected = [entry.seq for entry in everything if wanted.passes(entry)]
        assert [entry.seq for entry in store.lines.newest(wanted, 100)] == expected, wanted
        assert [entry.seq for entry in store.lines.oldest(wanted, 100)] == expected, wanted


def test_windows_of_it_come_from_both_ends_and_from_the_middle(store: Store) -> None:
    keep(store, *lines(50))
    wanted = LogFilter()
    assert [entry.seq for entry in store.lines.newest(wanted, 3)] == [48, 49, 50]
    assert [entry.seq for entry in store.lines.newest(wanted, 3, before=48)] == [45, 46, 47]
    assert [entry.seq for entry in store.lines.oldest(wanted, 3, after=10)] == [11, 12, 13]
    assert [entry.seq for entry in store.lines.oldest(wanted, 3, skip=20)] == [21, 22, 23]


def test_each_kind_is_counted_whichever_are_wanted(store: Store) -> None:
    keep(store, *LINES)
    expected = LogCounts(debug=1, info=2, warning=1, error=1, printed=1, first=1, last=6)
    assert store.lines.counts(LogFilter(kinds=frozenset({"error"}))) == expected
    assert store.lines.counts(LogFilter(text="nan")) == LogCounts(error=1, first=4, last=4)
    assert store.lines.counts(LogFilter(source="nobody")) == LogCounts()


def test_a_line_has_a_place_among_those_that_are_looked_for(store: Store) -> None:
    keep(store, *LINES)
    of_client = LogFilter(source="client-1")
    found = store.lines.place(of_client, seq=3)
    assert found is not None
    assert (found.index, found.entry.seq) == (1, 4)
    at = store.lines.place(LogFilter(), time=4.5)
    assert at is not None
    assert (at.index, at.entry.seq) == (4, 5)
    last = store.lines.place(LogFilter(), seq=1_000)
    assert last is not None
    assert last.entry.seq == 6
    assert store.lines.place(LogFilter(text="no such words")) is None


def test_old_lines_are_forgotten_but_the_newest(store: Store) -> None:
    keep(store, *lines(5_000))
    assert store.log.forget_older(time=4_990.0) == 4_989
    assert [entry.seq for entry in store.lines.oldest(LogFilter(), 3)] == [4_990, 4_991, 4_992]
    store.log.forget_older(time=1e9)
    assert [entry.seq for entry in store.lines.newest(LogFilter(), 10)] == [5_000]
    assert store.last_seq() == 5_000


def test_who_writes_most_loses_its_own_lines_alone(store: Store) -> None:
    keep(store, *lines(20, "quiet"), *lines(20_000, "loud"), *lines(20, "server"))
    most = 5_000 * (LINE_SIZE + 5)
    store.log.forget_beyond(most)
    left = store.lines.newest(LogFilter(), 50_000)
    by = {source: sum(entry.source == source for entry in left) for source in ("quiet", "loud", "server")}
    assert by["quiet"] == by["server"] == 20
    assert 2_000 < by["loud"] <= 4_960
    assert max(entry.seq for entry in left if entry.source == "loud") == 20_020


def test_the_bounds_are_held_once_a_minute(store: Store) -> None:
    now = [10 * DAY_S]
    bounds = LogBounds(store.log, days=9, megabytes=1, clock=lambda: now[0])
    old, new = (event_of(seq, seq * DAY_S, LINES[0]) for seq in (1, 5))
    store.apply([old, new])
    bounds.hold()
    assert len(store.lines.newest(LogFilter(), 10)) == 2
    now[0] += GAP_S - 1
    bounds.hold()
    assert len(store.lines.newest(LogFilter(), 10)) == 2
    now[0] += 1
    bounds.hold()
    assert [entry.seq for entry in store.lines.newest(LogFilter(), 10)] == [5]


def test_numbers_go_on_after_the_log_was_forgotten(store: Store) -> None:
    keep(store, *lines(10))
    store.log.forget_older(time=1e9)
    assert EventBus(first_seq=store.last_seq() + 1).last == 10
