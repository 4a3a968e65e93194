"""What becomes of the runs that the store knows, when a server starts."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from app.federation.runs import app_compatibility, words
from app.federation.runs.book import RunBook
from app.federation.runs.endings import Endings, still_paused
from app.federation.runs.run_queue import RunQueue
from app.records import Cause, Pending, Run, RunState
from shared.flower_app import FlowerApp

log = logging.getLogger(__name__)

_CUT = frozenset({RunState.WAITING, RunState.RUNNING, RunState.PAUSED})
"""A run that the store has in one of these states when the server starts was cut."""


@dataclass(frozen=True)
class Recovered:
    """The runs that go on, in their order; those of `paused` stay paused until somebody resumes them."""

    going_on: tuple[Run, ...]
    paused: frozenset[str]


class Recovery:
    """Takes up what was queued, and what was cut, as far as it fits the server's app.

    What does not fit is set aside: it is interrupted, and taken up by the first server that it fits.
    """

    def __init__(self, book: RunBook, queue: RunQueue, app: FlowerApp | None) -> None:
        self._book = book
        self._queue = queue
        self._app = app
        self._endings = Endings(book)
        self._paused: set[str] = set()

    def recover(self, *, resume: bool) -> Recovered:
        """`resume`: whether what was cut goes on by itself. What was queued does so in any case."""
        going_on: list[Run] = []
        for run in self._known():
            run = self._without_a_cut(run)
            if run.state is not RunState.INTERRUPTED or not run.can_resume or _was_queued(run):
                continue
            if (objection := app_compatibility.objection(run, self._app)) is not None:
                self._set_aside(run, objection)
            elif resume:
                going_on.append(self._queue.take_up(run.id, still_paused(run)))
            elif run.cause is Cause.APP:  # which no longer holds
                self._book.update(run.id, cause=Cause.CRASH, reason=words.CUT)
        taken_up = {run.id for run in going_on}
        for run in self._known():
            if run.id in taken_up or not (run.state is RunState.QUEUED or _was_queued(run)):
                continue
            if (objection := app_compatibility.objection(run, self._app)) is not None:
                self._set_aside(run, objection)
            elif run.state is RunState.QUEUED:
                going_on.append(run)
                self._queue.put(run.id)
            else:
                going_on.append(self._queue.take_up(run.id, still_paused(run)))
        return Recovered(tuple(going_on), frozenset(self._paused & {run.id for run in going_on}))

    def _known(self) -> list[Run]:
        """All runs, oldest first."""
        return self._book.newest_first()[::-1]

    def _without_a_cut(self, run: Run) -> Run:
        """The run in a state of its own in place of one that only a server can be in."""
        if still_paused(run) is not None:
            self._paused.add(run.id)
        if run.state not in _CUT:
            return run
        if run.pending is Pending.STOPPING:
            return self._endings.stop(run.id)
        return self._endings.interrupt(run.id, Cause.CRASH, words.CUT)

    def _set_aside(self, run: Run, objection: str) -> None:
        if run.state is RunState.QUEUED:
            self._endings.interrupt(run.id, Cause.APP, objection)
            return
        log.warning("run %s stays interrupted: %s", run.id, objection, extra={"run_id": run.id})
        pending = Pending.PAUSING if run.id in self._paused else None
        self._book.update(run.id, cause=Cause.APP, reason=objection, pending=pending)


def _was_queued(run: Run) -> bool:
    """Whether a run was set aside that had not begun; one that is to be paused had been the active one."""
    is_set_aside = run.state is RunState.INTERRUPTED and run.cause is Cause.APP
    return is_set_aside and run.started_at is None and run.pending is None
