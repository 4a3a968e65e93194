"""ActiveRun: the run that is being executed, and what connects it with the clients and the page."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flwr.app import Context, Message, RecordDict, UserConfig

from app.federation.grid.instruction import Instruction
from app.federation.grid.link_grid import LinkGrid
from app.federation.link.clients import ClientRegistry
from app.federation.link.server import LinkServer
from app.federation.runs import words
from app.federation.runs.book import RunBook
from app.federation.runs.roster import Cohort, Parts
from app.federation.runs.tracker import ReadResult, RoundTracker
from app.records import Client, ClientState, Pending, Run, RunState, WaitingFor, WaitKind
from app.store.checkpoints import CheckpointStore
from app.store.store import Store
from app.store.writer import StoreWriter
from shared.flower import SERVER_NODE_ID, identify_server_task
from shared.flower_app import FlowerApp
from shared.proto.link_pb2 import Assignment
from shared.wire import to_values

CHECK_S = 0.5
"""How often that is looked at, when nobody comes or goes."""


@dataclass(frozen=True)
class Services:
    """What runs need of the server."""

    book: RunBook
    link: LinkServer
    registry: ClientRegistry
    store: Store
    writer: StoreWriter
    checkpoints: CheckpointStore
    data_dir: Path
    app: FlowerApp | None


class ActiveRun(ABC):
    """One run with its grid and its cohort. Lives in the run thread; others use `grid`'s commands only.

    It is its grid's Host. The two kinds of run are `built_in_run.BuiltInRun` and `app_run.AppRun`.
    """

    def __init__(self, run: Run, services: Services, read: ReadResult) -> None:
        self.run_id = run.id
        self.spec = run.spec
        self._services = services
        self._book = services.book
        self._link = services.link
        self._registry = services.registry
        self._run_config = self.run_config()
        number = services.store.num_partitions(run.id)
        given = Parts(number, services.store.parts(run.id)) if number else None
        self._cohort = Cohort(run.id, run.spec, given)
        self._told_before = frozenset(given.by_client if given else ())
        self._expected = frozenset(run.clients) if given else frozenset()
        self._grace_ends: float | None = None
        self._assigned: dict[str, int] = {}
        self._explained: dict[str, tuple[float, str | None]] = {}
        self._held: Run | None = None
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run.id})
        self.tracker = RoundTracker(run.id, services.book, services.link.note, read)
        self.grid = LinkGrid(services.link, int(run.id, 16), self, self.tracker)

    @abstractmethod
    def run_config(self) -> UserConfig:
        """The run config for both of the run's Flower apps."""

    @abstractmethod
    def call_server_app(self, context: Context) -> None:
        """Carry out the run; raises whatever ends it early."""

    @abstractmethod
    def check(self, instruction: Instruction, reply: Message) -> None:
        """Raise ReplyInvalid for a reply that must not be used."""

    @abstractmethod
    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """Bytes that a reply to this kind of message, of so many bytes itself, has at most."""

    @abstractmethod
    def required(self, kind: str, asked: int) -> int:
        """Good replies that an exchange of this kind needs."""

    @abstractmethod
    def can_start_over(self, kind: str) -> bool:
        """Whether an exchange that lacks good replies can be tried again with other clients."""

    def execute(self) -> None:
        """Run the ServerApp. Raises whatever ends it early."""
        self._link.post(self._listen)
        identify_server_task(self.grid.run.run_id)
        self.call_server_app(
            Context(
                run_id=self.grid.run.run_id,
                node_id=SERVER_NODE_ID,
                node_config={"data-dir": str(self._services.data_dir)},
                state=RecordDict(),
                run_config=self._run_config.copy(),
            )
        )
        self.goes_on()  # whatever it waited for last
        self.tracker.close()

    def close(self) -> None:
        """Let go of the clients."""
        self.grid.end("the run is over")
        self._link.end_run(self.grid.run.run_id)
        self._link.post(self._registry.off_membership, self.grid.membership_changed)
        for client in self._registry.snapshot():
            self._link.note(client.id, reason=None, round=None)

    # app.federation.grid.link_grid.Host

    def members(self) -> Sequence[str]:
        """The ids of the connected clients that have a part, after telling each its part."""
        self._link.catch_up()  # who was too late just now is not among them
        clients = self._registry.snapshot()
        if self._cohort.admit(clients):
            given = self._cohort.parts
            self._services.store.save_parts(self.run_id, given.by_client, given.number)
            self._explain()
        parts = self._cohort.parts.by_client
        members = [client for client in self._cohort.eligible(clients) if client.id in parts]
        on_host = Counter(client.host for client in members)
        for client in members:
            self._assign(client, parts[client.id], on_host[client.host])
        self._book.update(self.run_id, clients=tuple(client.id for client in members))
        return [client.id for client in members]

    def sending(self) -> None:
        """Messages go out: the run waits for nobody."""
        self.goes_on()

    def membership_changed(self) -> None:
        """A client has come or gone."""
        self._explain()

    def deadline_s(self, kind: str) -> float | None:
        """The run's deadline holds for each phase of a round."""
        return self.spec.round_timeout_s

    def waits(self, waiting_for: WaitingFor, detail: str = "") -> None:
        """The run waits, and for what."""
        reason = words.waiting(waiting_for, detail)
        run = self._book.get(self.run_id)
        if run is not None and run.reason != reason:
            self._log.info("run %s is %s", self.run_id, reason)
        self._book.update(self.run_id, state=RunState.WAITING, reason=reason, waiting_for=waiting_for)

    def goes_on(self) -> None:
        """The run waits no longer."""
        run = self._book.update(self.run_id, state=RunState.RUNNING, reason=None, waiting_for=None)
        if run.started_at is None:
            self._book.update(self.run_id, started_at=time.time())

    def paused(self) -> None:
        """The run is held, in whatever state it was."""
        self._held = self._book.update(self.run_id)
        self._book.update(
            self.run_id,
            state=RunState.PAUSED,
            reason="paused by request",
            pending=_still_to_come(self._held),
            waiting_for=None,
        )
        self._log.info("run %s is paused", self.run_id)

    def resumed(self) -> None:
        """The run is in the state again in which it was held."""
        if self._held is not None:
            held = self._held
            self._book.update(
                self.run_id,
                state=held.state,
                reason=held.reason,
                pending=_still_to_come(self._book.update(self.run_id)),
                waiting_for=held.waiting_for,
            )
            self._log.info("run %s goes on", self.run_id)

    # the run's clients

    def wait_for_clients(self) -> None:
        """Wait until enough clients are there."""
        if self._grace_ends is None:
            self._grace_ends = time.monotonic() + words.RETURN_GRACE_S
        self.grid.wait_until(self._enough_clients, CHECK_S if self._expected else None)
        self._expected = frozenset()
        self.goes_on()

    def has_enough_clients(self) -> bool:
        """Whether a round could start with the clients that are there."""
        return len(self._cohort.eligible(self._registry.snapshot())) >= self.spec.min_clients

    def _listen(self) -> None:
        """In the link thread: hear of clients from now on, and of those that came just before."""
        self._registry.on_membership(self.grid.membership_changed)
        self.grid.membership_changed()

    def _enough_clients(self) -> bool:
        clients = self._registry.snapshot()
        here = {client.id for client in self._cohort.eligible(clients)}
        if len(here) < self.spec.min_clients:
            shortage = self._cohort.shortage(clients, self.spec.min_clients)
            self.waits(shortage, self._cohort.why_not(clients))
            self._book.update(self.run_id, progress=None)
            return False
        missing = sorted(self._expected - here)
        if missing and self._grace_ends is not None and time.monotonic() < self._grace_ends:
            self.waits(
                WaitingFor(
                    kind=WaitKind.RETURN, clients=tuple(missing), have=len(here), need=len(self._expected)
                )
            )
            return False
        return True

    def _assign(self, client: Client, part: int, clients_on_host: int) -> None:
        """Tell a client its part, unless it was told."""
        if self._assigned.get(client.id) == clients_on_host:
            return
        is_first = client.id not in self._assigned
        self._assigned[client.id] = clients_on_host
        number = self._cohort.num_partitions
        assignment = Assignment(
            run_id=self.grid.run.run_id,
            run=self.run_id,
            node_config=to_values({"partition-id": part, "num-partitions": number}),
            run_config=to_values(self._run_config),
            clients_on_host=clients_on_host,
        )
        if is_first and client.id not in self._told_before:
            # what the client did in other runs is not what it does in this one
            self._link.note(
                client.id,
                partition=part,
                num_partitions=number,
                samples=None,
                label_counts=None,
                train_loss=None,
                loss=None,
                accuracy=None,
            )
        self._link.assign(client.id, assignment)

    def _explain(self) -> None:
        """Say of each client why it takes no part, if it takes none."""
        for client in self._registry.snapshot():
            if client.state is ClientState.LOST:
                continue
            objection = self._cohort.objection(client)
            if self._explained.get(client.id) == (client.connected_at, objection):
                continue
            self._explained[client.id] = (client.connected_at, objection)
            self._link.note(client.id, reason=objection)
            if objection is not None:
                self._log.warning("%s takes no part: it %s", client.id, objection)


def _still_to_come(run: Run) -> Pending | None:
    """What a run was told beside pausing: a stop that was confirmed holds, whatever comes between."""
    return run.pending if run.pending is Pending.STOPPING else None
