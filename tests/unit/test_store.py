"""The store keeps what events tell: all of a batch or nothing, the newest of each thing, and the history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from app.event_bus import EventBus
from app.events import EventData
from app.records import Client, ClientRound, ClientState, LogLevel, LogRecord, Round, RoundUpdate, RunState
from app.store.reader import StoreReader
from app.store.store import Store
from app.store.urls import default_url
from shared.errors import StoreUnavailable
from tests.support.postgres import PostgresServer
from tests.support.records import a_client, a_run


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as store:
        yield store


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


def tell(store: Store, bus: EventBus, *data: EventData) -> None:
    """Publish these, and have the store keep them as one batch."""
    before = bus.last
    for one in data:
        bus.publish(one)
    store.apply(bus.since(before))


def a_round(number: int, run_id: str = "a", **fields: Any) -> RoundUpdate:
    return RoundUpdate(run_id=run_id, round=Round(round=number, started_at=float(number), **fields))


def a_line(message: str, level: LogLevel = "info", source: str = "server", **fields: Any) -> LogRecord:
    return LogRecord(level=level, source=source, logger="test", message=message, **fields)


class TestRuns:
    def test_a_new_store_is_empty(self, store: Store) -> None:
        assert (store.runs(), store.clients(), store.logs(10), store.events(10)) == ([], [], [], [])
        assert store.run("a") is None
        assert store.rounds("a") == []
        assert store.last_seq() == 0

    def test_what_was_kept_is_there_after_a_restart(self, store_url: str, bus: EventBus) -> None:
        run, update, line = a_run("a"), a_round(0, loss=2.5), a_line("hello")
        with Store.open(store_url) as store:
            tell(store, bus, run, update, line)

        with Store.open(store_url) as store:
            assert store.runs() == [run]
            assert store.rounds("a") == [update.round]
            assert [entry.message for entry in store.logs(10)] == ["hello"]
            assert store.last_seq() == 3

    def test_the_last_update_counts(self, store: Store, bus: EventBus) -> None:
        tell(store, bus, a_run("a"), a_run("a", reason="first"))
        tell(store, bus, a_run("a", reason="second"), a_run("a", reason="third"))

        run = store.run("a")
        assert run is not None
        assert run.reason == "third"

    def test_runs_are_listed_newest_first_also_when_the_clock_was_set_back(
        self, store: Store, bus: EventBus
    ) -> None:
        for run_id, created_at in (("a", 100.0), ("b", 300.0), ("c", 200.0)):
            tell(store, bus, a_run(run_id, created_at=created_at))
        tell(store, bus, a_run("a", created_at=100.0, reason="a change does not move it"))

        assert [run.id for run in store.runs()] == ["c", "b", "a"]

    def test_a_batch_with_a_value_that_is_refused_leaves_nothing(self, store: Store, bus: EventBus) -> None:
        tell(store, bus, a_run("a"))

        with pytest.raises((SQLAlchemyError, OverflowError)):
            tell(store, bus, a_run("b"), a_line("before"), a_round(1, clients=2**70), a_line("after"))

        assert [run.id for run in store.runs()] == ["a"]
        assert (store.rounds("a"), store.logs(10), store.last_seq()) == ([], [], 1)

    def test_the_same_batch_twice_changes_nothing(self, store: Store, bus: EventBus) -> None:
        for data in (a_run("a"), a_client(), a_round(1, per_client={"client-1": ClientRound()}), a_line("x")):
            bus.publish(data)
        store.apply(bus.since(0))
        before = (store.runs(), store.rounds("a"), store.clients(), store.logs(10), store.events(10))

        store.apply(bus.since(0))

        assert (
            store.runs(),
            store.rounds("a"),
            store.clients(),
            store.logs(10),
            store.events(10),
        ) == before

    def test_a_store_opened_anew_takes_events_that_it_has_already(
        self, store_url: str, bus: EventBus
    ) -> None:
        for data in (a_run("a"), a_client(), a_round(1, per_client={"client-1": ClientRound()}), a_line("x")):
            bus.publish(data)
        for _ in range(2):
            with Store.open(store_url) as store:
                store.apply(bus.since(0))
                assert len(store.events(10)) == 2
                assert len(store.logs(10)) == 1
                assert store.rounds("a")[0].per_client.keys() == {"client-1"}


class TestRounds:
    def test_a_round_that_is_not_complete_is_kept_as_far_as_it_is(self, store: Store, bus: EventBus) -> None:
        tell(store, bus, a_run("a"), a_round(1, per_client={"c": ClientRound(train_loss=0.5, samples=7)}))

        (kept,) = store.rounds("a")
        assert not kept.complete
        assert kept.per_client == {"c": ClientRound(train_loss=0.5, samples=7)}

    def test_results_come_in_one_by_one(self, store: Store, bus: EventBus) -> None:
        parts: dict[str, ClientRound] = {}
        tell(store, bus, a_run("a"))
        for number in range(4):
            parts = {**parts, f"c{number}": ClientRound(train_loss=float(number))}
            tell(store, bus, a_round(1, per_client=parts))
        parts = {**parts, "c0": ClientRound(train_loss=0.0, accuracy=0.9)}
        tell(store, bus, a_round(1, per_client=parts, complete=True))

        (kept,) = store.rounds("a")
        assert kept.per_client == parts
        assert kept.complete

    def test_a_round_that_begins_again_forgets_its_first_try(self, store: Store, bus: EventBus) -> None:
        tell(store, bus, a_run("a"), a_round(1, per_client={"old": ClientRound(), "both": ClientRound()}))
        tell(store, bus, a_round(1, per_client={"both": ClientRound(loss=1.0)}))

        assert store.rounds("a")[0].per_client == {"both": ClientRound(loss=1.0)}

    def test_so_it_does_when_the_server_was_started_anew(self, store_url: str, bus: EventBus) -> None:
        with Store.open(store_url) as store:
            tell(
                store,
                bus,
                a_run("a"),
                a_round(0, complete=True),
                a_round(1, per_client={"old": ClientRound()}),
            )

        with Store.open(store_url) as store:
            tell(store, bus, a_round(1))
            assert [(kept.round, dict(kept.per_client)) for kept in store.rounds("a")] == [(0, {}), (1, {})]

    def test_an_earlier_round_may_change_while_a_later_one_is_under_way(
        self, store: Store, bus: EventBus
    ) -> None:
        on_time, late = ClientRound(loss=1.0), ClientRound(late=True)
        tell(
            store,
            bus,
            a_run("a"),
            a_round(1, per_client={"c": on_time}),
            a_round(2, per_client={"c": on_time}),
        )
        tell(store, bus, a_round(1, per_client={"c": on_time, "d": late}))
        tell(store, bus, a_round(2, per_client={"c": on_time, "d": on_time}))

        assert [dict(kept.per_client) for kept in store.rounds("a")] == [
            {"c": on_time, "d": late},
            {"c": on_time, "d": on_time},
        ]


class TestClients:
    def test_a_client_comes_back_as_lost_without_what_it_did_just_then(
        self, store: Store, bus: EventBus
    ) -> None:
        client = a_client(samples=60, partition=1, num_partitions=3, label_counts=(30, 30), accuracy=0.5)
        busy = {"state": ClientState.TRAINING, "round": 4, "reason": "it holds other data"}
        tell(store, bus, client.model_copy(update=busy))

        assert store.clients() == [client.model_copy(update={"state": ClientState.LOST})]

    def test_the_last_sign_of_life_is_kept_with_the_next_change(self, store: Store, bus: EventBus) -> None:
        tell(store, bus, a_client(last_seen=1.0))
        tell(store, bus, a_client(last_seen=2.0))
        assert [client.last_seen for client in store.clients()] == [1.0]

        tell(store, bus, a_client(last_seen=3.0, accuracy=0.9))
        assert [client.last_seen for client in store.clients()] == [3.0]


class TestHistory:
    def test_every_state_of_a_run_is_entered_also_those_of_one_batch(
        self, store: Store, bus: EventBus
    ) -> None:
        states = [RunState.QUEUED, RunState.WAITING, RunState.RUNNING, RunState.COMPLETED]
        tell(store, bus, *(a_run("a", state=state) for state in states), a_run("b"))

        assert [event.data["state"] for event in store.events(10, run_id="a")] == [
            str(state) for state in states
        ]

    def test_of_a_client_it_is_entered_that_it_came_was_late_and_went(
        self, store: Store, bus: EventBus
    ) -> None:
        def in_state(state: ClientState) -> Client:
            return a_client("c", state=state)

        for state in (ClientState.IDLE, ClientState.TRAINING, ClientState.IDLE, ClientState.LATE):
            tell(store, bus, in_state(state))
        tell(store, bus, in_state(ClientState.EVALUATING), in_state(ClientState.LOST))

        history = [(event.subject, event.run_id, event.data["state"]) for event in store.events(10)]
        assert history == [("c", None, state) for state in ("connected", "late", "connected", "lost")]

    def test_a_round_is_entered_when_it_is_complete(self, store: Store, bus: EventBus) -> None:
        tell(store, bus, a_run("a"), a_round(1), a_round(1, clients=2))
        tell(store, bus, a_round(1, clients=2, accuracy=0.5, complete=True))
        tell(
            store, bus, a_round(1, clients=2, accuracy=0.5, complete=True, per_client={"late": ClientRound()})
        )

        entries = [event for event in store.events(10) if event.type == "metrics_update"]
        assert [entry.data for entry in entries] == [
            {"round": 1, "loss": None, "accuracy": 0.5, "clients": 2}
        ]

    def test_a_round_that_is_corrected_later_is_entered_once(self, store: Store, bus: EventBus) -> None:
        tell(store, bus, a_run("a"), a_round(1, complete=True), a_round(2, complete=True), a_round(3))
        tell(store, bus, *(a_round(number, accuracy=0.5, complete=True) for number in (1, 2)))
        tell(store, bus, a_round(3, complete=True))

        entries = [event for event in store.events(10) if event.type == "metrics_update"]
        assert [entry.data["round"] for entry in entries] == [1, 2, 3]
        assert [round_.accuracy for round_ in store.rounds("a")] == [0.5, 0.5, None]

    def test_it_can_be_read_page_by_page(self, store: Store, bus: EventBus) -> None:
        tell(store, bus, *(a_run(run_id) for run_id in "abcd"))

        newest = store.events(2)
        assert [event.subject for event in newest] == ["c", "d"]
        assert [event.subject for event in store.events(2, before_seq=newest[0].seq)] == ["a", "b"]


class TestLogs:
    @pytest.fixture(autouse=True)
    def lines(self, store: Store, bus: EventBus) -> None:
        tell(
            store,
            bus,
            a_line("1", "debug"),
            a_line("2", "info", "client-1", run_id="a"),
            a_line("3", "warning", run_id="a"),
            a_line("4", "error", "client-1", run_id="b", traceback="Traceback"),
            a_line("5", "info"),
        )

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({}, "12345"),
            ({"level": "info"}, "2345"),
            ({"level": "warning"}, "34"),
            ({"level": "error"}, "4"),
            ({"source": "client-1"}, "24"),
            ({"source": "nobody"}, ""),
            ({"run_id": "a"}, "23"),
            ({"run_id": "a", "level": "warning"}, "3"),
            ({"before_seq": 3}, "12"),
            ({"before_seq": 4, "level": "info", "source": "server"}, "3"),
        ],
    )
    def test_they_are_found_oldest_first(self, store: Store, wanted: dict[str, Any], found: str) -> None:
        assert "".join(entry.message for entry in store.logs(10, **wanted)) == found

    def test_no_more_than_the_newest_are_given(self, store: Store) -> None:
        assert [entry.message for entry in store.logs(2)] == ["4", "5"]
        assert [entry.message for entry in store.logs(1, "warning")] == ["4"]

    def test_an_entry_is_what_was_published(self, store: Store, bus: EventBus) -> None:
        assert store.logs(10) == bus.logs()

    def test_text_that_no_database_takes_is_kept_legible(self, store: Store, bus: EventBus) -> None:
        line = a_line("x").model_copy(update={"message": "a\0b \udcff \ud800 é 😀"})
        tell(store, bus, line)

        assert store.logs(1)[0].message == "a␀b � � é 😀"


class TestWhatOnlyTheServerNeeds:
    def test_a_secret_is_random_lasts_and_differs_between_runs(self, store_url: str, bus: EventBus) -> None:
        with Store.open(store_url) as store:
            tell(store, bus, a_run("a"), a_run("b"))
            secrets = {run_id: store.secret(run_id) for run_id in "ab"}
        assert len(set(secrets.values())) == 2
        assert {len(secret) for secret in secrets.values()} == {32}

        with Store.open(store_url) as store:
            assert {run_id: store.secret(run_id) for run_id in "ab"} == secrets

    def test_a_secret_may_be_asked_for_before_the_run_is_written(self, store: Store, bus: EventBus) -> None:
        early = store.secret("a")
        tell(store, bus, a_run("a"))
        tell(store, bus, a_run("a", state=RunState.RUNNING))

        assert store.secret("a") == early

    def test_parts_are_kept_before_and_after_the_run_is_written(self, store: Store, bus: EventBus) -> None:
        assert (store.parts("a"), store.num_partitions("a")) == ({}, None)
        store.save_parts("a", {"client-1": 0, "client-2": 1}, 3)
        secret = store.secret("a")
        tell(store, bus, a_run("a"))

        assert (store.parts("a"), store.num_partitions("a")) == ({"client-1": 0, "client-2": 1}, 3)
        assert store.secret("a") == secret
        assert store.parts("b") == {}

    def test_parts_are_replaced_as_a_whole(self, store: Store) -> None:
        store.save_parts("a", {"client-1": 0, "client-2": 1}, 2)
        store.save_parts("a", {"client-2": 0, "client-3": 2}, 5)

        assert (store.parts("a"), store.num_partitions("a")) == ({"client-2": 0, "client-3": 2}, 5)


class TestDurability:
    """No test can cut the power; this is what a power cut asks of a database."""

    def test_sqlite_waits_for_the_disk(self, tmp_path: Path) -> None:
        with Store.open(default_url(tmp_path)) as store, store._database.writing() as connection:
            asked = ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync", "foreign_keys")
            found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked}
        assert found == {
            "journal_mode": "wal",
            "synchronous": 2,
            "fullfsync": 1,
            "checkpoint_fullfsync": 1,
            "foreign_keys": 1,
        }

    def test_postgresql_waits_for_the_disk_whatever_its_settings_say(self, postgres: PostgresServer) -> None:
        url = postgres.new_database()
        name = url.rpartition("/")[2]
        with postgres.connect("postgres") as connection:
            connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())
        with Store.open(url) as store, store._database.writing() as writing:
            assert writing.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"

    def test_nobody_else_can_read_the_secrets(self, tmp_path: Path, bus: EventBus) -> None:
        with Store.open(default_url(tmp_path)) as store:
            tell(store, bus, a_run("a"))
            names = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("fedloom.db*")}
        assert {name: rights for name, rights in names.items() if not name.endswith(".lock")} == {
            "fedloom.db": 0,
            "fedloom.db-wal": 0,
            "fedloom.db-shm": 0,
        }


class TestWhoMayOpenIt:
    def test_a_second_server_is_refused_until_the_first_is_gone(self, store_url: str) -> None:
        with Store.open(store_url), pytest.raises(StoreUnavailable, match="Another FedLoom server"):
            Store.open(store_url)

        Store.open(store_url).close()

    def test_a_reader_sees_what_a_server_goes_on_to_write(
        self, store: Store, store_url: str, bus: EventBus
    ) -> None:
        with StoreReader.open_to_read(store_url) as reader:
            assert reader.runs() == []
            tell(store, bus, a_run("a"))
            assert [run.id for run in reader.runs()] == ["a"]

    def test_a_reader_needs_no_server(self, store_url: str, bus: EventBus) -> None:
        with Store.open(store_url) as store:
            tell(store, bus, a_run("a"))

        with StoreReader.open_to_read(store_url) as reader:
            assert [run.id for run in reader.runs()] == ["a"]

    def test_a_reader_makes_no_store(self, store_url: str) -> None:
        with pytest.raises(StoreUnavailable, match=r"There is no store|is not a FedLoom store"):
            StoreReader.open_to_read(store_url)
        with pytest.raises(StoreUnavailable):
            StoreReader.open_to_read(store_url)
