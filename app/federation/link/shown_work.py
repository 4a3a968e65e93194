"""ShownWork: what the registry, and so the page, shows of the work of a client."""

from __future__ import annotations

import time

from app.federation.link.clients import ClientRegistry
from app.federation.link.clients_at_work import ClientsAtWork
from app.federation.link.task import Task
from app.records import ClientState

STATE_OF_TASK = {"train": ClientState.TRAINING, "evaluate": ClientState.EVALUATING}


class ShownWork:
    """Of all clients. Owned by the link thread; only that calls."""

    def __init__(self, clients: ClientsAtWork, registry: ClientRegistry) -> None:
        self._clients = clients
        self._registry = registry

    def show(self, client_id: str) -> None:
        """Show what a client does now: the newest message that it owes a reply to, if there is one."""
        client = self._clients[client_id]
        newest = next(reversed(client.open.values()), None)
        if newest is not None:
            self.show_task(newest)
        elif any(message.late for message in client.withdrawn.values()):
            self.show_late(client_id)
        else:
            self._registry.settled(client_id)

    def show_task(self, task: Task) -> None:
        """Show that a client works on a message."""
        state = STATE_OF_TASK.get(task.message_type.partition(".")[0])
        if state is not None:
            self._registry.update(
                task.client_id, state=state, round=task.round, progress=None, late_since=None
            )

    def show_late(self, client_id: str) -> None:
        """Show that a client is late, since now unless it is shown so."""
        if self._registry.known(client_id).state is not ClientState.LATE:
            self._registry.update(client_id, state=ClientState.LATE, late_since=time.time())

    def say_why(self, client_id: str, reason: str | None) -> None:
        """Show why a client takes no part, by its own word; None: it does. What the run says stays."""
        client = self._clients[client_id]
        if reason is not None or client.says_why:
            client.says_why = reason is not None
            self._registry.update(client_id, reason=reason)
