"""Clients that learn on over the mesh while their server is away, and what is asked of such a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Any

from app.audit.verify import verify
from shared.address import Address, parse_address
from tests.support.api import Api, Json
from tests.support.audit import exported_from, opened
from tests.support.forked_server import Death, ForkedServer
from tests.support.processes import Command
from tests.support.waiting import wait_until

LIMIT_S = 240.0
FOUR = ("client-1", "client-2", "client-3", "client-4")
AFTER_S = "1"

SPEC: dict[str, Any] = {
    "num_rounds": 8,
    "min_clients": 4,
    "num_partitions": 4,
    "model": "linear",
    "dataset": "digits",
    "alpha": None,
    "seed": 3,
}

IN_ROUND_3 = Death("app.federation.strategies.base:RoundFold.finish", call=3)
"""All updates of it have come, and nothing is made of them."""


class Meshed:
    """Clients in the mesh, as they are started by hand."""

    def __init__(self, server: ForkedServer, ending: ExitStack) -> None:
        self._server = server
        self._ending = ending
        self.commands: dict[str, Command] = {}

    def start(
        self,
        *client_ids: str,
        address: str = "127.0.0.1",
        before: Sequence[str] = (),
        script: Sequence[str] = ("run_client.py",),
    ) -> None:
        """Start these; does not wait until they are connected. `address`: where they reach the server's
        machine; `before`: as Command has it; `script`: what takes the place of `run_client.py`."""
        link = Address(address, parse_address(self._server.link).port)
        for client_id in client_ids:
            self.commands[client_id] = command = Command(
                *script,
                *("--client-id", client_id, "--server", str(link), "--threads", "1"),
                *("--enable-mesh", "--mesh-after", AFTER_S),
                home=self._server.home,
                before=before,
            )
            self._ending.callback(command.end)

    def have_gone(self, rounds: int, *client_ids: str) -> None:
        """Wait until these have gone so many mesh rounds."""
        for client_id in client_ids or self.commands:
            self.commands[client_id].wait_for_output(rf"mesh round {rounds}: averaged", LIMIT_S)

    def are_there(self, api: Api) -> None:
        """Wait until all are connected, and all have been told of all."""
        for client_id in self.commands:
            api.wait_for_client(client_id, "idle", timeout_s=LIMIT_S)

        def know_each_other() -> bool:
            online = [client["mesh"]["online"] for client in api.clients().values() if client["mesh"]]
            return online == [len(self.commands) - 1] * len(self.commands)

        wait_until(know_each_other, "all clients see each other in the mesh", LIMIT_S)


def connected(server: ForkedServer, ending: ExitStack) -> Api:
    return ending.enter_context(closing(Api(server.url)))


def require_sound_log(server: ForkedServer) -> None:
    """What the audit log tells of models and contributions fits together, by the clients' own signatures."""
    server.end()
    verify(opened(exported_from(server.home)), [])


def require_nothing_twice(run: Json) -> None:
    numbers = [number for merge in run["mesh"]["merges"] for number in merge["contributions"]]
    assert len(set(numbers)) == len(numbers), "a contribution is in the run twice"
