"""RunQueue: the runs whose turn is to come."""

from __future__ import annotations

import queue
from typing import TypedDict

from app.federation.runs import words
from app.federation.runs.book import RunBook
from app.federation.runs.states import IDLE_STATES
from app.records import Cause, Pending, Run, RunState, WaitingFor, WaitKind


class _Waiting(TypedDict):
    waiting_for: WaitingFor | None
    reason: str | None


class _TakenUp(TypedDict):
    state: RunState
    cause: Cause | None
    pending: Pending | None
    can_resume: bool
    error: str | None
    finished_at: float | None


def taken_up(pending: Pending | None = None) -> _TakenUp:
    """What of an interrupted run is different once it is to go on. `pending`: what it was told and holds."""
    return {
        "state": RunState.QUEUED,
        "cause": None,
        "pending": pending,
        "can_resume": False,
        "error": None,
        "finished_at": None,
    }


class RunQueue:
    """First come, first served. Safe from any thread."""

    def __init__(self, book: RunBook) -> None:
        self._book = book
        self._run_ids: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def enter(self, run: Run) -> Run:
        """Enter a new run into the book, and queue it; returns it as it is then."""
        self._book.add(run.changed(state=RunState.QUEUED, **self._what_it_waits_for()))
        self._run_ids.put(run.id)
        return self._book.run(run.id)

    def take_up(self, run_id: str, pending: Pending | None = None) -> Run:
        """Queue an interrupted run again. `pending`: what it was told, which still holds."""
        run = self._book.update(run_id, **taken_up(pending), **self._what_it_waits_for())
        self._run_ids.put(run_id)
        return run

    def put(self, run_id: str) -> None:
        """Queue a run that was queued already, by a server before this one."""
        self._run_ids.put(run_id)

    def close(self) -> None:
        """Whoever takes next is told that there is nothing more, also if there is."""
        self._run_ids.put(None)

    def take(self, timeout_s: float | None = None) -> str | None:
        """The id of the run whose turn it is; None after `close`.

        Blocks until there is one. Raises TimeoutError after `timeout_s`.
        """
        try:
            return self._run_ids.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError from None

    def _what_it_waits_for(self) -> _Waiting:
        """What is said of a run that is queued now."""
        is_busy = any(run.state not in IDLE_STATES for run in self._book.newest_first())
        waiting_for = WaitingFor(kind=WaitKind.TURN) if is_busy else None
        return {"waiting_for": waiting_for, "reason": words.waiting(waiting_for) if waiting_for else None}
