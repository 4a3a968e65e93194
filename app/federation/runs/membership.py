"""Membership: which clients are in an active run, and what each of them is told."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flwr.app import UserConfig

from app.federation.runs import words
from app.federation.runs.book import RunBook
from app.federation.runs.roster import Parts, Roster
from app.federation.runs.run_status import RunStatus
from app.records import Client, ClientState, Run, WaitingFor, WaitKind
from shared.errors import StoreUnavailable
from shared.natural_order import natural_key
from shared.proto.link_pb2 import Assignment
from shared.wire import to_values

CHECK_S = 0.5
"""How often that is looked at, when nobody comes or goes."""


class ClientLink(Protocol):
    """The link, as far as it is about who is in."""

    def catch_up(self) -> None:
        """Return once all that was asked of the link before is done."""

    def note(self, client_id: str, **changes: Any) -> None:
        """Change what is known of a client."""

    def assign(self, client_id: str, assignment: Assignment) -> None:
        """Tell a client its part."""


class KnownClients(Protocol):
    """The clients that the server knows."""

    def snapshot(self) -> list[Client]:
        """All of them, as they are now."""


class PartsStore(Protocol):
    """Where the parts of a run are kept, for the case that it is cut. Raises StoreUnavailable."""

    def num_partitions(self, run_id: str) -> int | None:
        """Into how many parts the data is divided; None before parts were given out."""

    def parts(self, run_id: str) -> dict[str, int]:
        """Which part each client has got."""

    def save_parts(self, run_id: str, parts: dict[str, int], num_partitions: int) -> None:
        """Keep them."""


WaitUntil = Callable[[Callable[[], bool], float | None], None]
"""As `LinkGrid.wait_until`."""


class Members(Protocol):
    """Who is in an active run, whatever carries its messages. Used in the run thread."""

    size: int
    """Clients that had a part when they were last admitted."""

    def admit(self) -> Sequence[str]:
        """Let in those that may take part; returns the ids of all that do."""

    def are_enough(self) -> bool:
        """Whether a round could start with the clients that are there."""

    def wait(self, wait_until: WaitUntil) -> None:
        """Return once enough clients are there."""

    def explain(self) -> None:
        """Say of each client why it takes no part, if it takes none."""

    def dismiss(self) -> None:
        """The run is over: nothing is to be said of any client in it any more."""


class Membership:
    """Admits clients to one run, tells each its part or why it has none, and waits for them. Used in the run
    thread."""

    def __init__(
        self,
        run: Run,
        run_config: UserConfig,
        shown: RunStatus,
        book: RunBook,
        link: ClientLink,
        known: KnownClients,
        store: PartsStore,
    ) -> None:
        """`run_config`: what the run's clients are told. Raises StoreUnavailable."""
        self._run = run
        self._run_config = run_config
        self._shown = shown
        self._book = book
        self._link = link
        self._known = known
        self._store = store
        number = store.num_partitions(run.id)
        given = Parts(number, store.parts(run.id)) if number else None
        self._roster = Roster(run.id, run.spec, given)
        self._expected = frozenset(run.clients) if given else frozenset()
        self._grace_ends: float | None = None
        self._assigned: dict[str, tuple[int, int]] = {}
        """By its id, with how many on its machine and how many in all each client was told its part."""
        self._explained: dict[str, tuple[float, str | None]] = {}
        self._has_unsaved_parts = False
        self.size = 0
        """Clients that had a part when they were last admitted."""
        self._log = logging.LoggerAdapter(logging.getLogger(__name__), {"run_id": run.id})

    def admit(self) -> Sequence[str]:
        """Give parts to those that may take part, keep that, and tell each its own; returns the ids of all
        connected clients that have one."""
        self._link.catch_up()  # who was too late just now is not among them
        clients = self._known.snapshot()
        if self._roster.admit(clients):
            self._has_unsaved_parts = True
            self.explain()
        if self._has_unsaved_parts:
            self._save_parts()
        parts = self._roster.parts.by_client
        members = [client for client in self._roster.eligible(clients) if client.id in parts]
        on_host = Counter(client.host for client in members)
        for client in members:
            self._assign(client, parts[client.id], on_host[client.host], len(members))
        self.size = len(members)
        self._book.update(self._run.id, clients=tuple(client.id for client in members))
        return [client.id for client in members]

    def are_enough(self) -> bool:
        """Whether a round could start with the clients that are there."""
        return len(self._roster.eligible(self._known.snapshot())) >= self._run.spec.min_clients

    def wait(self, wait_until: WaitUntil) -> None:
        """Return once enough clients are there; if the run was cut, those that it had, if they come soon."""
        if self._grace_ends is None:
            self._grace_ends = time.monotonic() + words.RETURN_GRACE_S
        wait_until(self._can_begin, CHECK_S if self._expected else None)
        self._expected = frozenset()
        self._shown.goes_on()

    def explain(self) -> None:
        """Say of each client why it takes no part, if it takes none."""
        for client in self._known.snapshot():
            if client.state is ClientState.LOST:
                continue
            objection = self._roster.objection(client)
            if self._explained.get(client.id) == (client.connected_at, objection):
                continue
            self._explained[client.id] = (client.connected_at, objection)
            self._link.note(client.id, reason=objection)
            if objection is not None:
                self._log.warning("%s takes no part: it %s", client.id, objection)

    def dismiss(self) -> None:
        """The run is over: nothing is to be said of any client in it any more."""
        for client in self._known.snapshot():
            self._link.note(client.id, reason=None, round=None)

    def _can_begin(self) -> bool:
        """Whether to go on; if not, it is shown what the run waits for."""
        clients = self._known.snapshot()
        minimum = self._run.spec.min_clients
        here = {client.id for client in self._roster.eligible(clients)}
        if len(here) < minimum:
            self._shown.waits(self._roster.waiting_for(clients, minimum), self._roster.why_not(clients))
            self._book.update(self._run.id, progress=None)
            return False
        missing = sorted(self._expected - here, key=natural_key)
        if missing and self._grace_ends is not None and time.monotonic() < self._grace_ends:
            self._shown.waits(
                WaitingFor(
                    kind=WaitKind.RETURN, clients=tuple(missing), have=len(here), need=len(self._expected)
                )
            )
            return False
        return True

    def _save_parts(self) -> None:
        """They are for a run that goes on after a cut. One that cannot does not end for want of them."""
        given = self._roster.parts
        try:
            self._store.save_parts(self._run.id, dict(given.by_client), given.number)
        except StoreUnavailable as error:
            if self._run.spec.app is None:
                raise
            self._log.warning("who has which part of run %s is not kept at present: %s", self._run.id, error)
        else:
            self._has_unsaved_parts = False

    def _assign(self, client: Client, part: int, clients_on_host: int, clients: int) -> None:
        """Tell a client its part, and how many take part in all, unless it was told."""
        if self._assigned.get(client.id) == (clients_on_host, clients):
            return
        is_first = client.id not in self._assigned
        self._assigned[client.id] = clients_on_host, clients
        number = self._roster.num_partitions
        assignment = Assignment(
            run_id=int(self._run.id, 16),
            run=self._run.id,
            node_config=to_values({"partition-id": part, "num-partitions": number}),
            run_config=to_values(self._run_config),
            clients_on_host=clients_on_host,
            clients=clients,
        )
        if is_first and client.run != self._run.id:
            # what the client did in other runs is not what it does in this one
            self._link.note(
                client.id,
                run=self._run.id,
                partition=part,
                num_partitions=number,
                samples=None,
                label_counts=None,
                train_loss=None,
                loss=None,
                accuracy=None,
            )
        self._link.assign(client.id, assignment)
