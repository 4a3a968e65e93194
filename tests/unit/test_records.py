"""Whatever text gets into a record, everybody can be sent it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.records import ClientRound, LogRecord, Record, Round, RunState, StoreStatus, WaitingFor, WaitKind
from tests.support.records import a_client, a_run

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=10)
FILE = "B\udce4r.csv"
"""As Python has the name of a file whose bytes are not UTF-8."""


def require_utf8(record: Record) -> None:
    """It can be written, and says the same over REST as over Socket.IO."""
    written = record.model_dump_json().encode()
    assert json.loads(written) == json.loads(json.dumps(record.model_dump(mode="json")))
    assert json.dumps(record.model_dump(mode="json"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "record",
    [
        LogRecord(level="error", source=FILE, logger=FILE, message=FILE, run_id=FILE, traceback=FILE),
        a_run(reason=FILE, error=FILE, clients=(FILE,), classes=("a", FILE)),
        a_run(waiting_for=WaitingFor(kind=WaitKind.CLIENTS, clients=(FILE,))),
        a_client(FILE, host=FILE, device=FILE, reason=FILE, models=(FILE,)),
        Round(round=1, started_at=0.0, per_client={FILE: ClientRound(error=FILE, metrics={FILE: 1.0})}),
        StoreStatus(problem=FILE),
    ],
)
def test_text_that_is_no_utf_8_is_replaced(record: Record) -> None:
    require_utf8(record)
    assert "B\ufffdr.csv" in record.model_dump_json()


def test_so_it_is_when_a_record_is_changed() -> None:
    bus = EventBus()
    book = RunBook(bus)
    book.add(a_run("a"))

    book.update("a", reason=FILE, error=f"Traceback …\nOSError: {FILE}", clients=(FILE, "b"))
    book.put_round(
        "a", Round(round=1, started_at=0.0).model_copy(update={"per_client": {FILE: ClientRound()}})
    )

    for event in bus.since(0):
        require_utf8(event)


def test_what_is_printable_already_stays_the_very_same() -> None:
    parts = {"a": ClientRound(loss=1.0), "Bär": ClientRound()}
    round_ = Round(round=1, started_at=0.0).model_copy(update={"per_client": parts})

    assert round_.per_client is parts


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_can_be_published(text: str, other: str) -> None:
    bus = EventBus()
    bus.publish(LogRecord(level="info", source=text, logger=other, message=text))
    bus.publish(a_run("a", reason=text).model_copy(update={"error": other, "state": RunState.FAILED}))

    for event in bus.since(0):
        require_utf8(event)


@given(
    st.recursive(ANY_TEXT | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner))
)
def test_a_change_is_cleaned_however_deep(value: Any) -> None:
    copied = a_run().model_copy(update={"reason": value})

    json.dumps(copied.reason, ensure_ascii=False).encode()
