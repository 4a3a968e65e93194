"""RunManager: queues runs and executes one at a time, in a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
import uuid
from typing import Any

from app.federation.runs import words
from app.federation.runs.active import ActiveRun, Services
from app.federation.runs.built_in import BuiltInRun
from app.federation.runs.foreign import AppRun, app_run_config
from app.federation.runs.states import FINAL_STATES, IDLE_STATES
from app.federation.strategies import build_strategy
from app.records import Cause, Pending, Run, RunState, WaitingFor, WaitKind
from shared.errors import (
    AppInvalid,
    FedLoomError,
    IllegalTransition,
    RoundFailed,
    RunStopped,
    SettingsInvalid,
    StoreUnavailable,
)
from shared.run_config import ROUNDS_KEY, fuse, rounds_of
from shared.run_spec import FIELDS_OF_ANY_APP, RunSpec

log = logging.getLogger(__name__)

_CUT = frozenset({RunState.WAITING, RunState.RUNNING, RunState.PAUSED})
"""A run that the store has in one of these states when the server starts was cut."""


class RunManager:
    """Commands from any thread; the runs themselves happen in the run thread."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._book = services.book
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._active: ActiveRun | None = None
        self._start_paused: set[str] = set()
        self._touched: set[str] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="run", daemon=True)

    def start(self) -> None:
        """Begin to work on the queue."""
        self._thread.start()

    def shut_down(self, timeout_s: float = 2.0) -> None:
        """Interrupt the run that is active, and leave the queue as it is for the next start."""
        self._closing = True
        self._queue.put(None)
        with self._lock:
            if self._active is not None:
                self._active.grid.stop("the server was shut down", interrupts=True)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def recover(self, *, resume: bool) -> list[Run]:
        """Take up what the store knows, before `start`: what was queued, and if `resume` what was cut.

        Returns the runs that go on.
        """
        going_on: list[Run] = []
        for run in reversed(self._book.newest_first()):
            was_paused = run.state is RunState.PAUSED
            if run.state in _CUT and run.pending is Pending.STOPPING:
                self._end(run.id, RunState.STOPPED, Cause.REQUEST, "stopped by request")
                continue
            if run.state in _CUT:
                run = self._interrupt(run.id, Cause.CRASH, "the server ended while it was going on")
            if run.state is RunState.INTERRUPTED and run.can_resume and resume:
                going_on.append(self.resume(run.id))
                if was_paused:
                    self._start_paused.add(run.id)
        for run in reversed(self._book.newest_first()):
            if run.state is RunState.QUEUED and run not in going_on:
                going_on.append(run)
                self._queue.put(run.id)
        return going_on

    def submit(self, spec: RunSpec) -> Run:
        """Queue a run. Raises SettingsInvalid when a value does not fit the others, or the server's app."""
        spec = self._fitted(spec)
        run = Run(
            id=self._new_id(),
            state=RunState.QUEUED,
            **self._queue_words(),
            spec=spec,
            num_rounds=spec.num_rounds,
            created_at=time.time(),
        )
        if spec.app is None:
            build_strategy(spec)
        else:
            assert self._services.app is not None
            if rounds_of(app_run_config(self._services.app, run)) is None:
                run = run.model_copy(update={"num_rounds": None})
        self._book.add(run)
        self._queue.put(run.id)
        return run

    def stop(self, run_id: str) -> Run:
        """Ask a run to stop; returns it as it is now. Raises IllegalTransition if it has ended."""
        with self._lock:  # so that the run thread does not begin it meanwhile
            active = self._active_if(run_id)
            run = self._book.update(run_id)
            if active is not None and run.state not in IDLE_STATES:
                run = self._book.update(run_id, pending=Pending.STOPPING)
                active.grid.stop("stopped by request")
                return run
            if run.state in FINAL_STATES:
                raise IllegalTransition(f"Run {run_id} cannot be stopped: it is {run.state} already.")
            return self._book.update(
                run_id,
                state=RunState.STOPPED,
                cause=Cause.REQUEST,
                reason="stopped by request",
                waiting_for=None,
                finished_at=time.time(),
            )

    def pause(self, run_id: str) -> Run:
        """Ask a run to pause; returns it as it is now. Raises IllegalTransition unless it is active."""
        with self._lock:
            active = self._active_if(run_id)
            run = self._book.update(run_id)
            if active is None or run.state in IDLE_STATES:
                raise IllegalTransition(f"Run {run_id} cannot be paused: it is {run.state}.")
            if run.state is RunState.PAUSED:
                return run
            run = self._book.update(run_id, pending=Pending.PAUSING)
            active.grid.pause()
            return run

    def resume(self, run_id: str) -> Run:
        """Have a paused or interrupted run go on, and one that waits look again.

        Raises IllegalTransition for any other, and for an interrupted run of another Flower app.
        """
        with self._lock:
            active = self._active_if(run_id)
            run = self._book.update(run_id)
            if active is not None and run.state not in IDLE_STATES:
                active.grid.resume()
                active.grid.membership_changed()
                return run
            if run.state is not RunState.INTERRUPTED:
                raise IllegalTransition(f"Run {run_id} cannot be resumed: it is {run.state}.")
            if not run.can_resume:
                raise IllegalTransition(
                    f"Run {run_id} cannot go on where it was: nobody but the app {run.spec.app} knows its "
                    "state. Start a new run with the same settings instead."
                )
            resumed = self._book.update(
                run_id,
                state=RunState.QUEUED,
                **self._queue_words(),
                cause=None,
                can_resume=False,
                finished_at=None,
            )
            self._queue.put(run_id)
            return resumed

    @property
    def touched(self) -> frozenset[str]:
        """The runs that this server has worked on since it started."""
        return frozenset(self._touched)

    @property
    def active_id(self) -> str | None:
        """The id of the run that is worked on now."""
        active = self._active
        return active.run_id if active else None

    def _active_if(self, run_id: str) -> ActiveRun | None:
        return self._active if self._active is not None and self._active.run_id == run_id else None

    def _queue_words(self) -> dict[str, Any]:
        """What is said of a run that is queued now."""
        waiting_for = WaitingFor(kind=WaitKind.TURN) if self._is_busy() else None
        return {"waiting_for": waiting_for, "reason": waiting_for and words.waiting(waiting_for)}

    def _is_busy(self) -> bool:
        return any(run.state not in IDLE_STATES for run in self._book.newest_first())

    def _new_id(self) -> str:
        while self._book.get(run_id := uuid.uuid4().hex[:8]) is not None:
            pass
        return run_id

    def _fitted(self, spec: RunSpec) -> RunSpec:
        """The spec, for the app that this server runs."""
        app = self._services.app
        name = app.name if app is not None else None
        if spec.app not in (None, name):
            raise SettingsInvalid(
                f"This server runs {name or 'the built-in app'}, not {spec.app}. "
                "A server runs the app that it was started with (--app).",
                "app",
            )
        if app is None:
            if spec.run_config:
                raise SettingsInvalid(
                    "Only another Flower app (--app) has a run config of its own.", "run_config"
                )
            return spec
        for field in sorted(spec.model_fields_set - FIELDS_OF_ANY_APP):
            if getattr(spec, field) != RunSpec.model_fields[field].get_default(call_default_factory=True):
                raise SettingsInvalid(
                    f"{field} is for the built-in app; {name} has its settings in run_config.", field
                )
        changes: dict[str, object] = {"app": name}
        rounds = rounds_of(fuse(app, spec.run_config))
        if rounds is not None and "num_rounds" not in spec.model_fields_set:
            changes["num_rounds"] = rounds
        elif ROUNDS_KEY in spec.run_config and rounds != spec.num_rounds:
            raise SettingsInvalid(
                f"num_rounds {spec.num_rounds} and the {ROUNDS_KEY} in run_config contradict each other; "
                "give one.",
                "num_rounds",
            )
        return spec.model_copy(update=changes)

    # in the run thread

    def _work(self) -> None:
        while (run_id := self._queue.get()) is not None and not self._closing:
            try:
                self._run_one(run_id)
            except Exception as error:  # the edge of the thread, which must outlive every run
                log.exception("run %s could not be carried out", run_id, extra={"run_id": run_id})
                if self._book.update(run_id).state not in IDLE_STATES:
                    reason = f"An unexpected error in the server: {error}"
                    self._end(run_id, RunState.FAILED, Cause.ERROR, reason)

    def _run_one(self, run_id: str) -> None:
        try:
            active = self._activate(run_id)
        except StoreUnavailable as error:
            self._interrupt(run_id, Cause.STORE, str(error), logging.ERROR)
            return
        except FedLoomError as error:
            self._end(run_id, RunState.FAILED, _cause_of(error), str(error))
            return
        if active is None:
            return
        try:
            self._execute(active)
        finally:
            with self._lock:
                self._active = None
            active.close()

    def _activate(self, run_id: str) -> ActiveRun | None:
        run = self._book.get(run_id)
        if run is None or run.state is not RunState.QUEUED or self._closing:
            return None  # stopped while it was queued
        kind = BuiltInRun if run.spec.app is None else AppRun
        active = kind(
            run, self._services
        )  # not with the lock, for which web requests wait: it asks the store
        with self._lock:
            if self._book.update(run_id).state is not RunState.QUEUED or self._closing:
                return None
            if run_id in self._start_paused:
                self._start_paused.remove(run_id)
                active.grid.pause()
            self._active = active
            self._touched.add(run_id)
            return active

    def _execute(self, active: ActiveRun) -> None:
        """The edge of the run thread: whatever happens in a run becomes its final state, never silence."""
        run_id = active.run_id
        try:
            active.execute()
        except RunStopped as stopped:
            if not active.grid.interrupted:
                self._end(run_id, RunState.STOPPED, Cause.REQUEST, str(stopped))
            elif self._book.update(run_id).state is not RunState.PAUSED:  # it stays so over the restart
                self._interrupt(run_id, Cause.SHUTDOWN, str(stopped))
        except StoreUnavailable as error:
            self._interrupt(run_id, Cause.STORE, str(error), logging.ERROR)
        except FedLoomError as error:
            self._end(run_id, RunState.FAILED, _cause_of(error), str(error))
        except Exception as error:  # noqa: BLE001 - the edge, see above
            reason = f"An unexpected error ended the run: {type(error).__name__}: {error}"
            self._end(run_id, RunState.FAILED, Cause.ERROR, reason, traceback.format_exc())
        else:
            self._end(run_id, RunState.COMPLETED)

    def _interrupt(self, run_id: str, cause: Cause, reason: str, level: int = logging.WARNING) -> Run:
        log.log(level, "run %s is interrupted: %s", run_id, reason, extra={"run_id": run_id})
        run = self._book.update(run_id)
        return self._book.update(
            run_id,
            state=RunState.INTERRUPTED,
            cause=cause,
            reason=reason,
            pending=None,
            waiting_for=None,
            # another app's state nobody knows, but one that had not begun has none
            can_resume=run.spec.app is None or run.started_at is None,
            progress=None,
            finished_at=time.time(),
        )

    def _end(
        self,
        run_id: str,
        state: RunState,
        cause: Cause | None = None,
        reason: str | None = None,
        error: str | None = None,
    ) -> None:
        run = self._book.update(
            run_id,
            state=state,
            cause=cause,
            reason=reason,
            error=error,
            pending=None,
            waiting_for=None,
            progress=None,
            finished_at=time.time(),
        )
        log.log(
            logging.ERROR if state is RunState.FAILED else logging.INFO,
            "run %s %s%s",
            run.id,
            run.state,
            f": {reason}" if reason else "",
            extra={"run_id": run_id},
            exc_info=error is not None,
        )


def _cause_of(error: FedLoomError) -> Cause:
    if isinstance(error, RoundFailed):
        return Cause.ROUND
    return Cause.APP if isinstance(error, AppInvalid) else Cause.ERROR
