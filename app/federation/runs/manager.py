"""RunManager: the commands on runs."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence

from app.federation.runs import app_compatibility, words
from app.federation.runs.endings import Endings
from app.federation.runs.recovery import Recovery
from app.federation.runs.run_queue import RunQueue
from app.federation.runs.services import Services
from app.federation.runs.states import FINAL_STATES, IDLE_STATES
from app.federation.runs.worker import RunWorker
from app.records import Cause, Pending, Phase, Run, RunNotes, RunState
from shared.errors import IllegalTransition
from shared.run_spec import RunSpec

log = logging.getLogger(__name__)

_KIND_OF = {Phase.TRAINING: "train", Phase.EVALUATING: "evaluate", Phase.QUERYING: "query"}
"""What clients are asked in a phase."""


class RunManager:
    """Starts, stops, pauses and resumes runs, from any thread. They happen in the worker's."""

    def __init__(self, services: Services) -> None:
        self._book = services.book
        self._app = services.app
        self._superlink = services.superlink
        self._checkpoints = services.checkpoints
        self._queue = RunQueue(services.book)
        self._endings = Endings(services.book)
        self._worker = RunWorker(services, self._queue)
        self._recovery = Recovery(services.book, self._queue, services.app)
        self._paused: frozenset[str] = frozenset()
        self._goes_on = False

    def recover(self, *, resume: bool) -> Sequence[Run]:
        """Take up what the store knows, before `start`: what was queued, and if `resume` what was cut.

        With `resume`, a run that the store interrupts goes on by itself from now on, too.
        Returns the runs that go on.
        """
        recovered = self._recovery.recover(resume=resume)
        self._paused = recovered.paused
        self._goes_on = resume
        return recovered.going_on

    def start(self) -> None:
        """Begin to work on the queue."""
        self._worker.start(paused=self._paused, goes_on=self._goes_on)

    def drain(self, timeout_s: float) -> None:
        """Begin nothing more, and wait so long at most for the end of the round that goes on."""
        self._worker.drain(timeout_s)

    def shut_down(self, timeout_s: float = 5.0) -> None:
        """Interrupt the run that is active, and leave the queue as it is for the next start."""
        self._worker.shut_down(timeout_s)

    def fitted(self, spec: RunSpec) -> RunSpec:
        """The spec as a run of it would have it. Raises SettingsInvalid as `submit` does."""
        return app_compatibility.fitted(spec, self._app, self._superlink)

    def submit(self, spec: RunSpec) -> Run:
        """Queue a run. Raises SettingsInvalid when a value does not fit the others, or the server's app."""
        spec = self.fitted(spec)
        return self._queue.enter(
            Run(
                id=self._new_id(),
                state=RunState.QUEUED,
                spec=spec,
                num_rounds=app_compatibility.num_rounds(spec, self._app),
                created_at=time.time(),
            )
        )

    def stop(self, run_id: str) -> Run:
        """Ask a run to stop; returns it as it is now. Raises IllegalTransition if it has ended."""
        with self._worker.holding(run_id) as active:  # so that the run thread does not begin it meanwhile
            run = self._book.run(run_id)
            if active is not None and run.state not in IDLE_STATES:
                run = self._book.update(run_id, pending=Pending.STOPPING)
                active.grid.stop(words.STOPPED)
                return run
            if run.state in FINAL_STATES:
                raise IllegalTransition(f"Run {run_id} cannot be stopped: it is {run.state} already.")
            return self._endings.stop(run_id)

    def pause(self, run_id: str) -> Run:
        """Ask a run to pause; returns it as it is now. Raises IllegalTransition unless it is active."""
        with self._worker.holding(run_id) as active:
            run = self._book.run(run_id)
            if active is None or run.state in IDLE_STATES:
                raise IllegalTransition(words.refused(run, "paused"))
            if run.pending is Pending.STOPPING:
                return run
            if run.state is not RunState.PAUSED:
                run = self._book.update(run_id, pending=Pending.PAUSING)
            active.grid.pause()  # also if it is paused: it may have been told to go on a moment before
            return run

    def resume(self, run_id: str) -> Run:
        """Have a paused or interrupted run go on, and one that waits look again.

        Raises IllegalTransition for any other, for an interrupted run of another Flower app that had begun,
        and for one that does not fit the app of this server.
        """
        with self._worker.holding(run_id) as active:
            run = self._book.run(run_id)
            if active is not None and run.state not in IDLE_STATES:
                if run.pending is Pending.PAUSING:
                    run = self._book.update(run_id, pending=None)
                active.grid.resume()
                active.grid.membership_changed()
                return run
            if run.state is not RunState.INTERRUPTED:
                raise IllegalTransition(words.refused(run, "resumed"))
            if not run.can_resume:
                raise IllegalTransition(words.state_lost(run))
            if (objection := app_compatibility.objection(run, self._app)) is not None:
                raise IllegalTransition(objection)
            return self._queue.take_up(run_id)

    def go_on(self, run_id: str, round_: int, phase: Phase) -> Run:
        """Have a round go on without the replies that are missing in this phase, as at its deadline.

        Raises IllegalTransition where the run does not wait for them, or cannot do without.
        """
        with self._worker.holding(run_id) as active:
            run = self._book.run(run_id)
            if active is None or run.state in IDLE_STATES:
                raise IllegalTransition(words.refused(run, "told to go on"))
            if run.state is RunState.PAUSED:
                raise IllegalTransition(words.held_by_request(run))
            kind = _KIND_OF.get(phase)
            if kind is None or run.round != round_ or run.progress is None or run.progress.phase is not phase:
                raise IllegalTransition(words.not_awaited(run, round_, phase))
            lacking = active.grid.lacking(kind)
            if lacking is None:
                foreign = run.spec.app is not None
                raise IllegalTransition(
                    words.app_decides(run) if foreign else words.not_awaited(run, round_, phase)
                )
            if lacking:
                raise IllegalTransition(words.too_few(run, lacking))
            log.warning("%s", words.goes_on_without(run, phase), extra={"run_id": run_id})
            active.grid.go_on(kind)
            return run

    def annotate(self, run_id: str, notes: RunNotes) -> Run:
        """Change what people say of a run; returns it as it is then.

        Raises IllegalTransition for one whose record cannot be read, since nothing of that is written.
        """
        run = self._book.run(run_id)
        if run.cause is Cause.RECORD:
            raise IllegalTransition(words.left_as_it_is(run))
        return self._book.annotate(run_id, notes)

    def delete(self, run_id: str) -> None:
        """Delete a run with its curves and checkpoints.

        Raises IllegalTransition unless it has ended or is interrupted, StoreUnavailable when its checkpoints
        cannot be deleted, which then leaves the run.
        """
        with self._worker.holding(run_id) as active:  # so that nobody resumes it meanwhile
            run = self._book.run(run_id)
            if active is not None or run.state not in IDLE_STATES:
                raise IllegalTransition(words.not_deleted(run))
            self._checkpoints.remove(run_id)
            self._book.remove(run_id)

    @property
    def touched(self) -> frozenset[str]:
        """The runs that this server has worked on since it started."""
        return self._worker.touched

    @property
    def active_id(self) -> str | None:
        """The id of the run that is worked on now."""
        return self._worker.active_id

    def _new_id(self) -> str:
        while self._book.get(run_id := uuid.uuid4().hex[:8]) is not None:
            pass
        return run_id
