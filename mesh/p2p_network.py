"""P2PNetwork: the mesh over TCP. It gives the protocol's state machine its connections and its clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from random import Random, SystemRandom
from types import TracebackType
from typing import Self

from mesh.connection import Connection, Traffic
from mesh.contents import Contents
from mesh.drop_log import DropLog
from mesh.handshake import Introduction
from mesh.links import Links, PairingHandler
from mesh.listeners import Listeners
from mesh.members import Members
from mesh.node import Content, ContentUnavailable, PeerState, PeerView, Received, Source, Unreachable
from mesh.node_memory import NodeMemory
from mesh.protocol import effects
from mesh.protocol.counts import Reason
from mesh.protocol.framing import FrameInvalid
from mesh.protocol.limits import Limits, Pace
from mesh.protocol.node import Node
from mesh.protocol.replay import Seen
from mesh.protocol.topology import MAX_ADDRESSES
from mesh.refused_models import RefusedModels
from mesh.sparse_log import SparseLog
from mesh.status import MeshStatus, by_name, link_statuses, one_sided, peer_statuses
from shared.address import ANY_ADDRESS, Address
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

TICK_S = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MeshSettings:
    """Of one node."""

    key: KeyPair
    name: str
    folder: Path
    """For what it keeps (`NodeMemory`)."""
    host: str = "127.0.0.1"
    port: int = 0
    """0: any that is free."""
    advertised: tuple[Address, ...] = ()
    """Where others find it; empty: where it listens."""
    limits: Limits | None = None
    pace: Pace | None = None


class P2PNetwork:
    """A node in its network, between `start` and `stop`, or within `async with`. As `mesh.node.Mesh`."""

    def __init__(self, settings: MeshSettings, members: Members) -> None:
        """Raises MemoryUnusable."""
        self._settings, self._members = settings, members
        self.address = Address(settings.host, settings.port)
        """Where it listens, since `start`."""
        self.refused_models = RefusedModels()
        self._memory = NodeMemory(settings.folder)
        epoch, seen, rng = self._memory.epoch, self._memory.seen, Random(SystemRandom().random())
        limits, pace = settings.limits, settings.pace
        self._node = Node(settings.key, epoch, members, rng, limits=limits, pace=pace, seen=seen)
        self.counts = self._node.counts
        self._links = Links(settings.key, members, self, rng)
        self._listeners = Listeners()
        self._contents = Contents(self._node, self._act, lambda peer: self._links.connections.get(peer))
        self._listening: tuple[Address, ...] = ()
        """Where others find it."""
        self._endings = SparseLog(log, _now)
        self._drop_log = DropLog(log, self.counts, self._links.refused, self.refused_models, _now)
        self._is_acting = False
        self._is_over = False
        self._ticks: asyncio.Task[None] | None = None
        members.watch(self._members_changed)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, and connect to members. Raises OSError when the address is taken."""
        try:
            listens = await self._links.listen(self._settings.host, self._settings.port)
        except OSError:
            self._memory.release()
            raise
        self.address = listens
        self._listening = self._settings.advertised or (listens,)
        if listens.host not in ANY_ADDRESS or self._settings.advertised:
            self._node.listens(self._listening)
        self._links.introduction = Introduction(self._settings.name, self._node.epoch, self._listening[0])
        self._ticks = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        """End all links, and all waiting. A node that was stopped is not started again."""
        self._is_over = True
        if self._ticks is not None:
            self._ticks.cancel()
            await asyncio.gather(self._ticks, return_exceptions=True)
        await self._contents.close()
        await self._links.close()
        self._listeners.close()
        self._memory.release()

    # Mesh

    @property
    def me(self) -> KeyId:
        """This node."""
        return self._node.me

    def peers(self) -> Sequence[PeerView]:
        """All members, whether or not they are there."""
        return self._node.peers(_now())

    def watch(self, changed: Callable[[], None]) -> None:
        """Have `changed` called after any peer's state has changed."""
        self._listeners.watch(changed)

    def on(self, topic: str, handler: Callable[[Received], None]) -> Callable[[], None]:
        """Have messages with this topic handled, until the function is called that is returned."""
        return self._listeners.on(topic, handler)

    def flood(self, topic: str, body: bytes) -> None:
        """To all members that can be reached, each once; not confirmed. Raises ValueError for a topic or a
        body that is not allowed."""
        self._node.flood(topic, body)
        self._act()

    async def send(self, to: KeyId, topic: str, body: bytes, timeout_s: float = 10.0) -> None:
        """To one member, over as many hops as it takes. Returns when that has confirmed it. Raises
        Unreachable, and ValueError as `flood`."""
        if self._is_over:
            raise Unreachable("The message was not sent: this node was stopped.")
        if to not in self._members.all():
            raise Unreachable(f"The message was not sent: {to.short} is no member that this node trusts.")
        number = self._node.send(to, topic, body, _now(), timeout_s)
        confirmation = self._listeners.wait_for(number)
        self._act()
        await confirmation

    async def offer(self, source: Source, size: int) -> Content:
        """Give these bytes to any member that asks for them, until they are withdrawn. Raises what the source
        raises, and ValueError if it has fewer bytes."""
        return await self._contents.offer(source, size)

    def withdraw(self, content: Content) -> None:
        """Give them no more. What was offered twice is withdrawn twice."""
        self._contents.withdraw(content)

    async def fetch(
        self,
        content: Content,
        holders: Sequence[KeyId],
        store: Callable[[int, bytes], None],
        have: Collection[int] = (),
    ) -> None:
        """Get content from those who have it. Raises ContentUnavailable, what `store` raises, and ValueError
        for what is no content."""
        if self._is_over:
            raise ContentUnavailable("The content was not fetched: this node was stopped.")
        await self._contents.fetch(content, holders, store, have)

    # What else it offers

    def on_pairing(self, handler: PairingHandler | None) -> None:
        """Have those who come to pair handled; None: none any more. The handler gets who it is, and frames in
        which both say what they want, as `Frame.pairing`; the connection ends with it."""
        self._links.pairing = handler

    def traffics(self) -> dict[KeyId, Traffic]:
        """What has gone over each link, since it is there."""
        return {peer: connection.traffic for peer, connection in self._links.connections.items()}

    def status(self) -> MeshStatus:
        """What this node knows of itself and of the network."""
        now, traffics = _now(), self.traffics()
        traffic = sum(traffics.values(), start=self._links.traffic_before)
        return MeshStatus(
            key=str(self.me),
            name=self._settings.name,
            epoch=self._node.epoch,
            listening=[str(address) for address in self._listening],
            peers=peer_statuses(self._node, self._members.all(), traffics, self.refused_models, now),
            links=link_statuses(self._node),
            one_sided=one_sided(self._node),
            dropped=by_name(self.counts.dropped),
            refused=dict(self._links.refused),
            refused_models=self.refused_models.total,
            duplicates=self.counts.duplicates,
            sent_bytes=traffic.sent,
            received_bytes=traffic.received,
        )

    # Links tell

    def up(self, connection: Connection) -> None:
        """There is a link."""
        introduction = connection.introduction
        self._learn_own_address(connection)
        self._node.connected(connection.peer, introduction.epoch, _now())
        if introduction.listening is not None:
            self._members.found(connection.peer, introduction.listening)
        self._act()

    def down(self, peer: KeyId, why: str) -> None:
        """It is gone."""
        log.debug("the link to %s is gone: %s", peer.short, why)
        self._node.disconnected(peer, _now())
        self._act()

    def arrived(self, peer: KeyId, frame: bytes) -> None:
        """A frame has come."""
        self._node.receive(peer, frame, _now())
        self._act()

    def broken(self, peer: KeyId, error: FrameInvalid) -> None:
        """What has come is no frame."""
        self.counts.drop(error.reason, peer)
        self._endings.info("the link to %s is ended: %s", peer.short, error)

    def epoch_of(self, peer: KeyId) -> int:
        """The newest start of a member that is known."""
        return self._node.epoch_of(peer)

    def is_reachable(self, peer: KeyId) -> bool:
        """Whether there is a way to a member."""
        return self._node.topology.route(peer) is not None

    # How it works

    async def _tick(self) -> None:
        while True:
            try:
                now = _now()
                self._node.tick(now)
                self._act()
                views = self._node.peers(now)
                self._links.dial([view.key for view in views if view.state is PeerState.OFFLINE], now)
                self._drop_log.look(self._members.all())
            except Exception:
                log.exception("the mesh has failed by a bug, and goes on")
            await asyncio.sleep(TICK_S)

    def _members_changed(self) -> None:
        if not self._is_over:
            self._node.members_changed(_now())
            self._act()

    def _act(self) -> None:
        """Do what the node wants done; a handler that is called may have it want more."""
        if self._is_acting:
            return
        self._is_acting = True
        try:
            while wanted := self._node.take():
                for effect in wanted:
                    self._do(effect)
        finally:
            self._is_acting = False

    def _do(self, effect: effects.Effect) -> None:
        match effect:
            case effects.Transmit():
                connection = self._links.connections.get(effect.peer)
                if connection is not None and not connection.put(effect.frame, is_bulk=effect.is_bulk):
                    self.counts.drop(Reason.QUEUE_FULL, effect.peer)
            case effects.Remember():
                self._memory.remember(effect.sender, Seen(effect.epoch, effect.sequence))
            case effects.Deliver():
                self._listeners.deliver(effect.received)
            case effects.Confirmed():
                self._listeners.confirmed(effect.message)
            case effects.Expired():
                self._listeners.expired(effect.message, effect.why)
            case effects.ReadChunk():
                self._contents.read(effect)
            case effects.StoreChunk():
                self._contents.store(effect)
            case effects.FetchEnded():
                self._contents.ended(effect)
            case effects.Found():
                self._members.found(effect.peer, effect.address)
            case effects.Disconnect():
                self._endings.info("the link to %s is ended: %s", effect.peer.short, effect.why)
                self._links.end(effect.peer, effect.why)
            case effects.PeersChanged():
                self._listeners.peers_changed()

    def _learn_own_address(self, connection: Connection) -> None:
        """A node that listens everywhere is found where its neighbours reach it."""
        here = connection.here
        if self._settings.advertised or self.address.host not in ANY_ADDRESS or not here.host:
            return
        address = Address(here.host, self.address.port)
        if address not in self._listening and not ip_address(here.host).is_loopback:
            self._listening = (*self._listening, address)[-MAX_ADDRESSES:]
            self._node.listens([known for known in self._listening if known.host not in ANY_ADDRESS])


def _now() -> float:
    return asyncio.get_running_loop().time()
