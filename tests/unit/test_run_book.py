"""The run book keeps runs and rounds, publishes each change, and lets no run go a forbidden way."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.records import Round, RoundUpdate, Run, RunState
from shared.errors import IllegalTransition
from tests.support.records import a_run


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def book(bus: EventBus) -> RunBook:
    return RunBook(bus)


def test_runs_are_listed_newest_first(book: RunBook) -> None:
    for run_id in ("a", "b", "c"):
        book.add(a_run(run_id))

    assert [run.id for run in book.newest_first()] == ["c", "b", "a"]


def test_a_run_that_nobody_entered_is_not_there(book: RunBook) -> None:
    assert book.get("nothing") is None


def test_a_run_that_must_be_there_is_there_or_an_error(book: RunBook) -> None:
    book.add(a_run("a"))

    assert book.run("a").id == "a"
    with pytest.raises(KeyError):
        book.run("nothing")


@pytest.mark.parametrize(
    "wrong",
    [{"reason": 7}, {"started_at": math.nan}, {"clients": "ab"}, {"states": "running"}],
)
def test_a_change_that_could_never_be_read_again_is_refused_and_changes_nothing(
    book: RunBook, bus: EventBus, wrong: dict[str, Any]
) -> None:
    book.add(a_run("a"))

    with pytest.raises(ValidationError):
        book.update("a", **wrong)

    assert bus.last == 1
    assert Run.model_validate_json(book.run("a").model_dump_json()) == book.run("a")


def test_a_change_makes_a_new_run_and_is_published(book: RunBook, bus: EventBus) -> None:
    before = a_run("a")
    book.add(before)

    after = book.update("a", state=RunState.WAITING, reason="waiting for 1 more client")

    assert before.state is RunState.QUEUED
    assert book.get("a") == after
    assert [event.data.state for event in bus.since(0) if isinstance(event.data, Run)] == [
        "queued",
        "waiting",
    ]


def test_no_change_is_not_published(book: RunBook, bus: EventBus) -> None:
    book.add(a_run("a", round=3))

    book.update("a", round=3)

    assert bus.last == 1


def test_a_forbidden_transition_is_refused_and_changes_nothing(book: RunBook) -> None:
    book.add(a_run("a"))

    with pytest.raises(IllegalTransition, match="queued cannot become completed"):
        book.update("a", state=RunState.COMPLETED, reason="?")

    run = book.get("a")
    assert run is not None
    assert (run.state, run.reason) == (RunState.QUEUED, None)


@pytest.mark.parametrize("final", [RunState.STOPPED, RunState.FAILED])
def test_nothing_changes_after_the_end(book: RunBook, final: RunState) -> None:
    book.add(a_run("a"))
    book.update("a", state=final, reason="over")

    assert book.update("a", round=9, reason="late news").reason == "over"


def test_rounds_are_in_order_and_replaced_by_number(book: RunBook, bus: EventBus) -> None:
    book.add(a_run("a"))
    for number, accuracy in ((1, 0.5), (0, 0.1), (1, 0.6)):
        book.put_round("a", Round(round=number, accuracy=accuracy, started_at=0.0))

    assert [(round_.round, round_.accuracy) for round_ in book.rounds("a")] == [(0, 0.1), (1, 0.6)]
    updates = [event.data for event in bus.since(0) if isinstance(event.data, RoundUpdate)]
    assert [update.round.accuracy for update in updates] == [0.5, 0.1, 0.6]


class SlowStore:
    """Has two rounds of every run, and takes as long to read them as a test wants."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self.times = 0

    def load(self, run_id: str) -> Iterator[Round]:
        self.times += 1
        self.asked.set()
        assert self.may_answer.wait(10)
        yield from (Round(round=number, accuracy=0.5, started_at=0.0) for number in (0, 1))


def test_while_rounds_are_loaded_runs_change_as_ever(bus: EventBus) -> None:
    store = SlowStore()
    book = RunBook(bus, [a_run("a"), a_run("b")], store.load)
    loaded: list[list[Round]] = []
    reader = threading.Thread(target=lambda: loaded.append(book.rounds("a")), daemon=True)
    reader.start()
    assert store.asked.wait(2)

    changer = threading.Thread(
        target=lambda: book.update("b", state=RunState.WAITING, reason="waiting"), daemon=True
    )
    changer.start()
    changer.join(2)
    is_held_up = changer.is_alive()
    store.may_answer.set()
    reader.join(2)

    assert not is_held_up, "a run cannot change while the rounds of another are loaded"
    assert [[round_.round for round_ in rounds] for rounds in loaded] == [[0, 1]]


def test_rounds_are_loaded_once_and_new_ones_come_beside_them(bus: EventBus) -> None:
    store = SlowStore()
    store.may_answer.set()
    book = RunBook(bus, [a_run("a")], store.load)

    book.put_round("a", Round(round=1, accuracy=0.6, started_at=0.0))
    book.put_round("a", Round(round=2, accuracy=0.7, started_at=0.0))

    assert [(round_.round, round_.accuracy) for round_ in book.rounds("a")] == [(0, 0.5), (1, 0.6), (2, 0.7)]
    assert store.times == 1


def test_what_is_entered_while_rounds_are_loaded_is_not_lost(bus: EventBus) -> None:
    store = SlowStore()
    book = RunBook(bus, [a_run("a")], store.load)
    reader = threading.Thread(target=lambda: book.rounds("a"), daemon=True)
    reader.start()
    assert store.asked.wait(2)
    store.may_answer.set()

    book.put_round("a", Round(round=1, accuracy=0.6, started_at=0.0))
    reader.join(2)

    assert [(round_.round, round_.accuracy) for round_ in book.rounds("a")] == [(0, 0.5), (1, 0.6)]
