"""The migrations make exactly the schema of the models, and what they cannot bring up to date is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, text

from app.event_bus import EventBus
from app.records import ClientRound, MembershipState, Round, RoundUpdate
from app.store.models import Base
from app.store.reader import StoreReader
from app.store.schema import VERSION_TABLE
from app.store.store import Store
from app.store.urls import parse_url
from shared.errors import StoreUnavailable
from tests.support.records import A_KEY, a_client, a_run


@pytest.fixture
def beside(store_url: str) -> Iterator[Engine]:
    """A way into the database past the store."""
    engine = create_engine(parse_url(store_url))
    yield engine
    engine.dispose()


def test_the_migrations_make_the_schema_of_the_models(store_url: str, beside: Engine) -> None:
    Store.open(store_url).close()

    with beside.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_a_store_that_is_up_to_date_is_left_alone(store_url: str) -> None:
    for _ in range(2):
        Store.open(store_url).close()


def set_version(beside: Engine, version: str) -> None:
    with beside.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{version}'"))


def take_back_to_0004(connection: Connection) -> None:
    added = (
        *(("client_rounds", name) for name in ("verdict", "epsilon", "epsilon_of_run", "epsilon_budget")),
        ("runs", "privacy"),
        ("runs", "mesh"),
        ("clients", "run"),
        ("rounds", "epsilon"),
        ("client_rounds", "held_out"),
        ("rounds", "sent_bytes"),
        ("rounds", "received_bytes"),
        ("logs", "size"),
    )
    for index in ("source_size", "time"):
        connection.execute(text(f"DROP INDEX ix_logs_{index}"))
    connection.execute(text("DROP INDEX ix_verdicts_run_id_seq_bytes"))
    added += tuple(("runs", name) for name in ("name", "tags", "notes"))
    for table, column in added:
        connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    audit = [f"audit_{name}" for name in ("log", "entries", "checkpoints", "cosignatures")]
    pages = [f"page_{name}" for name in ("users", "sessions", "tokens")]
    of_runs = ("notices", "usage_minutes", "client_labels")
    for table in ("members", "invitations", "verdicts", *audit, *pages, *of_runs):
        connection.execute(text(f"DROP TABLE {table}"))


def test_a_store_of_a_newer_fedloom_is_refused_in_words(store_url: str, beside: Engine) -> None:
    Store.open(store_url).close()
    set_version(beside, "9999")

    for open_it in (Store.open, StoreReader.open_to_read):
        with pytest.raises(StoreUnavailable, match=r"newer FedLoom \(schema 9999, this one knows 0017\)"):
            open_it(store_url)


def test_a_reader_asks_for_a_server_to_bring_an_older_store_up_to_date(
    store_url: str, beside: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(store_url).close()
    monkeypatch.setattr("alembic.script.ScriptDirectory.get_current_head", lambda self: "9998")

    with pytest.raises(StoreUnavailable, match=r"older FedLoom\. Start the server once"):
        StoreReader.open_to_read(store_url)


def test_the_rounds_of_an_older_store_are_read_as_they_were(store_url: str, beside: Engine) -> None:
    bus = EventBus()
    part = ClientRound(loss=0.5, metrics={"loss": 0.5})
    before = Round(round=1, complete=True, started_at=1.0, per_client={"client-1": part})
    with Store.open(store_url) as store:
        for what in (a_run("a"), RoundUpdate(run_id="a", round=before)):
            bus.publish(what)
        store.apply(bus.since(0))
    with beside.begin() as connection:
        for table, column in (("rounds", "label"), ("rounds", "metrics"), ("client_rounds", "stages")):
            connection.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        connection.execute(text("ALTER TABLE clients DROP COLUMN key"))
        take_back_to_0004(connection)
    set_version(beside, "0002")

    with Store.open(store_url) as store:
        assert store.rounds("a") == [before]


def test_clients_whose_keys_were_known_are_members(store_url: str, beside: Engine) -> None:
    bus = EventBus()
    with Store.open(store_url) as store:
        for client in (a_client("a", key=A_KEY), a_client("before keys")):
            bus.publish(client)
        store.apply(bus.since(0))
    with beside.begin() as connection:
        take_back_to_0004(connection)
    set_version(beside, "0004")

    with Store.open(store_url) as store:
        (member,) = store.enrolment.members()
    assert (member.client_id, member.key, member.state) == ("a", A_KEY, MembershipState.ADMITTED)


def test_a_database_of_another_program_is_left_as_it_is(store_url: str, beside: Engine) -> None:
    Store.open(store_url).close()
    with beside.begin() as connection:
        connection.execute(text(f"DROP TABLE {VERSION_TABLE}"))

    with pytest.raises(
        StoreUnavailable, match=r"tables of another program \(audit_checkpoints, .*, clients, "
    ):
        Store.open(store_url)
    with pytest.raises(StoreUnavailable, match="is not a FedLoom store"):
        StoreReader.open_to_read(store_url)


def test_a_migration_that_fails_leaves_nothing(
    store_url: str, beside: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("alembic.op.create_index", fail)
        with pytest.raises(KeyboardInterrupt):
            Store.open(store_url)

    with beside.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert context.get_current_revision() is None
    Store.open(store_url).close()
