"""The store has runs of other versions of FedLoom, whose settings were others."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, select, update

from app.event_bus import EventBus
from app.store.reader import RUNS
from app.store.store import Store
from shared.run_spec import RunSpec
from tests.support.records import a_run


def keep_with(store_url: str, **changes: Any) -> None:
    """Keep the run "a" as a version has kept it whose spec differed; a change to None takes a field away."""
    bus = EventBus()
    with Store.open(store_url) as store:
        bus.publish(a_run("a", spec=RunSpec(lr=0.5)))
        store.apply(bus.since(0))
    engine = create_engine(store_url)
    with engine.begin() as connection:
        spec = connection.execute(select(RUNS.c.spec)).scalar_one()
        present = {name: value for name, value in {**spec, **changes}.items() if value is not None}
        connection.execute(update(RUNS).values(spec=present))
    engine.dispose()


def test_a_run_from_before_a_field_existed_is_read(store_url: str) -> None:
    keep_with(store_url, min_replies=None)

    with Store.open(store_url) as store:
        assert [run.spec for run in store.runs()] == [RunSpec(lr=0.5)]


def test_a_run_of_a_later_version_is_read_without_what_is_not_known_here(store_url: str) -> None:
    keep_with(store_url, noise_multiplier=1.1)

    with Store.open(store_url) as store:
        assert [run.spec for run in store.runs()] == [RunSpec(lr=0.5)]


def test_a_run_with_a_value_that_is_refused_today_is_read_as_it_was(store_url: str) -> None:
    keep_with(store_url, num_rounds=20_000)

    with Store.open(store_url) as store:
        (run,) = store.runs()
        assert (run.spec.num_rounds, run.spec.lr) == (20_000, 0.5)
        assert store.run("a") == run
