"""Messenger: typed messages over a mesh, and the tasks and the waiting of whoever uses them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mesh.learning.messages import Message, MessageInvalid
from mesh.node import Mesh, PeerState, Received, Unreachable
from shared.security.key_id import KeyId

M = TypeVar("M", bound=Message)


class Messenger:
    """Used in the event loop."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh
        self._ends: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[object]] = set()
        self._heard = asyncio.Event()

    def on(
        self,
        topic: str,
        kind: type[M],
        hear: Callable[[KeyId, M], None],
        nonsense: Callable[[KeyId], None] = lambda sender: None,
    ) -> None:
        """Have messages with this topic heard, with their senders. `nonsense` is told who has sent one that
        is none."""

        def handle(received: Received) -> None:
            try:
                message = kind.parse(received.body)
            except MessageInvalid:
                nonsense(received.sender)
                return
            hear(received.sender, message)
            self.wake()

        self._ends.append(self._mesh.on(topic, handle))

    async def send(self, to: KeyId, topic: str, message: Message) -> bool:
        """Whether it was confirmed."""
        try:
            await self._mesh.send(to, topic, message.encoded())
        except Unreachable:
            return False
        return True

    async def insist(self, to: KeyId, topic: str, message: Message, pause_s: float) -> bool:
        """Send until it is confirmed, or there is no way any more; whether it was confirmed. It may come more
        than once."""
        while not await self.send(to, topic, message):
            if to not in self.reachable():
                return False
            await asyncio.sleep(pause_s)
        return True

    def flood(self, topic: str, message: Message) -> None:
        """To all who can be reached."""
        self._mesh.flood(topic, message.encoded())

    def reachable(self) -> frozenset[KeyId]:
        """All members to whom there is a way."""
        there = (PeerState.ONLINE, PeerState.REJOINED)
        return frozenset(view.key for view in self._mesh.peers() if view.state in there)

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something beside, until `close`."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Wait until something is so, and whether it was so in time. Looked at whenever a message has come,
        and after `wake`. One at a time may wait."""
        try:
            async with asyncio.timeout(limit_s):
                while not condition():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return condition()
        return True

    def wake(self) -> None:
        """Have whoever waits look again."""
        self._heard.set()

    async def close(self) -> None:
        """Hear nothing more, and do nothing more."""
        for end in self._ends:
            end()
        self._ends.clear()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
