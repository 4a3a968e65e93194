"""RunManager: queues runs and executes one at a time, in a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
import uuid
from pathlib import Path

from flwr.app import Context, RecordDict

from app.federation import server_app
from app.federation.cohort import Cohort
from app.federation.grid import LinkGrid
from app.federation.link_server import LinkServer
from app.federation.registry import ClientRegistry
from app.federation.rounds import RoundTracker
from app.federation.run_book import RunBook
from app.federation.spec import RunSpec
from app.federation.states import FINAL_STATES
from app.federation.strategies import build_strategy
from app.records import Client, Phase, Run, RunProgress, RunState
from shared.errors import FedLoomError, RunStopped
from shared.flower import SERVER_NODE_ID, identify_server_task
from shared.proto.link_pb2 import Assignment
from shared.wire import to_values

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
            active = self._activate(run_id)
            if active is not None:
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
            log.error("%s", error, extra={"run_id": run_id})
        except Exception as error:
            reason = f"An unexpected error ended the run: {type(error).__name__}: {error}"
            self._end(run_id, RunState.FAILED, reason=reason, error=traceback.format_exc())
            log.exception("%s", reason, extra={"run_id": run_id})
        else:
            self._end(run_id, RunState.COMPLETED, reason=None)

    def _end(self, run_id: str, state: RunState, *, reason: str | None, error: str | None = None) -> None:
        run = self._book.update(
            run_id, state=state, reason=reason, error=error, progress=None, finished_at=time.time()
        )
        log.info("run %s %s%s", run.id, run.state, f": {reason}" if reason else "", extra={"run_id": run_id})


class ActiveRun:
    """The run that is being executed: its grid, its cohort, and what connects them with the server."""

    def __init__(self, run: Run, book: RunBook, link: LinkServer, registry: ClientRegistry) -> None:
        self.run_id = run.id
        self._spec = run.spec
        self._book = book
        self._link = link
        self._registry = registry
        self._cohort = Cohort(run.id, run.spec)
        self._tracker = RoundTracker(run.id, book, link.note)
        self._assigned: dict[str, tuple[float, int]] = {}
        self.grid = LinkGrid(link, int(run.id, 16), self._members, self._tracker, self._explain)
        self.evaluated = self._tracker.evaluated
        self.finished = self._tracker.finished

    def execute(self, data_dir: Path) -> None:
        """Wait for clients, then run the built-in ServerApp. Raises whatever ends it early."""
        self._link.post(self._registry.on_membership, self.grid.membership_changed)
        self._explain()
        self._wait_for_clients()
        preparing = RunProgress(phase=Phase.PREPARING, done=0, total=0, since=time.time())
        self._book.update(self.run_id, progress=preparing, started_at=time.time())
        identify_server_task(self.grid.run.run_id)
        context = Context(
            run_id=self.grid.run.run_id,
            node_id=SERVER_NODE_ID,
            node_config={"data-dir": str(data_dir)},
            state=RecordDict(),
            run_config=self._spec.to_run_config(),
        )
        self._tracker.begin(0)
        server_app.build(self)(self.grid, context)

    def close(self) -> None:
        """Let go of the clients."""
        self.grid.withdraw_all("the run is over")
        self._link.post(self._registry.off_membership, self.grid.membership_changed)
        for client in self._registry.snapshot():
            self._link.note(client.id, reason=None, round=None)

    # app.federation.server_app.RunCallbacks

    def before_round(self, server_round: int) -> None:
        """Wait until enough clients are there."""
        self._wait_for_clients()

    # the run's clients

    def _wait_for_clients(self) -> None:
        self.grid.wait_until(self._enough_clients)
        self._book.update(self.run_id, state=RunState.RUNNING, reason=None)

    def _enough_clients(self) -> bool:
        clients = self._registry.snapshot()
        if len(self._cohort.eligible(clients)) >= self._spec.min_clients:
            return True
        reason = self._cohort.missing(clients, self._spec.min_clients)
        if (run := self._book.get(self.run_id)) is not None and run.reason != reason:
            log.info("run %s is %s", self.run_id, reason, extra={"run_id": self.run_id})
        self._book.update(self.run_id, state=RunState.WAITING, reason=reason, progress=None)
        return False

    def _members(self) -> list[str]:
        """The ids of the connected clients that have a part, after telling each its part."""
        clients = self._registry.snapshot()
        self._cohort.admit(clients)
        parts = self._cohort.parts
        members = [client for client in self._cohort.eligible(clients) if client.id in parts]
        for client in members:
            neighbours = sum(other.host == client.host for other in members)
            self._assign(client, parts[client.id], neighbours)
        self._book.update(self.run_id, clients=tuple(client.id for client in members))
        return [client.id for client in members]

    def _assign(self, client: Client, part: int, clients_on_host: int) -> None:
        """Tell a client its part, unless this connection of it knows it already."""
        if self._assigned.get(client.id) == (client.connected_at, clients_on_host):
            return
        self._assigned[client.id] = (client.connected_at, clients_on_host)
        node_config = {"partition-id": part, "num-partitions": self._cohort.num_partitions}
        assignment = Assignment(
            run_id=self.grid.run.run_id,
            run=self.run_id,
            node_config=to_values(node_config),
            run_config=to_values(self._spec.to_run_config()),
            clients_on_host=clients_on_host,
        )
        self._link.assign(client.id, assignment)
        self._link.note(client.id, partition=part, num_partitions=self._cohort.num_partitions)

    def _explain(self) -> None:
        """Say of each client why it takes no part, if it takes none."""
        for client in self._registry.snapshot():
            objection = self._cohort.objection(client)
            if objection is not None and objection != client.reason:
                log.warning("%s takes no part: it %s", client.id, objection, extra={"run_id": self.run_id})
            self._link.note(client.id, reason=objection)
