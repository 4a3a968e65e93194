"""A whole node: folder, network, pairing and discovery, for a process of its own or within a client."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from mesh.discovery.exchange import PeerExchange
from mesh.discovery.fixed import find_all
from mesh.discovery.interfaces import addresses_on, is_loopback
from mesh.discovery.mdns import Multicast, Nearby
from mesh.handshake import Introduction
from mesh.p2p_network import MeshSettings, P2PNetwork
from mesh.pairing import Pairing
from mesh.refusals import Refusal, refusals
from mesh.trust.folder import folder_of, taken
from mesh.trust.invitation import MeshInvitation
from mesh.trust.kept_invitations import FILE as INVITATIONS
from mesh.trust.kept_invitations import Clocks, kept_invitations
from mesh.trust.store import MemberStore
from shared.address import ANY_ADDRESS, Address
from shared.errors import FedLoomError
from shared.security.client_key import key_file
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

KEEP_ADDRESSES_S = 30.0

log = logging.getLogger(__name__)


class NodeNotStarted(FedLoomError):
    """A node cannot listen where it is to."""


@dataclass(frozen=True)
class NodeSettings:
    """What a node was asked for."""

    name: str
    """Of its client, whose key it has; a node by itself has the same kind of name and key."""
    home: Path
    """FedLoom's own folder."""
    host: str = "0.0.0.0"
    port: int = 0
    """0: any that is free."""
    join: tuple[Address | MeshInvitation, ...] = ()
    """Where members are, and invitations to come by."""
    interfaces: tuple[str, ...] = ()
    """On which members on the same network are looked for; none: that of the default route."""
    servers: tuple[KeyId, ...] | None = None
    """Whose roster counts of those that were taken before; None: that which was taken last."""


@dataclass(frozen=True)
class RunningNode:
    """A node that runs. Used in its event loop."""

    settings: NodeSettings
    network: P2PNetwork
    """As `mesh.node.Mesh`, and more."""
    members: MemberStore
    pairing: Pairing

    @property
    def folder(self) -> Path:
        """Where it keeps what it knows."""
        return folder_of(self.settings.home, self.settings.name)

    def refusals(self) -> list[Refusal]:
        """What it has not taken from others."""
        return refusals(self.network.status(), self.pairing.refused)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where others reach it, as far as it knows."""
        listens = self.network.address
        if listens.host not in ANY_ADDRESS:
            return (listens,)
        found = addresses_on(self.settings.interfaces) or ("127.0.0.1",)
        return tuple(Address(host, listens.port) for host in found)


@asynccontextmanager
async def running_node(settings: NodeSettings) -> AsyncIterator[RunningNode]:
    """Be a node. Raises FolderInUse, FolderUnusable, KeyUnusable, SettingsInvalid, and NodeNotStarted."""
    folder = folder_of(settings.home, settings.name)
    addresses_on(settings.interfaces)  # an interface that is not there is said before anything is begun
    with taken(folder):
        key = KeyPair.load_or_make(key_file(settings.home, settings.name))
        members = MemberStore(folder, key.public.id)
        if settings.servers is not None:
            members.drop_roster(unless_of=settings.servers)
        listening = MeshSettings(key, settings.name, folder, settings.host, settings.port)
        network = P2PNetwork(listening, members)
        try:
            await network.start()
        except OSError as error:
            raise NodeNotStarted(
                f"The node cannot listen at {Address(settings.host, settings.port)}: "
                f"{error.strerror or error}. Choose another port or address."
            ) from error
        try:
            invitations = kept_invitations(folder / INVITATIONS, Clocks(time.monotonic, time.time))
            pairing = Pairing(
                key, members, lambda: _introduction(settings, network), invitations, time.monotonic
            )
            network.on_pairing(pairing.receive)
            node = RunningNode(settings, network, members, pairing)
            async with _tasks(_discovery(node, key)):
                yield node
        finally:
            await network.stop()
            await members.keep_addresses()


def _introduction(settings: NodeSettings, network: P2PNetwork) -> Introduction:
    return Introduction(settings.name, network.status().epoch, network.address)


def _discovery(node: RunningNode, key: KeyPair) -> Sequence[Coroutine[None, None, None]]:
    """All that goes on beside the network."""
    settings, members = node.settings, node.members
    exchange = PeerExchange(node.network, members, random.SystemRandom(), time.monotonic)
    fixed = [each for each in settings.join if isinstance(each, Address)]
    invitations = [each for each in settings.join if isinstance(each, MeshInvitation)]
    work = [exchange.run(), find_all(fixed, members), _keep_addresses(members)]
    work += [_join(node.pairing, invitation) for invitation in invitations]
    if not is_loopback(settings.host):
        multicast = Multicast(key.public.id, node.network.address.port, Nearby(members))
        work.append(multicast.run(lambda: addresses_on(settings.interfaces)))
    return work


async def _join(pairing: Pairing, invitation: MeshInvitation) -> None:
    try:
        await pairing.join(invitation)
    except FedLoomError as error:
        log.error("the invitation has not led to a pairing: %s", error)


async def _keep_addresses(members: MemberStore) -> None:
    while True:
        await asyncio.sleep(KEEP_ADDRESSES_S)
        await members.keep_addresses()


@asynccontextmanager
async def _tasks(work: Sequence[Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Have these done meanwhile. What fails by a bug is logged, and does not end the node."""
    tasks = [asyncio.ensure_future(each) for each in work]
    for task in tasks:
        task.add_done_callback(_say_what_failed)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _say_what_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a part of the node has ended", exc_info=error)
