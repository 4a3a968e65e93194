"""The audit log: what is recorded is kept in order, with the events of its moment, and signed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.audit.entry import Draft, Entry, EntryInvalid, Kind
from app.audit.log import AuditLog
from app.event_bus import EventBus
from app.events import event_of
from app.federation.runs.book import RunBook
from app.federation.runs.history import RunHistory
from app.records import LogRecord, Round, RunState
from app.store.audit import AuditBatch
from app.store.store import Store
from app.store.urls import default_url
from app.store.writer import StoreWriter
from shared.canonical import canonical
from shared.errors import StoreUnavailable
from shared.security.merkle import leaf_hash, root_of
from tests.support.audit import a_key, a_log, begin, cosign, write
from tests.support.records import a_run
from tests.support.waiting import wait_until

LIMIT_S = 20.0


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as store:
        yield store


def entries(store: Store) -> list[Entry]:
    return [Entry.parse(data) for data in store.audit.all_entries()]


def test_entries_are_kept_in_the_order_in_which_they_came(store: Store) -> None:
    log = AuditLog.open(store, a_key())
    for number in range(3):
        log.record(Kind.RUN_PAUSED, run="a", round=number)
    write(log, store)
    log.record(Kind.RUN_RESUMED, run="a", round=2)
    write(log, store)

    found = entries(store)

    assert [(each.index, each.kind, each.fields["round"]) for each in found] == [
        (0, "run-paused", 0),
        (1, "run-paused", 1),
        (2, "run-paused", 2),
        (3, "run-resumed", 2),
    ]
    assert sorted(each.time for each in found) == [each.time for each in found]


def test_each_transaction_ends_with_a_checkpoint_over_all_entries(store: Store) -> None:
    log = AuditLog.open(store, a_key())
    for _ in range(3):
        log.record(Kind.SERVER_STOPPED)
        write(log, store)

    leaves = [leaf_hash(data) for data in store.audit.all_entries()]
    checkpoints = store.audit.checkpoints(0, 3)

    assert [each.size for each in checkpoints] == [1, 2, 3]
    for checkpoint in checkpoints:
        checkpoint.verify(a_key().public)
        assert checkpoint.root == root_of(leaves[: checkpoint.size])
    assert log.newest == checkpoints[-1]


def test_a_transaction_that_fails_leaves_no_hole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog.open(store, a_key())
    log.record(Kind.RUN_PAUSED, run="a", round=0)

    def fail(*_: object) -> None:
        raise StoreUnavailable("on purpose")

    with monkeypatch.context() as patched:
        patched.setattr("app.store.store.write_audit", fail)
        with pytest.raises(StoreUnavailable):
            write(log, store)
    assert (log.kept, log.recorded, log.newest) == (0, 1, None)
    log.record(Kind.RUN_RESUMED, run="a", round=0)
    write(log, store)

    assert [(each.index, each.kind) for each in entries(store)] == [(0, "run-paused"), (1, "run-resumed")]


def test_what_was_kept_without_a_word_is_not_kept_twice(store: Store) -> None:
    log = AuditLog.open(store, a_key())
    log.record(Kind.RUN_PAUSED, run="a", round=0)
    store.apply((), log.batch(1))  # and the connection is lost before it says so
    log.record(Kind.RUN_RESUMED, run="a", round=0)
    write(log, store)

    assert [each.index for each in entries(store)] == [0, 1]
    AuditLog.open(store, a_key())  # and it is as it was signed


def test_a_log_goes_on_after_a_restart(store: Store) -> None:
    first = AuditLog.open(store, a_key())
    begin(first)
    first.joined("client-1", a_key("client-1").public, host="here")
    write(first, store)
    cosign(first, "client-1")
    write(first, store)

    again = AuditLog.open(store, a_key())
    again.joined("client-1", a_key("client-1").public, host="here")

    assert again.id == first.id
    assert (again.kept, again.newest) == (2, first.newest)
    assert not again.has_news, "the client had joined before"
    assert [(each.client, each.size) for each in again.status().witnesses] == [("client-1", 2)]


def test_a_name_with_another_key_has_joined_anew(store: Store) -> None:
    log = AuditLog.open(store, a_key())
    for whose in ("client-1", "client-1", "client-2"):
        log.joined("client-1", a_key(whose).public)
    write(log, store)

    keys = [each.fields["key"] for each in entries(store)]

    assert keys == [str(a_key(whose).public.id) for whose in ("client-1", "client-2")]


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE audit_entries SET entry = '{}' WHERE number = 1",
        "DELETE FROM audit_entries WHERE number = 2",
        "DELETE FROM audit_entries WHERE number = 1",
        "INSERT INTO audit_entries VALUES (3, 'x', 'y')",
        "DELETE FROM audit_checkpoints",
        "DELETE FROM audit_checkpoints WHERE size = 3",
    ],
)
def test_a_server_does_not_sign_on_what_somebody_has_changed(store: Store, deed: str) -> None:
    log = AuditLog.open(store, a_key())
    for _ in range(3):
        log.record(Kind.SERVER_STOPPED)
        write(log, store)
    with store._database.writing() as connection:
        connection.execute(text(deed))

    with pytest.raises(StoreUnavailable, match="is not the one that this server has signed"):
        AuditLog.open(store, a_key())


def test_what_happens_in_one_moment_is_kept_in_one_transaction(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, log = EventBus(), a_log()
    book = RunBook(bus, history=RunHistory(log))
    kept: list[tuple[set[str], set[str]]] = []
    real = store.apply

    def apply(events: list[object], audit: AuditBatch) -> None:
        runs = {event.data.id for event in events}  # type: ignore[attr-defined]
        entered = {Entry.parse(entry).fields["run"] for _, entry in audit.entries}
        kept.append((runs, entered))
        real(events, audit)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "apply", apply)
    writer = StoreWriter(store, bus, lambda: (), log)
    writer.start()

    def add(part: str) -> None:
        for number in range(200):
            book.add(a_run(f"{part}{number}"))

    threads = [threading.Thread(target=add, args=(part,)) for part in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.flush(LIMIT_S)
    writer.stop()

    assert all(runs == entered for runs, entered in kept)
    assert sum(len(runs) for runs, _ in kept) == 600
    assert log.kept == 600


def test_an_entry_without_an_event_is_kept_as_well(store: Store) -> None:
    log = a_log()
    writer = StoreWriter(store, EventBus(), lambda: (), log)
    writer.start()
    log.record(Kind.SERVER_STOPPED)
    writer.flush(LIMIT_S)
    log.record(Kind.SERVER_STOPPED)
    writer.stop()

    assert [each.index for each in entries(store)] == [0, 1]


def test_nothing_is_lost_while_the_database_fails(tmp_path: Path) -> None:
    bus, log = EventBus(capacity=10), a_log()
    with Store.open(default_url(tmp_path)) as store:
        writer = StoreWriter(store, bus, lambda: (), log)
        writer.start()
        (tmp_path / "fedloom.db").rename(tmp_path / "away.db")
        for number in range(50):
            log.record(Kind.RUN_PAUSED, run="a", round=number)
        wait_until(lambda: writer.problem, "the writer has noticed")
        log.record(Kind.RUN_PAUSED, run="a", round=50)
        (tmp_path / "away.db").rename(tmp_path / "fedloom.db")
        writer.flush(LIMIT_S)
        writer.stop()

        assert [each.fields["round"] for each in entries(store)] == list(range(51))


def test_entries_outlast_events_that_the_database_refuses(store: Store) -> None:
    bus, log = EventBus(), a_log()
    writer = StoreWriter(store, bus, lambda: (), log)
    log.record(Kind.SERVER_STOPPED)
    bus.publish(LogRecord(level="info", source="server", logger="test", message="fine"))
    refused = event_of(2, 1.0, LogRecord.model_construct(level=object()))
    bus._ring.append(refused)
    bus._last = 2
    writer.start()
    writer.stop()

    assert [entry.message for entry in store.logs(10)] == ["fine"]
    assert [each.index for each in entries(store)] == [0]


def test_history_tells_what_becomes_of_runs(store: Store) -> None:
    bus, log = EventBus(), a_log()
    book = RunBook(bus, history=RunHistory(log))
    book.add(a_run("a"))
    for state in (
        RunState.WAITING,
        RunState.RUNNING,
        RunState.WAITING,
        RunState.PAUSED,
        RunState.RUNNING,
        RunState.INTERRUPTED,
        RunState.QUEUED,
        RunState.STOPPED,
    ):
        book.update("a", state=state)
    book.put_round("a", Round(round=0, started_at=1.0))
    for _ in range(2):
        book.put_round("a", Round(round=0, complete=True, started_at=1.0))
    write(log, store)

    assert [(each.kind, each.fields.get("state")) for each in entries(store)] == [
        ("run-queued", None),
        ("run-started", None),
        ("run-paused", None),
        ("run-resumed", None),
        ("run-ended", "interrupted"),
        ("run-taken-up", None),
        ("run-ended", "stopped"),
        ("round-completed", None),
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"fields": {}, "index": 0, "kind": "x", "time": 1, "more": 1},
        {"fields": {}, "index": 0, "kind": "x"},
        {"fields": [], "index": 0, "kind": "x", "time": 1},
        {"fields": {}, "index": True, "kind": "x", "time": 1},
        {"fields": {}, "index": -1, "kind": "x", "time": 1},
        {"fields": {}, "index": 0, "kind": "X y", "time": 1},
        {"fields": {}, "index": 0, "kind": "x", "time": 1.5},
        [],
    ],
)
def test_bytes_that_are_no_entry_are_refused(value: object) -> None:
    with pytest.raises(EntryInvalid):
        Entry.parse(canonical(value))


def test_a_draft_becomes_the_entry_that_is_read() -> None:
    draft = Draft.of(5, Kind.RUN_PAUSED, {"run": "ä\ud800", "round": 1})

    assert Entry.parse(draft.at(7)) == Entry(7, 5, "run-paused", {"run": "ä\ud800", "round": 1})
    with pytest.raises(ValueError, match="cannot be the kind"):
        Draft.of(5, "no kind", {})
