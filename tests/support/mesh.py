"""Stand-ins for a mesh: members without files, and nodes that reach each other without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mesh.members import Member, Origin
from mesh.node import Content, PeerState, PeerView, Received, Source, Unreachable
from mesh.protocol.counts import Counts
from mesh.refused_models import RefusedModels
from shared.address import Address
from shared.security.key_id import KeyId
from shared.security.keys import PublicKey


def a_key(number: int) -> KeyId:
    """Somebody's."""
    return KeyId(bytes([number]) * 32)


@dataclass
class KnownMembers:
    """`mesh.members.Members` in memory."""

    members: dict[KeyId, Member] = field(default_factory=dict)
    watchers: list[Callable[[], None]] = field(default_factory=list)

    def all(self) -> Mapping[KeyId, Member]:
        return self.members

    def watch(self, changed: Callable[[], None]) -> None:
        self.watchers.append(changed)

    def found(self, key: KeyId, address: Address) -> None:
        member = self.members.get(key)
        if member is not None and address not in member.addresses:
            self.members[key] = replace(member, addresses=(*member.addresses, address))
            self.changed()

    def add(self, key: KeyId, *addresses: Address) -> None:
        """Trust somebody."""
        self.members[key] = Member(PublicKey(b""), f"node-{key.digest[0]}", Origin.PAIRED, addresses)
        self.changed()

    def changed(self) -> None:
        for each in self.watchers:
            each()


class Air:
    """Through which nodes reach those who are there."""

    def __init__(self) -> None:
        self.nodes: dict[KeyId, AirMesh] = {}
        self.sent: list[tuple[KeyId, KeyId, str, bytes]] = []

    def changed(self) -> None:
        for node in self.nodes.values():
            for each in node.watchers:
                each()


class AirMesh:
    """`mesh.node.Mesh` as far as messages go: a member in the air is online, any other offline."""

    def __init__(self, air: Air, me: KeyId, members: KnownMembers) -> None:
        self.me = me
        self.members = members
        self.counts = Counts()
        self.refused_models = RefusedModels()
        self.watchers: list[Callable[[], None]] = []
        self._air = air
        self._handlers: dict[str, Callable[[Received], None]] = {}
        air.nodes[me] = self
        air.changed()

    def peers(self) -> Sequence[PeerView]:
        return [self._view(key, member) for key, member in self.members.all().items()]

    def watch(self, changed: Callable[[], None]) -> None:
        self.watchers.append(changed)

    def on(self, topic: str, handler: Callable[[Received], None]) -> Callable[[], None]:
        self._handlers[topic] = handler
        return lambda: self._handlers.pop(topic, None) and None

    def flood(self, topic: str, body: bytes) -> None:
        for key, node in self._air.nodes.items():
            if key != self.me:
                node.receive(Received(self.me, topic, body))

    async def send(self, to: KeyId, topic: str, body: bytes, timeout_s: float = 10.0) -> None:
        await asyncio.sleep(0)
        node = self._air.nodes.get(to)
        self._air.sent.append((self.me, to, topic, body))
        if node is None or self.me not in node.members.all():
            raise Unreachable(f"{to.short}… is not there.")
        node.receive(Received(self.me, topic, body))

    def receive(self, message: Received) -> None:
        """What a network hands over: of members alone."""
        handler = self._handlers.get(message.topic)
        if handler is not None and message.sender in self.members.all():
            handler(message)

    def _view(self, key: KeyId, member: Member) -> PeerView:
        if key in self._air.nodes:
            return PeerView(key, member.name, PeerState.ONLINE, 1, 0.001)
        return PeerView(key, member.name, PeerState.OFFLINE, None, None)

    async def offer(self, source: Source, size: int) -> Content:
        raise NotImplementedError

    def withdraw(self, content: Content) -> None:
        raise NotImplementedError

    async def fetch(
        self,
        content: Content,
        holders: Sequence[KeyId],
        store: Callable[[int, bytes], None],
        have: Collection[int] = (),
    ) -> None:
        raise NotImplementedError
