"""RunStatus: what an active run shows of itself."""

from __future__ import annotations

import logging
import time

from app.federation.runs import words
from app.federation.runs.book import RunBook
from app.records import Pending, Run, RunState, WaitingFor


class RunStatus:
    """The state of one run, with what it waits for, from its start to its end. Used in the run thread."""

    def __init__(self, run_id: str, book: RunBook) -> None:
        self._run_id = run_id
        self._book = book
        self._held: Run | None = None
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run_id})

    def waits(self, waiting_for: WaitingFor, detail: str = "") -> None:
        """The run waits, and for what. `detail`: as `words.waiting` takes it."""
        reason = words.waiting(waiting_for, detail)
        if self._book.run(self._run_id).reason != reason:
            self._log.info("run %s is %s", self._run_id, reason)
        self._book.update(self._run_id, state=RunState.WAITING, reason=reason, waiting_for=waiting_for)

    def is_held_up(self, waiting_for: WaitingFor, detail: str = "") -> None:
        """The run goes on, and this is why nothing is seen of it."""
        self._book.update(self._run_id, reason=words.waiting(waiting_for, detail), waiting_for=waiting_for)

    def goes_on(self) -> None:
        """The run waits no longer."""
        run = self._book.update(self._run_id, state=RunState.RUNNING, reason=None, waiting_for=None)
        if run.started_at is None:
            self._book.update(self._run_id, started_at=time.time())

    def paused(self) -> None:
        """The run is held, in whatever state it was."""
        self._held = self._book.run(self._run_id)
        self._book.update(
            self._run_id,
            state=RunState.PAUSED,
            reason=words.PAUSED,
            pending=_still_to_come(self._held),
            waiting_for=None,
        )
        self._log.info("run %s is paused", self._run_id)

    def resumed(self) -> None:
        """The run is in the state again in which it was held."""
        if self._held is not None:
            held = self._held
            self._book.update(
                self._run_id,
                state=held.state,
                reason=held.reason,
                pending=_still_to_come(self._book.run(self._run_id)),
                waiting_for=held.waiting_for,
            )
            self._log.info("run %s goes on", self._run_id)


def _still_to_come(run: Run) -> Pending | None:
    """What a run was told beside pausing: a stop that was confirmed holds, whatever comes between."""
    return run.pending if run.pending is Pending.STOPPING else None
