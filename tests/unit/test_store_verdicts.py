"""What was decided of replies is found again: by run, client and verdict, and by whose numbers were seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.event_bus import EventBus
from app.records import Judgement, Verdict
from app.store.store import Store
from app.store.urls import default_url
from tests.support.records import a_client


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(default_url(tmp_path)) as store:
        yield store


def a_judgement(client_id: str = "a", verdict: Verdict = Verdict.ACCEPTED, **fields: Any) -> Judgement:
    known: dict[str, Any] = {"run_id": "r", "key": f"key of {client_id}", "message_id": "m", "time": 1.0}
    return Judgement(client_id=client_id, verdict=verdict, **{**known, **fields})


def keep(store: Store, *data: Any) -> None:
    bus = EventBus(first_seq=store.last_seq() + 1)
    first = bus.last
    for one in data:
        bus.publish(one)
    store.apply(bus.since(first))


def test_they_are_found_by_run_client_and_verdict_the_newest_last(store: Store) -> None:
    keep(
        store,
        a_judgement("a"),
        a_judgement("b", Verdict.LATE),
        a_judgement("a", Verdict.REPLAYED),
        a_judgement("a", run_id="another"),
        a_judgement("a", run_id=None),
    )

    def found(**wanted: Any) -> list[tuple[int, str]]:
        return [(entry.seq, entry.verdict.value) for entry in store.verdicts(10, run_id="r", **wanted)]

    assert found() == [(1, "accepted"), (2, "late"), (3, "replayed")]
    assert found(client_id="a") == [(1, "accepted"), (3, "replayed")]
    assert found(verdict=Verdict.LATE) == [(2, "late")]
    assert found(before_seq=3) == [(1, "accepted"), (2, "late")]
    assert [entry.seq for entry in store.verdicts(1, run_id="r")] == [3]


def test_clients_come_back_with_their_counts(store: Store) -> None:
    keep(
        store,
        a_client("a"),
        a_client("b"),
        a_judgement("a"),
        a_judgement("a"),
        a_judgement("a", Verdict.REPLAYED),
    )

    a, b = store.clients()

    assert (a.verdict, a.verdicts) == (Verdict.REPLAYED, {Verdict.ACCEPTED: 2, Verdict.REPLAYED: 1})
    assert (b.verdict, b.verdicts) == (None, {})


def test_only_numbers_that_a_client_has_signed_count(store: Store) -> None:
    looked_at: dict[str, Any] = {"arrays_digest": "00"}
    keep(
        store,
        a_judgement("a", sequence=5, **looked_at),
        a_judgement("a", Verdict.MALFORMED, sequence=6, **looked_at),
        a_judgement("a", Verdict.BAD_SIGNATURE, sequence=90, **looked_at),
        a_judgement("a", Verdict.LATE, sequence=91),
        a_judgement("b", Verdict.REPLAYED, sequence=92, **looked_at),
    )

    assert store.sequences() == {"a": 6}


def test_the_next_event_has_a_number_of_its_own_also_when_a_verdict_was_the_last(store: Store) -> None:
    keep(store, a_judgement("a"))

    assert store.last_seq() == 1
