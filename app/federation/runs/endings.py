"""Endings: how a run leaves the run thread, in the run book and in the log."""

from __future__ import annotations

import logging
import time

from app.federation.runs import words
from app.federation.runs.book import RunBook
from app.federation.runs.shortage import is_shortage
from app.records import Cause, Pending, Run, RunState
from shared.error_text import traceback_text
from shared.errors import (
    AppDied,
    AppFailed,
    AppInvalid,
    BudgetSpent,
    DatasetUnavailable,
    EngineFailed,
    FedLoomError,
    RoundFailed,
    StoreUnavailable,
)

log = logging.getLogger(__name__)


class Endings:
    """Ends and interrupts runs. Safe from any thread."""

    def __init__(self, book: RunBook) -> None:
        self._book = book

    def complete(self, run_id: str) -> None:
        """All rounds are done."""
        self._end(run_id, RunState.COMPLETED)

    def stop(self, run_id: str) -> Run:
        """Somebody asked for it."""
        return self._end(run_id, RunState.STOPPED, Cause.REQUEST, words.STOPPED)

    def end_by(self, run_id: str, error: BaseException) -> None:
        """What was raised is why the run goes on no longer.

        It is interrupted where what passes was the cause, so that it can be resumed; else it has failed.
        """
        match error:
            case StoreUnavailable():
                self.interrupt(run_id, Cause.STORE, str(error), logging.ERROR)
            case DatasetUnavailable():
                self.interrupt(run_id, Cause.DATA, str(error), logging.ERROR)
            case AppInvalid() if _can_go_on(self._book.run(run_id)):
                self.interrupt(run_id, Cause.APP, str(error), logging.ERROR)
            case AppFailed():
                self._end(run_id, RunState.FAILED, Cause.APP_FAILED, str(error), traceback=error.traceback)
            case AppDied():
                reason = words.app_died(str(error))
                self._end(run_id, RunState.FAILED, Cause.APP_FAILED, reason, printed=error.last)
            case EngineFailed():
                self.interrupt(run_id, Cause.ENGINE, str(error), logging.ERROR, printed=error.printed)
            case BudgetSpent():
                self._end(run_id, RunState.STOPPED, Cause.BUDGET, str(error))
            case FedLoomError():
                self._end(run_id, RunState.FAILED, _cause_of(error), str(error))
            case _ if is_shortage(error) and _can_go_on(self._book.run(run_id)):
                self.interrupt(run_id, Cause.SHORTAGE, words.shortage(error), logging.ERROR, error)
            case _:
                self._end(run_id, RunState.FAILED, Cause.ERROR, words.unexpected(error), error)

    def interrupt(
        self,
        run_id: str,
        cause: Cause,
        reason: str,
        level: int = logging.WARNING,
        error: BaseException | None = None,
        printed: str = "",
    ) -> Run:
        """The run goes on later, if its kind can; one that was paused stays so.

        `error`: one whose traceback says more than the reason; `printed`: what an engine did before it ended.
        """
        log.log(level, "run %s is interrupted: %s", run_id, reason, extra={"run_id": run_id}, exc_info=error)
        run = self._book.run(run_id)
        return self._book.update(
            run_id,
            state=RunState.INTERRUPTED,
            cause=cause,
            reason=reason,
            pending=still_paused(run),
            waiting_for=None,
            can_resume=_can_go_on(run),
            error=printed or None,
            progress=None,
            finished_at=time.time(),
        )

    def _end(
        self,
        run_id: str,
        state: RunState,
        cause: Cause | None = None,
        reason: str | None = None,
        error: BaseException | None = None,
        traceback: str = "",
        printed: str = "",
    ) -> Run:
        """Of a failure there is the `error`, an app's `traceback`, or what it `printed` before it died."""
        traceback = traceback_text(error) if error else traceback
        run = self._book.update(
            run_id,
            state=state,
            cause=cause,
            reason=reason,
            error=traceback or printed or None,
            pending=None,
            waiting_for=None,
            can_resume=False,
            progress=None,
            finished_at=time.time(),
        )
        log.log(
            logging.ERROR if state is RunState.FAILED else logging.INFO,
            "run %s %s%s",
            run.id,
            run.state,
            f": {reason}" if reason else "",
            extra={"run_id": run_id, "traceback": traceback or None},
        )
        return run


def still_paused(run: Run) -> Pending | None:
    """What holds until somebody resumes the run, whatever comes between: that it is paused, or is to be."""
    is_paused = run.state is RunState.PAUSED or run.pending is Pending.PAUSING
    return Pending.PAUSING if is_paused else None


def _can_go_on(run: Run) -> bool:
    """Another app's state nobody knows, but one that had not begun has none."""
    return run.spec.app is None or run.started_at is None


def _cause_of(error: FedLoomError) -> Cause:
    if isinstance(error, RoundFailed):
        return Cause.ROUND
    return Cause.APP if isinstance(error, AppInvalid) else Cause.ERROR
