"""Which clients belong to a run, and which part of the data set each of them has.

Parts are given out when the run starts, in the natural order of the client ids, so that the same clients get
the same parts however the network shuffled their arrival. A part stays with its client for the whole run: a
client that was lost finds it again. A newcomer gets a free part if there is one, and otherwise waits for the
next run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.records import Client, ClientState, WaitingFor, WaitKind
from shared.natural_order import natural_key
from shared.run_spec import RunSpec

MAX_DETAILS = 5
"""Clients that a reason names; more are counted."""


@dataclass(frozen=True)
class Parts:
    """Which client has which part, of how many (0: not known yet)."""

    number: int
    by_client: Mapping[str, int]


class Roster:
    """The clients of one run. Owned by the run thread. `given`: what was given out before an interruption."""

    def __init__(self, run_id: str, spec: RunSpec, given: Parts | None = None) -> None:
        self._run_id = run_id
        self._spec = spec
        self._parts: dict[str, int] = dict(given.by_client) if given else {}
        self.num_partitions = given.number if given else spec.num_partitions or 0
        """Parts of the data set; 0 until the first clients are admitted, where the spec leaves it open."""

    @property
    def parts(self) -> Parts:
        """The parts as they are given out now."""
        return Parts(self.num_partitions, self._parts.copy())

    def objection(self, client: Client) -> str | None:
        """Why a client can take no part in this run, in words; None when it can."""
        if self._spec.app is None and client.dataset != self._spec.dataset:
            return f"holds {client.dataset}, run {self._run_id} trains on {self._spec.dataset}"
        if self._spec.app is None and self._spec.model not in client.models:
            models = " and ".join(client.models)
            return f"trains {models} models, run {self._run_id} needs {self._spec.model}"
        if client.id not in self._parts and 0 < self.num_partitions <= len(self._parts):
            return f"finds all {self.num_partitions} parts of run {self._run_id} taken, can join the next run"
        return None

    def eligible(self, clients: Iterable[Client]) -> list[Client]:
        """The connected clients that could take part now: holders of parts, newcomers while parts last."""
        able = [client for client in clients if not _absent(client) and self.objection(client) is None]
        holders = [client for client in able if client.id in self._parts]
        newcomers = [client for client in able if client.id not in self._parts]
        free = self.num_partitions - len(self._parts) if self.num_partitions else len(newcomers)
        newcomers.sort(key=lambda client: natural_key(client.id))
        return holders + newcomers[:free]

    def admit(self, clients: Iterable[Client]) -> list[Client]:
        """Give each eligible client without a part the lowest free one; returns those that got one."""
        newcomers = [client for client in self.eligible(clients) if client.id not in self._parts]
        if not self.num_partitions:
            # At least the minimum: a client that left just now must find a part when it comes back.
            self.num_partitions = max(len(newcomers), self._spec.min_clients)
        taken = set(self._parts.values())
        free = [part for part in range(self.num_partitions) if part not in taken]
        self._parts.update({client.id: part for client, part in zip(newcomers, free, strict=False)})
        return newcomers

    def waiting_for(self, clients: Iterable[Client], minimum: int) -> WaitingFor:
        """What a run with too few clients waits for."""
        clients = list(clients)
        absent = [client for client in clients if client.id in self._parts and _absent(client)]
        return WaitingFor(
            kind=WaitKind.CLIENTS,
            clients=tuple(client.id for client in absent),
            lost=tuple(client.id for client in absent if client.state is ClientState.LOST),
            have=len(self.eligible(clients)),
            need=minimum,
        )

    def why_not(self, clients: Iterable[Client]) -> str:
        """Why those who could take part do not, in words; empty where there is nobody."""
        clients = list(clients)
        details = [
            f"{client.id} is {client.state}"
            for client in clients
            if client.id in self._parts and _absent(client)
        ]
        details += [
            f"{client.id} {objection}"
            for client in clients
            if not _absent(client) and (objection := self.objection(client)) is not None
        ]
        if len(details) > MAX_DETAILS:
            details = [*details[:MAX_DETAILS], f"and {len(details) - MAX_DETAILS} more"]
        return "; ".join(details)


def _absent(client: Client) -> bool:
    """Lost, or still busy with a message that it is too late with."""
    return client.state in (ClientState.LOST, ClientState.LATE)
