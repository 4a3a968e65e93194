"""RunManager: queues runs and executes one at a time, in a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
import uuid
from pathlib import Path

from app.federation.active_run import ActiveRun
from app.federation.link_server import LinkServer
from app.federation.registry import ClientRegistry
from app.federation.run_book import RunBook
from app.federation.spec import RunSpec
from app.federation.states import FINAL_STATES
from app.federation.strategies import build_strategy
from app.records import Run, RunState
from shared.errors import FedLoomError, RunStopped

log = logging.getLogger(__name__)


class RunManager:
    """Commands from any thread; the runs themselves happen in the run thread."""

    def __init__(self, book: RunBook, link: LinkServer, registry: ClientRegistry, data_dir: Path) -> None:
        self._book = book
        self._link = link
        self._registry = registry
        self._data_dir = data_dir
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._active: ActiveRun | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="run", daemon=True)

    def start(self) -> None:
        """Begin to work on the queue."""
        self._thread.start()

    def shut_down(self, timeout_s: float = 2.0) -> None:
        """Stop everything; what is queued or running ends as stopped."""
        self._closing = True
        self._queue.put(None)
        for run in self._book.newest_first():
            if run.state not in FINAL_STATES:
                self.stop(run.id, "the server was shut down")
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def submit(self, spec: RunSpec) -> Run:
        """Queue a run. Raises SettingsInvalid when the strategy does not take its parameters."""
        build_strategy(spec)
        ahead = any(run.state not in FINAL_STATES for run in self._book.newest_first())
        run = Run(
            id=uuid.uuid4().hex[:8],
            state=RunState.QUEUED,
            reason="waiting for the run before it to end" if ahead else None,
            spec=spec,
            num_rounds=spec.num_rounds,
            created_at=time.time(),
        )
        self._book.add(run)
        self._queue.put(run.id)
        return run

    def stop(self, run_id: str, reason: str = "stopped by request") -> Run:
        """Ask a run to stop; returns it as it is now. A run that already ended stays as it is."""
        with self._lock:  # so that the run thread does not begin it meanwhile
            if self._active is not None and self._active.run_id == run_id:
                self._active.grid.stop(reason)
                return self._book.update(run_id, reason="stopping")
            run = self._book.update(run_id)
            if run.state in FINAL_STATES:
                return run
            return self._book.update(run_id, state=RunState.STOPPED, reason=reason, finished_at=time.time())

    @property
    def active_id(self) -> str | None:
        """The id of the run that is worked on now."""
        active = self._active
        return active.run_id if active else None

    # in the run thread

    def _work(self) -> None:
        while (run_id := self._queue.get()) is not None and not self._closing:
            try:
                self._run_one(run_id)
            except Exception as error:  # the edge of the thread, which must outlive every run
                log.exception("run %s could not be carried out", run_id, extra={"run_id": run_id})
                if self._book.update(run_id).state not in FINAL_STATES:
                    self._end(run_id, RunState.FAILED, reason=f"An unexpected error in the server: {error}")

    def _run_one(self, run_id: str) -> None:
        active = self._activate(run_id)
        if active is None:
            return
        try:
            self._execute(active)
        finally:
            with self._lock:
                self._active = None
            active.close()

    def _activate(self, run_id: str) -> ActiveRun | None:
        with self._lock:
            run = self._book.get(run_id)
            if run is None or run.state is not RunState.QUEUED:
                return None  # stopped while it was queued
            self._active = ActiveRun(run, self._book, self._link, self._registry)
            return self._active

    def _execute(self, active: ActiveRun) -> None:
        """The edge of the run thread: whatever happens in a run becomes its final state, never silence."""
        run_id = active.run_id
        try:
            active.execute(self._data_dir)
        except RunStopped as stopped:
            self._end(run_id, RunState.STOPPED, reason=str(stopped))
        except FedLoomError as error:
            self._end(run_id, RunState.FAILED, reason=str(error))
        except Exception as error:  # noqa: BLE001 - the edge, see above
            reason = f"An unexpected error ended the run: {type(error).__name__}: {error}"
            self._end(run_id, RunState.FAILED, reason=reason, error=traceback.format_exc())
        else:
            self._end(run_id, RunState.COMPLETED, reason=None)

    def _end(self, run_id: str, state: RunState, *, reason: str | None, error: str | None = None) -> None:
        run = self._book.update(
            run_id, state=state, reason=reason, error=error, progress=None, finished_at=time.time()
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
