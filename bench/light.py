"""Light clients for the benchmarks of the page: many in one process, each with a connection of its own, that
return what they are sent at once."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from bench import echo
from client.built_in_app import BuiltInApp
from client.link import ClientIdentity, Link
from client.membership import Membership
from client.runtime import Runtime
from shared.address import Address
from shared.console import configure_logging
from shared.names import DatasetName, ModelName
from shared.security.client_key import key_file
from shared.security.keys import KeyPair

SPEC = {"dataset": DatasetName.DIGITS, "model": ModelName.LINEAR}
"""What of a run's settings such clients need."""

YIELDING = 10


def names(clients: int) -> list[str]:
    """Of so many clients."""
    return [f"client-{number}" for number in range(1, clients + 1)]


def light_clients(pipe: Connection, ids: Sequence[str], port: int, folder: Path) -> None:
    """Serve the link at `port`, with the local invitation in `folder`, until the pipe is closed. They
    stand for other machines: server, page and sockets go before them on this one's cores."""
    os.nice(YIELDING)
    configure_logging("light clients")
    links = [_link(name, port, folder) for name in ids]
    with suppress(asyncio.CancelledError):
        asyncio.run(_serve(links, pipe))


def _link(name: str, port: int, folder: Path) -> Link:
    runtime = Runtime(BuiltInApp(echo.app), {}, None)
    runtime.start()
    identity = ClientIdentity(name, DatasetName.DIGITS, (ModelName.LINEAR,), platform.node(), "cpu")
    key = KeyPair.load_or_make(key_file(folder, name))  # the next client of this name is the same
    membership = Membership(Address("127.0.0.1", port), folder, key=key)
    return Link(membership, identity, runtime, lambda _: None)


async def _serve(links: Sequence[Link], pipe: Connection) -> None:
    serving = asyncio.gather(*(link.run() for link in links))
    asyncio.get_running_loop().add_reader(pipe.fileno(), serving.cancel)
    await serving
