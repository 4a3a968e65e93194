"""Who is connected, in what state, since when.

Owned by the link thread: only it calls the methods that change something. Each record is an immutable value,
so that any thread may take a `snapshot`; each change is published.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from app.event_bus import EventBus
from app.records import Client, ClientCounts, ClientState, Verdict
from shared.natural_order import natural_key
from shared.proto.link_pb2 import Hello


class ClientRegistry:
    """The clients that this server has seen, by id; `known` are those from before it started, all lost."""

    def __init__(self, bus: EventBus, known: Iterable[Client] = ()) -> None:
        self._bus = bus
        self._clients = {client.id: client for client in known}
        self._listeners: list[Callable[[], None]] = []

    # read, from any thread

    def snapshot(self) -> list[Client]:
        """All clients, in the natural order of their ids."""
        return sorted(self._clients.copy().values(), key=lambda client: natural_key(client.id))

    def get(self, client_id: str) -> Client | None:
        """One client as it is now, or None."""
        return self._clients.get(client_id)

    def known(self, client_id: str) -> Client:
        """One client that has been connected. Raises KeyError for any other."""
        return self._clients[client_id]

    def counts(self) -> ClientCounts:
        """How many clients are connected and how many are lost."""
        clients = self._clients.copy().values()
        lost = sum(client.state is ClientState.LOST for client in clients)
        return ClientCounts(connected=len(clients) - lost, lost=lost)

    # change, in the link thread

    def on_membership(self, listener: Callable[[], None]) -> None:
        """Call `listener` in the link thread whenever a client came or went."""
        self._listeners.append(listener)

    def off_membership(self, listener: Callable[[], None]) -> None:
        """Undo `on_membership`."""
        self._listeners.remove(listener)

    def key_of(self, client_id: str) -> str | None:
        """The id of the key that a client's name belongs to; None: the name is free."""
        client = self._clients.get(client_id)
        return None if client is None else client.key

    def connected(self, hello: Hello, key: str) -> Client:
        """A client with this key said hello: it is idle now, whatever it was before."""
        now = time.time()
        known = self._clients.get(hello.client_id)
        client = Client(
            id=hello.client_id,
            key=key,
            state=ClientState.IDLE,
            app=hello.app.name if hello.HasField("app") else None,
            dataset=hello.dataset,
            models=tuple(hello.models),
            host=hello.host,
            device=hello.device,
            connected_at=now,
            last_seen=now,
            verdict=known.verdict if known else None,
            verdicts=known.verdicts if known else {},
            **(_memory(known) if known and known.dataset == hello.dataset else {}),
        )
        self._put(client)
        self._tell_listeners()
        return client

    def lost(self, client_id: str) -> None:
        """A client's link ended."""
        self.update(client_id, state=ClientState.LOST, round=None, late_since=None, progress=None)
        self._tell_listeners()

    def settled(self, client_id: str) -> None:
        """A client works on nothing. If it was late until now, a run may have waited for that."""
        was_late = self._clients[client_id].state is ClientState.LATE
        self.update(client_id, state=ClientState.IDLE, progress=None, late_since=None)
        if was_late:
            self._tell_listeners()

    def judged(self, client_id: str, verdict: Verdict) -> None:
        """It was decided of a reply of a client's."""
        counts = self._clients[client_id].verdicts
        self.update(client_id, verdict=verdict, verdicts={**counts, verdict: counts.get(verdict, 0) + 1})

    def seen(self, client_id: str) -> None:
        """A sign of life; too frequent to publish."""
        client = self._clients[client_id]
        self._clients[client_id] = client.model_copy(update={"last_seen": time.time()})

    def update(self, client_id: str, **changes: Any) -> None:
        """Change some fields of a known client and publish it, unless nothing changed."""
        client = self._clients[client_id]
        changed = client.changed(**changes)
        if changed != client:
            self._put(changed)

    def _put(self, client: Client) -> None:
        self._clients[client.id] = client
        self._bus.publish(client)

    def _tell_listeners(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _memory(client: Client) -> dict[str, Any]:
    """What stays true of a client that comes back."""
    return client.model_dump(
        include={
            "samples",
            "label_counts",
            "partition",
            "num_partitions",
            "train_loss",
            "loss",
            "accuracy",
        }
    )
