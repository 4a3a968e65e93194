"""What each client has to do and was told: a state machine without I/O.

Commands come from the run, and what clients report goes to `ClientReports`. What follows goes out as frames,
to whatever stands for the client's connection, as calls of the task, and as what the registry shows.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from app.federation.link.client_reports import ClientReports
from app.federation.link.clients import ClientRegistry
from app.federation.link.clients_at_work import ClientAtWork, ClientsAtWork, ClientStream
from app.federation.link.limits import Limits
from app.federation.link.shown_work import ShownWork
from app.federation.link.task import Task, Withdrawn
from app.federation.link.verdicts import Verdicts
from app.records import Verdict
from shared.proto.link_pb2 import Assignment, Cancel, Hello, Pause, RunOver, ServerFrame, Welcome
from shared.text import printable


class ClientWork:
    """Of all clients, by their ids. Owned by the link thread; only that calls."""

    def __init__(
        self, registry: ClientRegistry, verdicts: Verdicts, limits: Limits, post: Callable[..., object]
    ) -> None:
        """`post` has a function called in the link thread, from any other."""
        self._registry = registry
        self._verdicts = verdicts
        self._limits = limits
        self._clients: ClientsAtWork = defaultdict(ClientAtWork)
        self._shown = ShownWork(self._clients, registry)
        self.reports = ClientReports(self._clients, self._shown, registry, verdicts, limits, post)

    # what the run wants

    def assign(self, client_id: str, assignment: Assignment) -> None:
        """Give a client its place in a run: it is told now, and whenever it comes back."""
        client = self._clients[client_id]
        if not client.is_in(assignment.run_id):
            client.receipts.clear()
        client.assignment = assignment
        client.send(ServerFrame(assignment=assignment))

    def run_of(self, client_id: str) -> str | None:
        """The id of the run in which a client has a place."""
        return self._clients[client_id].run

    def end_run(self, run_id: int) -> None:
        """Forget who has which place in a run that is over, and tell them."""
        self.set_paused(run_id, False)
        for client in self._clients.values():
            if client.is_in(run_id):
                client.assignment = None
                client.send(ServerFrame(run_over=RunOver()))

    def set_paused(self, run_id: int, paused: bool) -> None:
        """Have the clients of a run pause, or go on."""
        for client in self._clients.values():
            if client.is_in(run_id) and client.paused is not paused:
                client.paused = paused
                client.send(ServerFrame(pause=Pause(paused=paused)))

    def dispatch(self, tasks: Iterable[Task]) -> None:
        """Push messages to their clients. One that is not connected gets its own when it comes."""
        for task in tasks:
            client = self._clients[task.client_id]
            client.open[task.message_id] = task
            if client.stream is not None:
                client.stream.transmit(task)
                self._shown.show_task(task)
            else:
                task.on_away(f"{task.client_id} is not connected")

    def withdraw(self, client_id: str, message_id: str, reason: str, *, late: bool = False) -> None:
        """Cancel a message whose reply is no longer wanted, as far as it is still open."""
        client = self._clients[client_id]
        task = client.open.pop(message_id, None)
        if task is None:
            return
        client.withdrawn[message_id] = Withdrawn(
            task.run_id, task.message_type, task.round, time.monotonic(), late
        )
        if client.stream is not None:
            client.stream.drop(message_id)
            client.send(ServerFrame(cancel=Cancel(message_id=message_id, reason=printable(reason))))
            self._shown.show(client_id)

    def mark_late(self, client_id: str, message_id: str) -> None:
        """Show that a client has missed a deadline with a message that is open."""
        client = self._clients[client_id]
        if client.stream is not None and message_id in client.open:
            self._shown.show_late(client_id)

    def away(self, reason: str) -> None:
        """Tell whoever waits for a client that is connected that none will answer any more."""
        for client in self._clients.values():
            if client.stream is not None:
                _tell_away(client, reason)

    # connections

    def connected(self, hello: Hello, key: str, welcome: Welcome, stream: ClientStream) -> None:
        """A client is there, with this key: welcome it, and send what it should know and do.

        A message that it still holds, from a connection before, is not sent again.
        """
        client = self._clients[hello.client_id]
        client.stream, client.key = stream, key
        held = set(hello.holding)
        for message_id in client.withdrawn.keys() - held:
            del client.withdrawn[message_id]
        welcome.awaited.extend(held & client.open.keys())
        welcome.paused = client.paused
        welcome.run_id = client.assignment.run_id if client.assignment is not None else 0
        welcome.sequence = self._verdicts.newest_sequence(hello.client_id)
        client.send(ServerFrame(welcome=welcome))
        client.send(*(ServerFrame(received=received) for received in client.receipts))
        if client.assignment is not None:
            client.send(ServerFrame(assignment=client.assignment))
        for task in client.open.values():
            if task.message_id not in held:
                stream.transmit(task)
            task.on_back()
        # Last, so that nobody gives up the messages of a client that is seen to be there again.
        self._registry.connected(hello, key)
        self._shown.show(hello.client_id)

    def disconnected(self, client_id: str, stream: ClientStream, reason: str) -> None:
        """A connection is over, and why. If the client has another one by now, nothing else is."""
        client = self._clients[client_id]
        if client.stream is not stream:
            return
        client.stream = None
        self._registry.lost(client_id)
        _tell_away(client, reason)

    def expelled(self, client_id: str, reason: str, verdict: Verdict | None) -> None:
        """A client is not let in any more: there will be no reply to anything that it works on.

        `verdict`: of what it owes; None for one that has left and was forgotten.
        """
        self._limits.forget(client_id)
        client = self._clients.pop(client_id, None)
        if client is None:
            return
        if client.stream is not None:
            for message_id in client.open:
                client.stream.drop(message_id)
            self._registry.lost(client_id)
        for task in client.open.values():
            if verdict is not None:
                self._verdicts.without_reply(task, client.key, verdict, reason)
            task.on_failure(reason, verdict)


def _tell_away(client: ClientAtWork, reason: str) -> None:
    for task in tuple(client.open.values()):
        task.on_away(reason)
