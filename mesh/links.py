"""Links: the connections of a node, one to each neighbour: made, taken, and lost."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from random import Random
from typing import Protocol

from mesh.connection import Connection, Traffic
from mesh.dialling import Dialling
from mesh.frame_stream import HANDSHAKE_S, ConnectionEnded, FrameStream, accept, connect, listen
from mesh.handshake import (
    Guest,
    HandshakeFailed,
    HandshakePurpose,
    Introduction,
    examine,
    introduce,
    refuse,
    welcome,
)
from mesh.members import Members
from mesh.protocol.framing import FrameInvalid
from mesh.protocol.limits import Limits
from mesh.protocol.mesh_pb2 import Refusal
from mesh.tls import accepting_context
from shared.address import ANY_ADDRESS, Address
from shared.errors import FedLoomError
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair

MAX_LINKS = 32
"""Taken from others; a member that cannot be reached in another way is taken beyond, up to MOST_LINKS."""
MOST_LINKS = Limits().links
"""A node that states more is not believed."""
STEADY_S = 10.0
"""A link that lasted so long is made again at once when it is lost."""
SHORTAGE_S = 1.0
"""Before the next try, when the machine has no room for a connection."""
MAX_ARRIVALS = 256
MAX_ARRIVALS_OF_A_HOST = 64
"""Connections that have not shown yet whose they are."""

PairingHandler = Callable[[Guest, FrameStream], Awaitable[None]]

log = logging.getLogger(__name__)


class Observer(Protocol):
    """What is told of links."""

    def up(self, connection: Connection) -> None:
        """There is a link; it takes the place of one with the same neighbour."""

    def down(self, peer: KeyId, why: str) -> None:
        """It is gone."""

    def arrived(self, peer: KeyId, frame: bytes) -> None:
        """A frame has come by it."""

    def broken(self, peer: KeyId, error: FrameInvalid) -> None:
        """What has come by it is no frame: it ends with that."""

    def epoch_of(self, peer: KeyId) -> int:
        """The newest start of a member that is known."""

    def is_reachable(self, peer: KeyId) -> bool:
        """Whether there is a way to a member."""


class Links:
    """Of one node, from `listen` to `close`."""

    def __init__(self, key: KeyPair, members: Members, observer: Observer, rng: Random) -> None:
        self.me = key.public.id
        self.refused: Counter[str] = Counter()
        """Connections that were not taken, by reason."""
        self.pairing: PairingHandler | None = None
        self.introduction = Introduction("", 1)
        self._key, self._members, self._observer = key, members, observer
        self._dialling = Dialling(rng)
        self._connections: dict[KeyId, Connection] = {}
        self.traffic_before = Traffic(0, 0)
        """Over links that are gone."""
        self._arrivals: dict[asyncio.Task[None], str] = {}
        """From which host each comes, the oldest first."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> Mapping[KeyId, Connection]:
        """By neighbour."""
        return self._connections

    async def listen(self, host: str, port: int) -> Address:
        """Take connections from now on; returns where. Raises OSError."""
        listener = await asyncio.to_thread(listen, Address(host, port))
        self._spawn(self._accept_all(listener, accepting_context(self._key)))
        return Address(host, listener.getsockname()[1])

    def dial(self, unreachable: Iterable[KeyId], now: float) -> None:
        """Connect to members, as many as are wanted; to be called several times a second."""
        if len(self._connections) >= MOST_LINKS:
            return
        chosen = self._dialling.choose(self._members.all(), self._connections, set(unreachable), now)
        for peer, address in chosen:
            self._spawn(self._dial(peer, address))

    def end(self, peer: KeyId, why: str) -> None:
        """End the link to a neighbour."""
        if connection := self._connections.get(peer):
            connection.end(why)

    async def close(self) -> None:
        """End all of them, and take no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Connections that this node makes

    async def _dial(self, peer: KeyId, address: Address) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                stream = await connect(address, peer)
                introduction = await self._introduce(stream, peer)
        except (OSError, FedLoomError) as error:  # TimeoutError is an OSError
            log.debug("no link to %s at %s: %s", peer.short, address, error or "it does not answer")
            self._dialling.failed(peer, loop.time())
            return
        self._dialling.succeeded(peer)
        begun = loop.time()
        await self._run(Connection(stream, peer, introduction, is_outgoing=True))
        if loop.time() - begun > STEADY_S:
            self._dialling.forgive(peer)
        self._dialling.failed(peer, loop.time())

    async def _introduce(self, stream: FrameStream, peer: KeyId) -> Introduction:
        try:
            return await introduce(stream, self._key, self.introduction, peer)
        except BaseException:
            stream.abort()
            raise

    # Connections that others make

    async def _accept_all(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        """Who connects is counted before anything is done for them, also before TLS."""
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                try:
                    connection, (host, *_) = await loop.sock_accept(listener)
                except OSError as error:
                    log.warning("a connection cannot be taken: %s", error)
                    await asyncio.sleep(SHORTAGE_S)
                    continue
                self._make_room(host)
                self._arrivals[self._spawn(self._take(connection, host, context))] = host
                await asyncio.sleep(0)  # whoever connects in a hurry keeps nobody waiting

    def _make_room(self, host: str) -> None:
        """Who has waited longest goes: a member says who it is at once, and so comes in also while others
        come without end."""
        of_host = [task for task, other in self._arrivals.items() if other == host]
        if len(of_host) >= MAX_ARRIVALS_OF_A_HOST:
            oldest = of_host[0]
        elif len(self._arrivals) >= MAX_ARRIVALS:
            oldest = next(iter(self._arrivals))
        else:
            return
        self.refused["too-many"] += 1
        del self._arrivals[oldest]
        oldest.cancel()

    async def _take(self, connection: socket.socket, host: str, context: ssl.SSLContext) -> None:
        """From the first byte until it ends; it is among the arrivals until it is known whose it is."""
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                stream = await accept(connection, context)
                guest = await self._examine(stream)
        except (OSError, ConnectionEnded, FrameInvalid, HandshakeFailed) as error:
            if not isinstance(error, HandshakeFailed):
                self.refused["no-hello"] += 1
            log.debug("a connection from %s was not taken: %s", host, error)
            return
        finally:
            self._is_known()
        await self._welcome(guest, stream)

    def _is_known(self) -> None:
        """The present task's connection is no arrival any more. A frame of `_take` that named its own task
        would keep the connection's buffers, once it is cancelled, until the garbage collector comes."""
        if (task := asyncio.current_task()) is not None:
            self._arrivals.pop(task, None)

    async def _welcome(self, guest: Guest, stream: FrameStream) -> None:
        if guest.purpose is HandshakePurpose.LINK:
            introduction = _as_seen(guest.introduction, stream)
            await self._run(Connection(stream, guest.key.id, introduction, is_outgoing=False))
        elif self.pairing is not None:
            try:
                await self.pairing(guest, stream)
            finally:
                await stream.close()

    async def _examine(self, stream: FrameStream) -> Guest:
        """Who has connected, if it is taken, and told so; else the connection is ended."""
        try:
            try:
                guest = await examine(stream, self.me)
                self._require_welcome(guest)
            except HandshakeFailed as refused:
                self._count(refused)
                await refuse(stream, refused.code, str(refused))
                await stream.close()
                raise
            if guest.purpose is HandshakePurpose.LINK:
                await welcome(stream, self.introduction)
        except BaseException:
            stream.abort()
            raise
        return guest

    def _count(self, refused: HandshakeFailed) -> None:
        if refused.code != Refusal.SUPERSEDED:  # that is nobody's fault
            self.refused[Refusal.Code.Name(refused.code).lower().replace("_", "-")] += 1

    def _require_welcome(self, guest: Guest) -> None:
        if guest.purpose is HandshakePurpose.PAIR:
            if self.pairing is None:
                raise HandshakeFailed("Nobody waits to pair here.", Refusal.NO_PAIRING)
            return
        peer, epoch = guest.key.id, guest.introduction.epoch
        if peer not in self._members.all():
            raise HandshakeFailed(
                "This node does not trust yours. Pair them, or have the federation's server vouch for both.",
                Refusal.STRANGER,
            )
        if epoch < self._observer.epoch_of(peer):
            raise HandshakeFailed(
                "This node has seen a later start of yours: its memory is older, or another process has the "
                "same key.",
                Refusal.OLD_EPOCH,
            )
        others = len(self._connections.keys() - {peer})
        if others >= (MAX_LINKS if self._observer.is_reachable(peer) else MOST_LINKS):
            raise HandshakeFailed("This node has as many links as it takes.", Refusal.FULL)
        if self._keeps_existing(peer, epoch, is_outgoing=False):
            raise HandshakeFailed("There is a link between both nodes already.", Refusal.SUPERSEDED)

    # Both

    def _keeps_existing(self, peer: KeyId, epoch: int, *, is_outgoing: bool) -> bool:
        """Two nodes that connect to each other at the same moment both keep the connection that was made by
        the one with the smaller id. A new start of the other node is taken at once."""
        existing = self._connections.get(peer)
        if existing is None or epoch > existing.introduction.epoch:
            return False
        preferred = self.me.digest < peer.digest
        return existing.is_outgoing is preferred and is_outgoing is not preferred

    async def _run(self, connection: Connection) -> None:
        """From the handshake to the end."""
        peer = connection.peer
        if peer not in self._members.all() or self._keeps_existing(
            peer, connection.introduction.epoch, is_outgoing=connection.is_outgoing
        ):
            connection.end("There is another one, or it is not trusted any more.")
            return
        existing = self._connections.get(peer)
        self._connections[peer] = connection
        if existing is not None:
            existing.end("Another connection takes its place.")
        self._observer.up(connection)
        why = ""
        try:
            await connection.run(partial(self._observer.arrived, peer))
        except ConnectionEnded as error:
            why = connection.why or str(error)
        except FrameInvalid as error:
            why = str(error)
            self._observer.broken(peer, error)
        finally:
            self.traffic_before += connection.traffic
            if self._connections.get(peer) is connection:
                del self._connections[peer]
                self._observer.down(peer, why)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a link has ended by a bug", exc_info=error)


def _as_seen(said: Introduction, stream: FrameStream) -> Introduction:
    """A node that listens everywhere does not know what others call it: they find it where it came from."""
    if said.listening is None or said.listening.host not in ANY_ADDRESS:
        return said
    return Introduction(said.name, said.epoch, Address(stream.there.host, said.listening.port))
