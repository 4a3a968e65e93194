"""What ends a run for good, and what only interrupts it because it may pass."""

from __future__ import annotations

import errno

import pytest
import torch

from app.event_bus import EventBus
from app.federation.runs.book import RunBook
from app.federation.runs.endings import Endings
from app.records import Cause, RunState
from shared.errors import (
    AppDied,
    AppFailed,
    AppInvalid,
    BudgetSpent,
    CheckpointInvalid,
    DatasetUnavailable,
    RoundFailed,
    SettingsInvalid,
    StoreUnavailable,
)
from shared.run_spec import RunSpec
from tests.support.records import a_run

OF_AN_APP = RunSpec(app="made-up")


def ended_by(error: BaseException, spec: RunSpec = RunSpec(), *, begun: bool = True) -> RunBook:  # noqa: B008
    book = RunBook(EventBus())
    book.add(a_run("a", state=RunState.WAITING, started_at=1.0 if begun else None, spec=spec))
    Endings(book).end_by("a", error)
    return book


PASSING = [
    (StoreUnavailable("The database is locked."), Cause.STORE),
    (DatasetUnavailable("The mirrors do not answer."), Cause.DATA),
    (MemoryError(), Cause.SHORTAGE),
    (torch.OutOfMemoryError("CUDA out of memory"), Cause.SHORTAGE),
    (OSError(errno.EMFILE, "Too many open files"), Cause.SHORTAGE),
    (OSError(errno.ENOSPC, "No space left on device"), Cause.SHORTAGE),
]

FINAL = [
    (RoundFailed("No client returned an update."), Cause.ROUND),
    (SettingsInvalid("Krum needs more."), Cause.ERROR),
    (CheckpointInvalid("It is of another strategy."), Cause.ERROR),
    (OSError(errno.EINVAL, "Invalid argument"), Cause.ERROR),
    (ValueError("no"), Cause.ERROR),
]


@pytest.mark.parametrize(("error", "cause"), PASSING, ids=lambda value: type(value).__name__)
def test_what_may_pass_interrupts_a_run_that_can_go_on(error: BaseException, cause: Cause) -> None:
    run = ended_by(error).run("a")

    assert (run.state, run.cause, run.can_resume) == (RunState.INTERRUPTED, cause, True)
    assert run.reason


@pytest.mark.parametrize(("error", "cause"), FINAL, ids=lambda value: type(value).__name__)
def test_what_would_come_again_ends_a_run_for_good(error: BaseException, cause: Cause) -> None:
    run = ended_by(error).run("a")

    assert (run.state, run.cause, run.can_resume) == (RunState.FAILED, cause, False)


def test_where_a_run_ran_short_of_something_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Its record has no traceback, since it goes on."""
    run = ended_by(OSError(errno.EMFILE, "Too many open files")).run("a")

    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], OSError)
    assert run.error is None


def test_what_is_in_a_group_of_errors_is_named() -> None:
    try:
        raise ExceptionGroup("two", [ValueError("no"), KeyError("x")])
    except ExceptionGroup as raised:
        run = ended_by(raised).run("a")

    assert "two (2 sub-exceptions): ValueError: no; KeyError: 'x'" in (run.reason or "")


def test_a_run_of_another_app_that_runs_short_of_something_has_failed_with_its_traceback() -> None:
    run = ended_by(MemoryError(), OF_AN_APP).run("a")

    assert (run.state, run.cause) == (RunState.FAILED, Cause.ERROR)
    assert "MemoryError" in (run.error or "")


@pytest.mark.parametrize(
    ("begun", "state"), [(False, RunState.INTERRUPTED), (True, RunState.FAILED)], ids=["before", "after"]
)
def test_an_app_that_cannot_be_loaded_leaves_its_run_as_it_is_unless_it_had_begun(
    begun: bool, state: RunState
) -> None:
    run = ended_by(AppInvalid("It needs a package."), OF_AN_APP, begun=begun).run("a")

    assert (run.state, run.cause, run.can_resume) == (state, Cause.APP, not begun)


def test_a_run_whose_app_raised_an_error_has_failed_with_the_apps_traceback() -> None:
    run = ended_by(AppFailed("The ServerApp ended by ValueError: no", "Traceback ..."), OF_AN_APP).run("a")

    assert (run.state, run.cause, run.can_resume) == (RunState.FAILED, Cause.APP_FAILED, False)
    assert (run.reason, run.error) == ("The ServerApp ended by ValueError: no", "Traceback ...")


@pytest.mark.parametrize("last", ["Fatal Python error: Aborted\n", ""])
def test_a_run_whose_apps_process_ended_has_failed_with_the_last_that_it_said(last: str) -> None:
    run = ended_by(AppDied("Its process ended: it aborted (SIGABRT).", last), OF_AN_APP).run("a")

    assert (run.state, run.cause) == (RunState.FAILED, Cause.APP_FAILED)
    assert run.reason == ("The ServerApp did not come to its end. Its process ended: it aborted (SIGABRT).")
    assert run.error == (last or None)


def test_spent_budgets_end_a_run_that_has_not_failed() -> None:
    run = ended_by(BudgetSpent("The privacy budgets of all clients are spent.")).run("a")

    assert (run.state, run.cause, run.can_resume) == (RunState.STOPPED, Cause.BUDGET, False)
    assert run.reason == "The privacy budgets of all clients are spent."
    assert run.error is None
