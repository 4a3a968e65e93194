"""ActiveRun: the run that is being executed, and what connects it with the clients and the page."""

from __future__ import annotations

import logging
import time
from collections import Counter
from pathlib import Path

from flwr.app import Context, RecordDict

from app.federation import server_app
from app.federation.cohort import Cohort
from app.federation.grid import LinkGrid
from app.federation.link_server import LinkServer
from app.federation.registry import ClientRegistry
from app.federation.replies import check_reply
from app.federation.rounds import RoundTracker
from app.federation.run_book import RunBook
from app.records import Client, Run, RunState
from shared.flower import SERVER_NODE_ID, identify_server_task
from shared.proto.link_pb2 import Assignment
from shared.wire import to_values


class ActiveRun:
    """One run with its grid and its cohort. Lives in the run thread; only `grid.stop` comes from others.

    It is the built-in ServerApp's RunCallbacks: what is about results goes to the tracker, what is about
    clients stays here.
    """

    def __init__(self, run: Run, book: RunBook, link: LinkServer, registry: ClientRegistry) -> None:
        self.run_id = run.id
        self._spec = run.spec
        self._book = book
        self._link = link
        self._registry = registry
        self._cohort = Cohort(run.id, run.spec)
        self._tracker = RoundTracker(run.id, book, link.note)
        self._assigned: dict[str, tuple[float, int]] = {}
        self._explained: dict[str, tuple[float, str | None]] = {}
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run.id})
        self.grid = LinkGrid(
            link, int(run.id, 16), self._members, self._tracker, check_reply, on_membership=self._explain
        )
        self.evaluated = self._tracker.evaluated
        self.finished = self._tracker.finished
        self.checkpoint = self.grid.raise_if_stopped

    def execute(self, data_dir: Path) -> None:
        """Run the built-in ServerApp. Raises whatever ends it early."""
        self._link.post(self._listen)
        self._book.update(
            self.run_id, state=RunState.WAITING, reason=f"loading the data set {self._spec.dataset}"
        )
        identify_server_task(self.grid.run.run_id)
        context = Context(
            run_id=self.grid.run.run_id,
            node_id=SERVER_NODE_ID,
            node_config={"data-dir": str(data_dir)},
            state=RecordDict(),
            run_config=self._spec.to_run_config(),
        )
        server_app.build(self)(self.grid, context)

    def close(self) -> None:
        """Let go of the clients."""
        self.grid.withdraw_all("the run is over")
        self._link.post(self._registry.off_membership, self.grid.membership_changed)
        for client in self._registry.snapshot():
            self._link.note(client.id, reason=None, round=None)

    # app.federation.server_app.RunCallbacks

    def prepared(self) -> None:
        """The data is there."""
        self._tracker.begin(0)

    def before_round(self, server_round: int) -> None:
        """Wait until enough clients are there."""
        self.grid.wait_until(self._enough_clients)
        run = self._book.update(self.run_id, state=RunState.RUNNING, reason=None)
        if run.started_at is None:
            self._book.update(self.run_id, started_at=time.time())

    # the run's clients

    def _listen(self) -> None:
        """In the link thread: hear of clients from now on, and of those that came just before."""
        self._registry.on_membership(self.grid.membership_changed)
        self.grid.membership_changed()

    def _enough_clients(self) -> bool:
        clients = self._registry.snapshot()
        if len(self._cohort.eligible(clients)) >= self._spec.min_clients:
            return True
        reason = self._cohort.missing(clients, self._spec.min_clients)
        if (run := self._book.get(self.run_id)) is not None and run.reason != reason:
            self._log.info("run %s is %s", self.run_id, reason)
        self._book.update(self.run_id, state=RunState.WAITING, reason=reason, progress=None)
        return False

    def _members(self) -> list[str]:
        """The ids of the connected clients that have a part, after telling each its part."""
        clients = self._registry.snapshot()
        if self._cohort.admit(clients):
            self._explain()
        parts = self._cohort.parts
        members = [client for client in self._cohort.eligible(clients) if client.id in parts]
        on_host = Counter(client.host for client in members)
        for client in members:
            self._assign(client, parts[client.id], on_host[client.host])
        self._book.update(self.run_id, clients=tuple(client.id for client in members))
        return [client.id for client in members]

    def _assign(self, client: Client, part: int, clients_on_host: int) -> None:
        """Tell a client its part, unless this connection of it knows it already."""
        known = self._assigned.get(client.id)
        if known == (client.connected_at, clients_on_host):
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
        if known is None:  # what the client did in other runs is not what it does in this one
            self._link.note(
                client.id,
                partition=part,
                num_partitions=self._cohort.num_partitions,
                samples=None,
                train_loss=None,
                loss=None,
                accuracy=None,
            )

    def _explain(self) -> None:
        """Say of each client why it takes no part, if it takes none."""
        for client in self._registry.snapshot():
            objection = self._cohort.objection(client)
            if self._explained.get(client.id) == (client.connected_at, objection):
                continue
            self._explained[client.id] = (client.connected_at, objection)
            self._link.note(client.id, reason=objection)
            if objection is not None:
                self._log.warning("%s takes no part: it %s", client.id, objection)
