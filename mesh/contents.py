"""Contents: what a node offers and fetches, between the protocol and whoever has the bytes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass

from mesh.connection import Connection
from mesh.node import CHUNK_BYTES, Content, ContentUnavailable, Source
from mesh.protocol.effects import FetchEnded, ReadChunk, StoreChunk
from mesh.protocol.node import Node
from mesh.protocol.serving import Offer
from shared.security.key_id import KeyId
from shared.security.merkle import Hash, LogTree, leaf_hash

ROOM_S = 5.0
"""How long a chunk that was read waits for room on its way."""

log = logging.getLogger(__name__)


@dataclass
class _Open:
    """Content that is being fetched."""

    store: Callable[[int, bytes], None]
    done: asyncio.Future[None]


class Contents:
    """Of one node. `act`: do what the node wants done; `connection`: to a neighbour."""

    def __init__(
        self, node: Node, act: Callable[[], None], connection: Callable[[KeyId], Connection | None]
    ) -> None:
        self._node, self._act, self._connection = node, act, connection
        self._sources: dict[Hash, list[Source]] = {}
        """What was offered several times, is read from the newest source, and is withdrawn as often."""
        self._open: dict[int, _Open] = {}
        self._reads: set[asyncio.Task[None]] = set()

    async def offer(self, source: Source, size: int) -> Content:
        """As `Mesh.offer`. Raises what the source raises."""
        content, tree = await asyncio.to_thread(_tree_of, source, size)
        self._sources.setdefault(content.root, []).append(source)
        self._node.serving.offer(Offer(content, tree))
        return content

    def withdraw(self, content: Content) -> None:
        """As `Mesh.withdraw`."""
        sources = self._sources.get(content.root, [])
        if sources:
            sources.pop()
        if not sources:
            self._sources.pop(content.root, None)
            self._node.serving.withdraw(content)

    async def fetch(
        self,
        content: Content,
        holders: Sequence[KeyId],
        store: Callable[[int, bytes], None],
        have: Collection[int] = (),
    ) -> None:
        """As `Mesh.fetch`."""
        loop = asyncio.get_running_loop()
        number = self._node.fetching.start(content, holders, have, loop.time())
        self._open[number] = fetch = _Open(store, loop.create_future())
        try:
            self._act()
            await fetch.done
        finally:
            del self._open[number]
            self._node.fetching.cancel(number)

    def read(self, request: ReadChunk) -> None:
        """A chunk is to be read, off the event loop."""
        self._spawn(self._read(request))

    def store(self, effect: StoreChunk) -> None:
        """A chunk has come."""
        fetch = self._open.get(effect.fetch)
        if fetch is None or fetch.done.done():
            return
        try:
            fetch.store(effect.index, effect.data)
        except Exception as error:  # noqa: BLE001 - goes to whoever fetches
            fetch.done.set_exception(error)

    def ended(self, effect: FetchEnded) -> None:
        """All has come, or no more will."""
        fetch = self._open.get(effect.fetch)
        if fetch is None or fetch.done.done():
            return
        if effect.why:
            fetch.done.set_exception(ContentUnavailable(f"The content could not be fetched: {effect.why}"))
        else:
            fetch.done.set_result(None)

    async def close(self) -> None:
        """The node is being stopped."""
        for task in self._reads:
            task.cancel()
        await asyncio.gather(*self._reads, return_exceptions=True)
        for fetch in self._open.values():
            if not fetch.done.done():
                fetch.done.set_exception(ContentUnavailable("The node was stopped while it fetched content."))

    async def _read(self, request: ReadChunk) -> None:
        data: bytes | None = None
        sources = self._sources.get(request.root)
        if sources:
            try:
                data = await asyncio.to_thread(sources[-1].read, request.start, request.length)
            except (OSError, ValueError) as error:
                log.warning("content that is offered cannot be read: %s", error)
        if data is not None and len(data) != request.length:
            log.warning("content that is offered is shorter than it was")
            data = None
        if await self._has_room(request.receiver):
            self._node.serving.read(request, data)
        else:
            self._node.serving.gave_up(request)
        self._act()

    async def _has_room(self, receiver: KeyId) -> bool:
        hop = self._node.next_hop(receiver)
        connection = None if hop is None else self._connection(hop)
        if connection is None:
            return False
        try:
            async with asyncio.timeout(ROOM_S):
                await connection.room()
        except TimeoutError:
            return False
        return True

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._reads.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._reads.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a chunk was not read, by a bug", exc_info=error)


def _tree_of(source: Source, size: int) -> tuple[Content, LogTree]:
    """Reads all of it. Raises what the source raises, and ValueError if it has fewer bytes."""
    tree = LogTree()
    for start in range(0, size, CHUNK_BYTES):
        length = min(CHUNK_BYTES, size - start)
        data = source.read(start, length)
        if len(data) != length:
            raise ValueError(f"content of {size:,} bytes ends after {start + len(data):,}")
        tree.add(leaf_hash(data))
    return Content(tree.root(tree.size), size), tree
