"""Nodes over real sockets on loopback, in the event loop of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from mesh.node import PeerState
from mesh.p2p_network import MeshSettings, P2PNetwork
from mesh.protocol.limits import Limits, Pace
from shared.address import Address
from shared.security.key_id import KeyId
from tests.support.mesh_world import FixedMembers, members_of, mesh_key
from tests.support.waiting import LIMIT_S

PACE = Pace(dead_s=20.0, stale_s=20.0, forget_s=60.0)
"""Patient: a machine that does much else at the same time keeps nodes from their pings."""
INTERVAL_S = 0.02


class Nodes:
    """Nodes 0 to n-1. Each knows the addresses only of those with lower numbers that it is to be linked
    with."""

    def __init__(
        self, folder: Path, size: int, links: Iterable[tuple[int, int]], limits: Limits | None
    ) -> None:
        self._folder, self._limits = folder, limits
        self.size = size
        self.links = [(min(pair), max(pair)) for pair in links]
        self.networks: dict[int, P2PNetwork] = {}
        self.members: dict[int, FixedMembers] = {}
        self.addresses: dict[int, Address] = {}

    def __getitem__(self, number: int) -> P2PNetwork:
        return self.networks[number]

    def id(self, number: int) -> KeyId:
        return mesh_key(number).public.id

    async def start(self, number: int) -> P2PNetwork:
        """A node, at the address that it had before if it had one."""
        known = {low: self.addresses[low] for low, high in self.links if high == number}
        port = self.addresses[number].port if number in self.addresses else 0
        members = members_of(number, range(self.size), known)
        settings = MeshSettings(
            mesh_key(number),
            f"node-{number}",
            self._folder / str(number),
            port=port,
            limits=self._limits,
            pace=PACE,
        )
        network = P2PNetwork(settings, members)
        await network.start()
        self.networks[number], self.members[number] = network, members
        self.addresses[number] = network.address
        return network

    async def stop(self, number: int) -> None:
        await self.networks.pop(number).stop()

    def states(self, number: int) -> dict[int, PeerState]:
        numbers = {self.id(other): other for other in range(self.size)}
        return {numbers[view.key]: view.state for view in self.networks[number].peers()}

    async def all_there(self) -> None:
        """Wait until every node that runs sees all others that run."""
        running = self.networks.keys()
        await until(
            lambda: all(
                self.states(number)[other] in (PeerState.ONLINE, PeerState.REJOINED)
                for number in running
                for other in running - {number}
            ),
            "all nodes see each other",
        )


@asynccontextmanager
async def running_nodes(
    folder: Path, size: int, links: Iterable[tuple[int, int]], limits: Limits | None = None
) -> AsyncIterator[Nodes]:
    """All of them, started in turn, and stopped in the end."""
    nodes = Nodes(folder, size, links, limits)
    try:
        for number in range(size):
            await nodes.start(number)
        yield nodes
    finally:
        for number in tuple(nodes.networks):
            await nodes.stop(number)


async def until(condition: Callable[[], object], what: str, timeout_s: float = LIMIT_S) -> None:
    """Ask until the answer is true; AssertionError after `timeout_s`. `what` completes "waited in vain until
    …"."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {timeout_s:.0f} s in vain until {what}")
        await asyncio.sleep(INTERVAL_S)


class Bytes:
    """A source of content that is in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]
