"""The writer keeps up with the bus, says what is durable, and gets over a database that fails for a while."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.event_bus import EventBus
from app.events import EventData
from app.log_feed import EventLogHandler
from app.records import ClientRound, LogRecord, Round, RoundUpdate, RunState
from app.store.store import Store
from app.store.urls import default_url
from app.store.writer import State, StoreWriter
from shared.errors import StoreUnavailable
from tests.support.audit import a_log
from tests.support.records import a_client, a_run
from tests.support.waiting import wait_until

LIMIT_S = 20.0


class Database:
    """The store's file, which a test can take away: the store notices at the next write."""

    def __init__(self, home: Path) -> None:
        self._file = home / "fedloom.db"
        self._away = home / "away.db"

    def fail(self) -> None:
        self._file.rename(self._away)

    def mend(self) -> None:
        self._away.rename(self._file)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(default_url(tmp_path)) as store:
        yield store


@pytest.fixture
def bus() -> EventBus:
    return EventBus(capacity=100, log_capacity=50)


Follow = Callable[..., StoreWriter]


@pytest.fixture
def follow(store: Store, bus: EventBus) -> Iterator[Follow]:
    """Starts a writer; `current`: what is so now, for when the bus has lost events."""
    writers: list[StoreWriter] = []

    def start(current: Callable[[], State] = lambda: ()) -> StoreWriter:
        writer = StoreWriter(store, bus, current, a_log())
        writers.append(writer)
        writer.start()
        return writer

    yield start
    for writer in writers:
        writer.stop(0.0)


@pytest.fixture
def log_on_bus(bus: EventBus) -> Iterator[None]:
    """This process's log records are events, as in a server."""
    handler = EventLogHandler(bus)
    logger = logging.getLogger("app.store")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield
    logger.removeHandler(handler)
    logger.setLevel(level)


def line(message: str) -> LogRecord:
    return LogRecord(level="info", source="client-1", logger="test", message=message)


def kept(store: Store) -> list[str]:
    return [entry.message for entry in store.logs(1000, source="client-1")]


def test_what_is_published_is_kept_without_being_asked_for(
    store: Store, bus: EventBus, follow: Follow
) -> None:
    writer = follow()
    bus.publish(a_run("a"))
    number = bus.publish(line("hello"))

    wait_until(lambda: writer.written >= number, "the writer has caught up")
    assert kept(store) == ["hello"]
    assert store.run("a") is not None


def test_what_is_flushed_is_kept(store: Store, bus: EventBus, follow: Follow) -> None:
    writer = follow()
    for number in range(30):
        bus.publish(line(str(number)))
        writer.flush(LIMIT_S)
        assert kept(store)[-1] == str(number)
    assert writer.written == bus.last


def test_nothing_is_called_written_before_it_is(store: Store, bus: EventBus, follow: Follow) -> None:
    writer = follow()
    done = threading.Event()

    def publish() -> None:
        for number in range(1, 2001):
            bus.publish(line(str(number)))
            if number % 90 == 0:
                writer.flush(LIMIT_S)
        done.set()

    publisher = threading.Thread(target=publish)
    publisher.start()
    looks = 0
    while not done.is_set():
        written = writer.written
        assert store.last_seq() >= written
        looks += 1
    publisher.join()
    writer.flush(LIMIT_S)
    assert looks > 1
    assert len(store.logs(5000)) == 2000


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    url = default_url(tmp_path)
    for start in range(3):
        with Store.open(url) as store:
            bus = EventBus(first_seq=store.last_seq() + 1, logs=store.logs(limit=10))
            assert [entry.message for entry in bus.logs()] == [str(number) for number in range(start)]
            writer = StoreWriter(store, bus, lambda: (), a_log())
            writer.start()
            bus.publish(line(str(start)))
            writer.stop()
            assert [entry.seq for entry in store.logs(10)] == list(range(1, start + 2))


def test_a_bus_that_begins_anew_is_refused(store: Store, bus: EventBus) -> None:
    bus.publish(line("old"))
    store.apply(bus.since(0))

    with pytest.raises(ValueError, match="the bus is at 0, the store holds numbers up to 1"):
        StoreWriter(store, EventBus(), lambda: (), a_log())


def test_stopping_keeps_what_was_published_before_the_start(store: Store, bus: EventBus) -> None:
    bus.publish(line("the port is taken"))
    StoreWriter(store, bus, lambda: (), a_log()).stop()

    assert kept(store) == ["the port is taken"]


def test_stopping_keeps_what_is_left(store: Store, bus: EventBus, follow: Follow) -> None:
    writer = follow()
    for number in range(90):
        bus.publish(line(str(number)))
    writer.stop()

    assert len(kept(store)) == 90


@pytest.mark.usefixtures("log_on_bus")
class TestWhileTheDatabaseFails:
    def test_it_says_so_once_and_loses_nothing(
        self, store: Store, bus: EventBus, follow: Follow, database: Database
    ) -> None:
        writer = follow()
        bus.publish(line("before"))
        writer.flush(LIMIT_S)
        written = writer.written

        database.fail()
        bus.publish(line("during"))
        wait_until(lambda: writer.problem, "the writer names the problem")
        with pytest.raises(StoreUnavailable, match="was deleted, moved or replaced"):
            writer.flush(0.3)
        assert writer.written == written
        bus.publish(line("meanwhile"))

        database.mend()
        writer.flush(LIMIT_S)
        wait_until(lambda: writer.problem is None, "the problem is over")
        writer.flush(LIMIT_S)
        assert kept(store) == ["before", "during", "meanwhile"]
        own = [(entry.level, entry.message[:31]) for entry in store.logs(100, source="server")]
        assert own == [
            ("error", "nothing can be kept at present:"),
            ("info", "the database works again"),
        ]

    def test_what_has_left_the_bus_is_made_good_from_what_is_so_now(
        self, store: Store, bus: EventBus, follow: Follow, database: Database
    ) -> None:
        run = a_run("a", state=RunState.RUNNING)
        round_ = RoundUpdate(
            run_id="a", round=Round(round=1, started_at=0.0, per_client={"client-1": ClientRound(loss=1.0)})
        )
        writer = follow(lambda: [run, round_, a_client(accuracy=0.5)])
        bus.publish(a_run("a"))
        writer.flush(LIMIT_S)

        database.fail()
        everything: list[EventData] = [run, round_, *(line(str(number)) for number in range(300))]
        for data in everything:
            bus.publish(data)
        wait_until(lambda: writer.problem, "the writer names the problem")
        database.mend()
        writer.flush(LIMIT_S)
        bus.publish(line("afterwards"))
        writer.flush(LIMIT_S)

        assert store.run("a") == run
        assert store.rounds("a") == [round_.round]
        assert [client.accuracy for client in store.clients()] == [0.5]
        newest = [str(number) for number in range(260, 300)]
        assert kept(store)[-41:] == [*newest, "afterwards"]
        assert [event.data["state"] for event in store.events(10, run_id="a")] == ["queued", "running"]
        assert "some of the history and of the log in between is lost" in store.logs(9, "warning")[-1].message

    def test_a_server_that_is_told_to_stop_does_not_wait_for_ever(
        self, bus: EventBus, follow: Follow, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        writer = follow()
        database.fail()
        bus.publish(line("lost"))
        wait_until(lambda: writer.problem, "the writer names the problem")

        writer.stop(0.2)

        assert "before the end are not kept" in caplog.text
        database.mend()

    def test_an_event_that_is_refused_is_reported_and_costs_no_other(
        self, store: Store, bus: EventBus, follow: Follow
    ) -> None:
        bus.publish(a_run("a"))
        for number in range(5):
            bus.publish(line(str(number)))
        bus.publish(RoundUpdate(run_id="nobody's", round=Round(round=1, started_at=0.0)))
        for number in range(5, 10):
            bus.publish(line(str(number)))
        writer = follow()
        writer.flush(LIMIT_S)
        writer.flush(LIMIT_S)

        assert kept(store) == [str(number) for number in range(10)]
        assert store.run("a") is not None
        (report,) = store.logs(10, "error")
        assert report.message == "event 7 (metrics_update) cannot be kept"
        assert "FOREIGN KEY" in (report.traceback or "")
        assert writer.problem is None
