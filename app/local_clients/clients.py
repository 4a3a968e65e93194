"""LocalClients: those of one server, started and ended from its page."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from itertools import count

from app.local_clients.limit import most_here
from app.local_clients.process import LocalClient, Place, end_all
from shared.address import Address
from shared.app_process.starting import ProgramNotStarted
from shared.errors import FedLoomError

PREFIX = "local-"
GRACE_S = 3.0
"""How long a client may take to leave."""
GRACE_AT_THE_END_S = 1.0
"""Of the server."""


class LocalClientsRefused(FedLoomError):
    """So many cannot be started, for a reason in words."""


class LocalClients:
    """Any thread may use it; what starts and ends clients waits for it, and is not for the web's thread."""

    def __init__(self, place: Place, limit: int | None = None) -> None:
        """`limit`: how many may run at the same time; None: as many as the machine has room for."""
        self._place = place
        self.limit = most_here() if limit is None else limit
        self._changing = threading.Lock()
        self._clients: dict[str, LocalClient] = {}
        self._is_over = False

    def all(self) -> Sequence[LocalClient]:
        """Those that run, and those that have ended by themselves and were not started again since."""
        return tuple(self._clients.values())

    def start(
        self, number: int, dataset: str | None, server: Address, taken: Collection[str]
    ) -> Sequence[LocalClient]:
        """Start so many, of which each has the first name that is free. `dataset` None: the server's app
        decides; `taken`: names that others have.

        Raises LocalClientsRefused and ProgramNotStarted; then none is started.
        """
        with self._changing:
            self._check_room(number)
            started: list[LocalClient] = []
            running = {client.id for client in self.all() if client.is_running}
            names = (f"{PREFIX}{each}" for each in count(1))
            free = (name for name in names if name not in running and name not in taken)
            try:
                for _ in range(number):
                    started.append(LocalClient(next(free), dataset, self._place, server))
            except ProgramNotStarted:
                end_all(started, 0.0)
                raise
            self._clients |= {client.id: client for client in started}
            return started

    def end(self, client_id: str) -> bool:
        """End one, or take one off the list that has ended; whether there was one of this name."""
        with self._changing:
            client = self._clients.pop(client_id, None)
            if client is not None:
                end_all([client], GRACE_S)
            return client is not None

    def end_all(self) -> Sequence[str]:
        """End all, and take all off the list. Returns their names."""
        with self._changing:
            return self._end_all(GRACE_S)

    def stop(self) -> None:
        """The server ends: none is started from now on."""
        self._is_over = True
        with self._changing:
            self._end_all(GRACE_AT_THE_END_S)

    def _end_all(self, grace_s: float) -> Sequence[str]:
        clients = self.all()
        self._clients = {}
        end_all(clients, grace_s)
        return [client.id for client in clients]

    def _check_room(self, number: int) -> None:
        if self._is_over:
            raise LocalClientsRefused("The server is about to end.")
        running = sum(client.is_running for client in self.all())
        if running + number > self.limit:
            raise LocalClientsRefused(
                f"This machine has room for {self.limit} local clients, by its processors and its memory, "
                f"and {running} run. Start {max(self.limit - running, 0)} at most, end some first, or start "
                "clients on other machines."
            )
