"""What becomes of the runs that the store knows, when a server starts."""

from __future__ import annotations

from dataclasses import dataclass

from app.federation.runs import words
from app.federation.runs.book import RunBook
from app.federation.runs.endings import Endings
from app.federation.runs.run_queue import RunQueue
from app.records import Cause, Pending, Run, RunState

_CUT = frozenset({RunState.WAITING, RunState.RUNNING, RunState.PAUSED})
"""A run that the store has in one of these states when the server starts was cut."""


@dataclass(frozen=True)
class Recovered:
    """The runs that go on, oldest first; those of `paused` stay paused until somebody resumes them."""

    going_on: tuple[Run, ...]
    paused: frozenset[str]


class Recovery:
    """Takes up what was queued, and what was cut."""

    def __init__(self, book: RunBook, queue: RunQueue) -> None:
        self._book = book
        self._queue = queue
        self._endings = Endings(book)

    def recover(self, *, resume: bool) -> Recovered:
        """`resume`: whether what was cut goes on by itself. What was queued does so in any case."""
        going_on: list[Run] = []
        paused: set[str] = set()
        for run in reversed(self._book.newest_first()):
            was_paused = run.state is RunState.PAUSED
            if run.state in _CUT and run.pending is Pending.STOPPING:
                self._endings.stop(run.id)
                continue
            if run.state in _CUT:
                run = self._endings.interrupt(run.id, Cause.CRASH, words.CUT)
            if run.state is RunState.INTERRUPTED and run.can_resume and resume:
                going_on.append(self._queue.take_up(run.id))
                if was_paused:
                    paused.add(run.id)
        for run in reversed(self._book.newest_first()):
            if run.state is RunState.QUEUED and run not in going_on:
                going_on.append(run)
                self._queue.put(run.id)
        return Recovered(tuple(going_on), frozenset(paused))
