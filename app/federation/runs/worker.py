"""RunWorker: the thread "run", which carries out one run at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from app.federation.runs import words
from app.federation.runs.active import ActiveRun
from app.federation.runs.built_in import BuiltInKind
from app.federation.runs.endings import Endings, still_paused
from app.federation.runs.foreign import ForeignKind
from app.federation.runs.kind import RunKind
from app.federation.runs.run_queue import RunQueue, taken_up
from app.federation.runs.services import Services
from app.federation.runs.states import IDLE_STATES
from app.federation.runs.store_wait import StoreWait
from app.records import Cause, Run, RunState
from shared.errors import AppInvalid, RunStopped

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""How often it is looked whether the store works again, while a run waits for that."""


class RunWorker:
    """Takes runs from the queue. Outlives every one of them."""

    def __init__(self, services: Services, queue: RunQueue) -> None:
        self._services = services
        self._book = services.book
        self._queue = queue
        self._endings = Endings(services.book)
        self._lock = threading.Lock()
        self._active: ActiveRun | None = None
        self._start_paused: set[str] = set()
        self._touched: set[str] = set()
        self._closing = threading.Event()
        self._goes_on = False
        self._store_wait = StoreWait(lambda: services.writer.problem is None)
        self._thread = threading.Thread(target=self._work, name="run", daemon=True)

    def start(self, *, paused: Iterable[str] = (), goes_on: bool = False) -> None:
        """Begin to work on the queue. Of those runs, the `paused` wait until somebody resumes them.

        `goes_on`: a run that the store has interrupted is taken up again when the store works again.
        """
        self._start_paused.update(paused)
        self._goes_on = goes_on
        self._thread.start()

    def drain(self, timeout_s: float) -> None:
        """Begin nothing more, and return when the run that is active has come to the end of its round, or
        after `timeout_s`.

        One that waits or is paused, and one of another app, which cannot go on later, is not waited for.
        """
        self._closing.set()
        self._queue.close()
        with self._lock:
            active = self._active
            run = None if active is None else self._book.get(active.run_id)
            if active is None or run is None or run.state is not RunState.RUNNING or run.spec.app is not None:
                return
            active.parts.no_further_round.set()
        log.info(
            "run %s comes to the end of round %d first, for at most %g s",
            run.id,
            run.round,
            timeout_s,
            extra={"run_id": run.id},
        )
        self._thread.join(timeout_s)

    def shut_down(self, timeout_s: float) -> None:
        """Interrupt the run that is active, and leave the queue as it is."""
        self._closing.set()
        self._queue.close()
        with self._lock:
            if self._active is not None:
                self._active.grid.stop(words.SHUT_DOWN, interrupts=True)
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @contextmanager
    def holding(self, run_id: str) -> Iterator[ActiveRun | None]:
        """The run if it is active; while the block lasts, none begins and none is let go."""
        with self._lock:
            active = self._active
            yield active if active is not None and active.run_id == run_id else None

    @property
    def touched(self) -> frozenset[str]:
        """The runs that were worked on since the server started."""
        return frozenset(self._touched)

    @property
    def active_id(self) -> str | None:
        """The id of the run that is worked on now."""
        active = self._active
        return active.run_id if active else None

    # in the thread

    def _work(self) -> None:
        while (run_id := self._next()) is not None and not self._closing.is_set():
            try:
                self._run_one(run_id)
            except BaseException as error:  # noqa: BLE001 - the edge of the thread, which outlives every run
                self._give_up(run_id, error)
            if self._goes_on and (run := self._book.get(run_id)) is not None:  # or it was deleted at once
                self._store_wait.has_ended(run)

    def _next(self) -> str | None:
        """The run whose turn it is; None when the server is shut down."""
        while not self._closing.is_set():
            if (run_id := self._store_wait.next_to_try()) is not None and self._take_up(run_id):
                return run_id
            if self._store_wait.holds_all_up:
                self._closing.wait(LOOK_S)
                continue
            try:
                return self._queue.take(LOOK_S if self._store_wait else None)
            except TimeoutError:
                continue
        return None

    def _take_up(self, run_id: str) -> bool:
        """Have a run go on that the store has interrupted, unless somebody has decided otherwise."""
        with self._lock:
            run = self._book.get(run_id)
            if run is None or run.state is not RunState.INTERRUPTED or run.cause is not Cause.STORE:
                return False
            if (pending := still_paused(run)) is not None:
                self._start_paused.add(run_id)
            self._book.update(run_id, reason=None, **taken_up(pending))
        log.info("run %s goes on: what it has come to can be kept again", run_id, extra={"run_id": run_id})
        return True

    def _give_up(self, run_id: str, error: BaseException) -> None:
        """A run could not be carried out or let go as it should."""
        log.error("run %s could not be carried out", run_id, extra={"run_id": run_id}, exc_info=error)
        run = self._book.get(run_id)
        if run is not None and run.state not in IDLE_STATES:
            self._endings.end_by(run_id, error)

    def _run_one(self, run_id: str) -> None:
        try:
            active = self._activate(run_id)
        except BaseException as error:  # noqa: BLE001 - whatever happens becomes the run's state, never silence
            self._endings.end_by(run_id, error)
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
        if run is None or run.state is not RunState.QUEUED or self._closing.is_set():
            return None  # stopped while it was queued, and perhaps deleted
        # not with the lock, for which web requests wait: it asks the store
        self._book.rounds(run_id)  # now, and not when the run can no longer be interrupted
        active = ActiveRun(run, self._services, self._kind_of(run))
        with self._lock:
            now = self._book.get(run_id)
            if now is None or now.state is not RunState.QUEUED or self._closing.is_set():
                return None
            if run_id in self._start_paused:
                self._start_paused.remove(run_id)
                active.grid.pause()
            self._active = active
            self._touched.add(run_id)
            return active

    def _kind_of(self, run: Run) -> RunKind:
        run.spec.with_changes()  # the limits of today
        app, hosts = self._services.app, self._services.app_hosts
        if run.spec.app is None:
            return BuiltInKind(run, self._services)
        if app is None or hosts is None or app.name != run.spec.app:
            raise AppInvalid(words.of_another_app(run, app.name if app else None))
        return ForeignKind(run, app, hosts)

    def _execute(self, active: ActiveRun) -> None:
        """Whatever happens in a run becomes its state, never silence."""
        run_id = active.run_id
        try:
            active.execute()
        except RunStopped:
            if not active.grid.interrupted:
                self._endings.stop(run_id)
            elif (run := self._book.run(run_id)).state is not RunState.PAUSED:  # it stays so over the restart
                newest = next(reversed(self._book.rounds(run_id)), None)
                self._endings.interrupt(run_id, Cause.SHUTDOWN, words.shut_down(run, newest))
        except BaseException as error:  # noqa: BLE001 - an app may raise anything
            self._endings.end_by(run_id, error)
        else:
            self._endings.complete(run_id)
