"""The runs and their rounds. Every change makes a new immutable value and is published.

The book is the only place where a run changes state; it refuses a transition that `states.py` does not allow.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypedDict, Unpack

from app.event_bus import EventBus
from app.federation.runs.states import FINAL_STATES, check_transition
from app.records import (
    Cause,
    GlobalScore,
    Pending,
    PrivacySpent,
    Round,
    RoundUpdate,
    Run,
    RunGone,
    RunMesh,
    RunNotes,
    RunProgress,
    RunState,
    WaitingFor,
)

LoadRounds = Callable[[str], Iterable[Round]]
"""Reads the rounds of a run from the store."""


class History(Protocol):
    """Is told what was (None: it is new) and what is, and holds on while that is published."""

    def run(self, before: Run | None, after: Run) -> AbstractContextManager[object]:
        """A run has changed."""

    def round(self, run_id: str, before: Round | None, after: Round) -> AbstractContextManager[object]:
        """A round has changed."""


class NoHistory:
    """Of a book for which nobody has to account."""

    def run(self, before: Run | None, after: Run) -> AbstractContextManager[object]:
        """As History has it."""
        return nullcontext()

    def round(self, run_id: str, before: Round | None, after: Round) -> AbstractContextManager[object]:
        """As History has it."""
        return nullcontext()


class RunChanges(TypedDict, total=False):
    """What of a run can change. What it is to do, and for whom, never does."""

    state: RunState
    reason: str | None
    pending: Pending | None
    waiting_for: WaitingFor | None
    cause: Cause | None
    round: int
    num_rounds: int | None
    progress: RunProgress | None
    clients: tuple[str, ...]
    started_at: float | None
    finished_at: float | None
    final: GlobalScore | None
    privacy: PrivacySpent | None
    mesh: RunMesh | None
    error: str | None
    classes: tuple[str, ...]
    can_resume: bool


NO_HISTORY = NoHistory()


class RunBook:
    """All runs of this server, by id. Safe from any thread.

    `known` are the runs from before this server started, oldest first; their rounds are loaded when somebody
    asks for them. `history` is told of every change, with the book's lock held.
    """

    def __init__(
        self,
        bus: EventBus,
        known: Iterable[Run] = (),
        load: LoadRounds = lambda _: (),
        history: History = NO_HISTORY,
    ) -> None:
        self._bus = bus
        self._load = load
        self._history = history
        self._lock = threading.RLock()
        self._runs = {run.id: run for run in known}
        self._rounds: dict[str, dict[int, Round]] = {}

    def add(self, run: Run) -> None:
        """Enter a new run."""
        with self._lock:
            self._runs[run.id] = run
            self._rounds[run.id] = {}
            with self._history.run(None, run):
                self._bus.publish(run)

    def get(self, run_id: str) -> Run | None:
        """A run as it is now, or None."""
        return self._runs.get(run_id)

    def run(self, run_id: str) -> Run:
        """A run that is known to be there, as it is now. Raises KeyError."""
        return self._runs[run_id]

    def newest_first(self) -> list[Run]:
        """All runs."""
        with self._lock:
            return list(reversed(self._runs.values()))

    def rounds(self, run_id: str) -> list[Round]:
        """A run's rounds in order; the last may not be complete."""
        if run_id not in self._rounds:
            loaded = {
                round_.round: round_ for round_ in self._load(run_id)
            }  # without the lock: it takes long
            with self._lock:
                self._rounds.setdefault(run_id, loaded)
        with self._lock:
            return [rounds for _, rounds in sorted(self._rounds[run_id].items())]

    def has_loaded(self, run_id: str) -> bool:
        """Whether a run's rounds are in memory already: to load those of a large run takes seconds."""
        return run_id in self._rounds

    def round(self, run_id: str, number: int) -> Round:
        """One of a run's rounds. Raises KeyError."""
        self.rounds(run_id)  # those from before
        with self._lock:
            return self._rounds[run_id][number]

    def update(self, run_id: str, **changes: Unpack[RunChanges]) -> Run:
        """Change fields of a run; returns it as it is then.

        Raises IllegalTransition; after a final state nothing changes any more.
        """
        with self._lock:
            run = self._runs[run_id]
            check_transition(run.state, changes.get("state", run.state))
            changed = run.changed(**changes)
            if changed != run and run.state not in FINAL_STATES:
                self._runs[run_id] = changed
                with self._history.run(run, changed):
                    self._bus.publish(changed)
            return self._runs[run_id]

    def annotate(self, run_id: str, notes: RunNotes) -> Run:
        """Change what people say of a run, whatever state it is in; returns it as it is then.

        Raises KeyError for a run that is not there any more.
        """
        with self._lock:
            run = self._runs[run_id]
            changed = run.changed(**dict(notes))
            if changed != run:
                self._runs[run_id] = changed
                self._bus.publish(changed)
            return changed

    def remove(self, run_id: str) -> None:
        """Delete a run on which nobody works, and never will again. Raises KeyError if it is not there."""
        with self._lock:
            del self._runs[run_id]
            self._rounds.pop(run_id, None)
            self._bus.publish(RunGone(id=run_id))

    def put_round(self, run_id: str, round_: Round) -> None:
        """Enter or replace a round."""
        self.rounds(run_id)  # those from before
        with self._lock:
            before = self._rounds[run_id].get(round_.round)
            self._rounds[run_id][round_.round] = round_
            with self._history.round(run_id, before, round_):
                self._bus.publish(RoundUpdate(run_id=run_id, round=round_))
