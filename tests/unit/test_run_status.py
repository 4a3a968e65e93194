"""What an active run shows of itself: what it waits for, and after a pause what it was before."""

from __future__ import annotations

import pytest

from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.federation.runs.run_status import RunStatus
from app.records import Pending, Run, RunState, WaitingFor, WaitKind
from tests.support.records import a_run

RUN = "7f3a9c01"
DATA = WaitingFor(kind=WaitKind.DATA)


@pytest.fixture
def book() -> RunBook:
    book = RunBook(EventBus())
    book.add(a_run(RUN))
    return book


@pytest.fixture
def shown(book: RunBook) -> RunStatus:
    return RunStatus(RUN, book)


def state_of(run: Run) -> tuple[RunState, str | None, WaitingFor | None]:
    return run.state, run.reason, run.waiting_for


def test_a_run_that_waits_says_for_what_in_code_and_in_words(shown: RunStatus, book: RunBook) -> None:
    shown.waits(DATA, "mnist")

    assert state_of(book.run(RUN)) == (RunState.WAITING, "loading the data set mnist", DATA)


def test_a_run_that_goes_on_says_nothing_and_has_begun_once(shown: RunStatus, book: RunBook) -> None:
    shown.waits(DATA, "mnist")
    shown.goes_on()
    began = book.run(RUN).started_at
    shown.waits(DATA, "mnist")
    shown.goes_on()

    assert state_of(book.run(RUN)) == (RunState.RUNNING, None, None)
    assert began is not None
    assert book.run(RUN).started_at == began


def test_a_run_can_go_on_and_say_why_nothing_is_seen_of_it(shown: RunStatus, book: RunBook) -> None:
    shown.waits(DATA, "mnist")
    shown.goes_on()

    shown.is_held_up(WaitingFor(kind=WaitKind.APP, have=3))

    assert book.run(RUN).state is RunState.RUNNING
    assert book.run(RUN).reason == "the app computes on the server, or waits for more clients than 3"


@pytest.mark.parametrize("begun", [True, False])
def test_after_a_pause_a_run_is_what_it_was_before(shown: RunStatus, book: RunBook, begun: bool) -> None:
    shown.waits(DATA, "mnist")
    if begun:
        shown.goes_on()
    before = state_of(book.run(RUN))

    shown.paused()
    assert state_of(book.run(RUN)) == (RunState.PAUSED, "paused by request", None)
    shown.resumed()

    assert state_of(book.run(RUN)) == before


def test_a_stop_that_was_confirmed_is_not_forgotten_by_a_pause(shown: RunStatus, book: RunBook) -> None:
    shown.waits(DATA, "mnist")
    book.update(RUN, pending=Pending.STOPPING)

    shown.paused()
    assert book.run(RUN).pending is Pending.STOPPING
    shown.resumed()
    assert book.run(RUN).pending is Pending.STOPPING


def test_a_pause_that_took_effect_is_no_longer_to_come(shown: RunStatus, book: RunBook) -> None:
    shown.waits(DATA, "mnist")
    book.update(RUN, pending=Pending.PAUSING)

    shown.paused()

    assert book.run(RUN).pending is None
