"""Nodes that share a folder over a mesh without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from mesh.files.checking import FileCheck
from mesh.files.names import IGNORE_FILE, OWN_FOLDER
from mesh.files.settings import FolderSettings
from mesh.members import Member, Origin
from mesh.node import Mesh
from mesh.sync import FolderSync
from mesh.syncing.offers import Offers
from mesh.syncing.own_node import OwnNode
from mesh.syncing.timing import Timing
from shared.address import Address
from shared.security.key_id import KeyId
from tests.support.file_nodes import node_key
from tests.support.mesh_in_memory import MemoryMesh, MemoryNetwork, key_of
from tests.support.waiting import LIMIT_S

QUICK = Timing(
    racy_s=0.1,
    quiet_s=0.05,
    pause_s=0.01,
    announce_s=1.0,
    answer_s=5.0,
    grace_s=0.05,
    retry_s=0.05,
    longest_retry_s=0.5,
    problem_s=0.1,
)
FOLDER = "papers"


class AllTrusted:
    """Members of a network in memory: everybody, but for those who were blocked."""

    def __init__(self, me: str, names: tuple[str, ...]) -> None:
        self.blocked: set[str] = set()
        self._names = {name: number for number, name in enumerate(names) if name != me}
        self._watchers: list[Callable[[], None]] = []

    def all(self) -> Mapping[KeyId, Member]:
        """As Members has it."""
        return {
            key_of(name): Member(node_key(number).public, name, Origin.PAIRED)
            for name, number in self._names.items()
            if name not in self.blocked
        }

    def watch(self, changed: Callable[[], None]) -> None:
        """As Members has it."""
        self._watchers.append(changed)

    def found(self, key: KeyId, address: Address) -> None:
        """As Members has it; addresses are of no use here."""

    def block(self, name: str) -> None:
        """Trust a node no more."""
        self.blocked.add(name)
        for changed in self._watchers:
            changed()


class SyncNode:
    """One node with its folder."""

    def __init__(self, network: MemoryNetwork, base: Path, name: str, names: tuple[str, ...]) -> None:
        self.name = name
        self.root = base / name
        self.root.mkdir(exist_ok=True)
        self.mesh: MemoryMesh = network.node(name)
        self.members = AllTrusted(name, names)
        self.settings = FolderSettings(FOLDER, self.root)
        self.timing = QUICK
        self._home = base / "home" / name
        self._key = node_key(names.index(name))
        self._stack = AsyncExitStack()

    def start(self, mesh: Mesh | None = None, check: FileCheck | None = None, **changed: object) -> None:
        """Begin to share. `check`: as FolderSync has it."""
        self.settings = replace(self.settings, **changed)  # type: ignore[arg-type]
        used = mesh or self.mesh
        own = OwnNode(used, self.members, Offers(used))
        self.sync = FolderSync(own, self.settings, self._home, self._key, self.timing, check)
        self._task = asyncio.create_task(self.sync.run())

    async def stop(self) -> None:
        """End to share."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def write(self, name: str, data: bytes | str) -> None:
        """Somebody writes a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)

    def files(self) -> dict[str, bytes]:
        """What people see in the folder."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and path.relative_to(self.root).parts[0] not in (OWN_FOLDER, IGNORE_FILE)
        }

    def old_versions(self) -> list[bytes]:
        """What is kept of files that were replaced or deleted."""
        kept = self.root / OWN_FOLDER / "versions"
        return [path.read_bytes() for path in kept.rglob("*") if path.is_file()]


@asynccontextmanager
async def sharing(base: Path, *names: str) -> AsyncIterator[tuple[MemoryNetwork, list[SyncNode]]]:
    """Nodes that share a folder, and their network."""
    network = MemoryNetwork()
    nodes = [SyncNode(network, base, name, names) for name in names]
    for node in nodes:
        node.start()
    try:
        yield network, nodes
    finally:
        for node in nodes:
            await node.stop()


async def until(condition: Callable[[], object], what: str, timeout_s: float = LIMIT_S) -> None:
    """Wait for a condition; `what` completes "waited in vain until ..."."""
    try:
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {timeout_s:.0f} s in vain until {what}") from None
