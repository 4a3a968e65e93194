"""A record that cannot be read is shown as such, costs nothing else, and stays in the database as it is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine

import app.export
from app.environment import Environment
from app.event_bus import EventBus
from app.records import Cause, ClientRound, LogRecord, Round, RoundUpdate, RunState
from app.settings import ServerSettings
from app.store.store import Store
from app.store.urls import parse_url
from shared.run_spec import RunSpec
from tests.support.records import a_client, a_run


@pytest.fixture
def store_url(store_url: str) -> str:
    """A store with two runs, two rounds of the first, a client and log records."""
    bus = EventBus()
    with Store.open(store_url) as store:
        bus.publish(a_run("bad", spec=RunSpec(lr=0.5, num_rounds=7), state=RunState.RUNNING, round=2))
        bus.publish(a_run("good", state=RunState.COMPLETED))
        for number in (1, 2):
            round_ = Round(
                round=number,
                complete=True,
                loss=0.25,
                accuracy=0.5,
                started_at=5.0,
                per_client={"client-1": ClientRound(loss=0.125, samples=3)},
            )
            bus.publish(RoundUpdate(run_id="bad", round=round_))
        bus.publish(a_client("client-1", device="gpu"))
        for message in ("first", "second"):
            bus.publish(LogRecord(level="info", source="server", logger="test", message=message))
        store.apply(bus.since(0))
    return store_url


@contextmanager
def past_fedloom(store_url: str) -> Iterator[Connection]:
    engine = create_engine(parse_url(store_url))
    with engine.begin() as connection:
        if store_url.startswith("sqlite"):
            driver: Any = connection.connection.dbapi_connection
            driver.text_factory = bytes  # as it is there
        yield connection
    engine.dispose()


def spoil(store_url: str, assignment: str, table: str = "runs", where: str = "id = 'bad'") -> None:
    """As a disk, another program or another version may."""
    with past_fedloom(store_url) as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {assignment} WHERE {where}")


def raw(store_url: str, table: str) -> list[Any]:
    with past_fedloom(store_url) as connection:
        return sorted(map(repr, connection.exec_driver_sql(f"SELECT * FROM {table}").all()))


SPOILT = {
    "a state of a later version": ("state = 'dreaming'", "state: Input should be"),
    "a cause of a later version": ("cause = 'karma'", "cause: Input should be"),
    "a spec that is none": ("spec = '[]'", "spec: it is no JSON object"),
    "a spec with an unknown strategy": (
        """spec = '{"strategy": "magic", "lr": 0.5}'""",
        "spec.strategy: Input should be",
    ),
    "a spec of another type": ("""spec = '{"lr": "fast"}'""", "spec.lr: Input should be"),
    "clients that are none": ("clients = '7'", "clients: "),
    "a wait of a later version": ("""waiting_for = '{"kind": "rain"}'""", "waiting_for: Input should be"),
    "a final score that is none": ("""final = '{"loss": "low"}'""", "final: Input should be"),
}
ONLY_SQLITE = {
    "damaged JSON": ("""spec = '{"lr": 0.'""", "spec: it is no JSON object"),
    "damaged JSON beside the spec": ("classes = '[\"a'", "classes: it is damaged"),
    "JSON nested too deeply": (f"clients = '{'[' * 100_000}'", "clients: it is damaged"),
    "words in place of a number": ("created_at = 'yesterday'", "created_at: Input should be"),
    "no UTF-8": ("state = CAST(X'72756eff' AS TEXT)", "state: Input should be"),
    "a number in place of words": ("spec = 5", "spec: it is no JSON object"),
}


def cases(store_url: str) -> dict[str, tuple[str, str]]:
    return SPOILT if store_url.startswith("postgres") else {**SPOILT, **ONLY_SQLITE}


def test_a_run_that_cannot_be_read_is_shown_with_what_can_be_read(store_url: str) -> None:
    for name, (assignment, words) in cases(store_url).items():
        spoil(store_url, assignment)
        before = raw(store_url, "runs")

        with Store.open(store_url) as store:
            runs = {run.id: run for run in store.runs()}
            rounds = store.rounds("bad")
        bad = runs["bad"]

        assert runs["good"].state is RunState.COMPLETED, name
        assert bad.state is RunState.FAILED, name
        assert bad.cause is Cause.RECORD
        assert (bad.reason or "").startswith("its record cannot be read: "), name
        assert words in (bad.reason or ""), name
        assert bad.round == 2
        assert len(rounds) == 2
        assert raw(store_url, "runs") == before
        restore(store_url)


def restore(store_url: str) -> None:
    good = a_run("bad", spec=RunSpec(lr=0.5, num_rounds=7), state=RunState.RUNNING, round=2)
    bus = EventBus(first_seq=100)
    with Store.open(store_url) as store:
        bus.publish(good)
        store.apply(bus.since(99))


def test_what_is_right_in_its_spec_is_kept(store_url: str) -> None:
    spoil(store_url, """spec = '{"strategy": "magic", "lr": 0.5, "num_rounds": 20000, "of_later": 1}'""")

    with Store.open(store_url) as store:
        run = store.run("bad")

    assert run is not None
    assert (run.spec.lr, run.spec.num_rounds, run.spec.strategy) == (0.5, 20_000, RunSpec().strategy)


def test_a_run_that_had_ended_stays_as_it_ended(store_url: str) -> None:
    spoil(store_url, "classes = '7'", where="id = 'good'")

    with Store.open(store_url) as store:
        run = store.run("good")

    assert run is not None
    assert (run.state, run.cause) == (RunState.COMPLETED, Cause.RECORD)


def test_a_server_starts_with_it_and_leaves_it_as_it_is(
    store_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(store_url, "state = 'dreaming'")
    spoil(store_url, "confusion = '[1]'", table="rounds", where="run_id = 'bad' AND round = 1")
    before = raw(store_url, "runs"), raw(store_url, "rounds")

    env = Environment(ServerSettings(store=store_url, home=tmp_path, port=0, link_port=0))
    with caplog.at_level(logging.WARNING):
        env.start()
    try:
        for run in env.book.newest_first():
            env.bus.publish(run)
        for round_ in env.book.rounds("bad"):
            env.bus.publish(RoundUpdate(run_id="bad", round=round_))
        env.writer.flush(30)
    finally:
        env.shut_down()

    assert "run bad: its record cannot be read: state" in caplog.text
    assert (raw(store_url, "runs"), raw(store_url, "rounds")) == before


def test_a_round_that_cannot_be_read_is_shown_without_what_is_wrong(store_url: str) -> None:
    spoil(store_url, "confusion = '[1]'", table="rounds", where="run_id = 'bad' AND round = 1")
    spoil(store_url, "metrics = '[]'", table="client_rounds", where="run_id = 'bad' AND round = 2")

    with Store.open(store_url) as store:
        first, second = store.rounds("bad")

    assert (first.round, first.loss, first.confusion) == (1, 0.25, None)
    assert (first.unreadable or "").startswith("its record cannot be read: confusion: ")
    assert second.unreadable is None
    part = second.per_client["client-1"]
    assert part.loss == 0.125
    assert (part.error or "").startswith("its record cannot be read: metrics: ")


def test_so_are_clients_log_records_and_the_history(store_url: str) -> None:
    spoil(store_url, "models = '7'", table="clients", where="id = 'client-1'")
    spoil(store_url, "level = 'whisper'", table="logs", where="message = 'first'")
    spoil(store_url, "data = '[]'", table="events", where="subject = 'bad'")

    with Store.open(store_url) as store:
        (client,) = store.clients()
        first, second = store.logs(10)
        history = store.events(10)

    assert (client.id, client.device, client.models) == ("client-1", "gpu", ())
    assert (client.reason or "").startswith("its record cannot be read: models: ")
    assert first.message.startswith("first (its record cannot be read: level: ")
    assert second.message == "second"
    assert {event.subject for event in history} == {"bad", "good", "client-1"}


def test_an_export_says_what_is_missing(
    store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(store_url, "state = 'dreaming'")
    spoil(store_url, "confusion = '[1]'", table="rounds", where="run_id = 'bad' AND round = 1")

    assert app.export.main(["bad", "--store", store_url, "--output", str(tmp_path)]) == 0

    warnings = capsys.readouterr().err
    assert "warning: run bad: its record cannot be read: state: " in warnings
    assert "warning: round 1: its record cannot be read: confusion" in warnings
    document = (tmp_path / "bad" / "run.json").read_text()
    assert '"cause":"record"' in document
    assert '"unreadable":"its record' in document


def test_a_value_that_is_right_is_no_word_worth(store_url: str) -> None:
    with Store.open(store_url) as store:
        assert [run.cause for run in store.runs()] == [None, None]
        assert [round_.unreadable for round_ in store.rounds("bad")] == [None, None]
