"""Listeners: who in this process waits for what the mesh brings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from mesh.node import Received, Unreachable

log = logging.getLogger(__name__)


class Listeners:
    """Handlers of messages, watchers of peers, and those who wait for a confirmation. What they raise is
    logged: the mesh goes on."""

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[Received], None]] = {}
        self._watchers: list[Callable[[], None]] = []
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def on(self, topic: str, handler: Callable[[Received], None]) -> Callable[[], None]:
        """As `Mesh.on`."""
        if topic in self._handlers:
            raise ValueError(f"the topic {topic!r} has a handler already")
        self._handlers[topic] = handler
        return lambda: self._forget(topic, handler)

    def watch(self, changed: Callable[[], None]) -> None:
        """As `Mesh.watch`."""
        self._watchers.append(changed)

    def deliver(self, received: Received) -> None:
        """A message has come."""
        if handler := self._handlers.get(received.topic):
            _call(lambda: handler(received))

    def peers_changed(self) -> None:
        """Some peer's state has."""
        for changed in tuple(self._watchers):
            _call(changed)

    def wait_for(self, message: int) -> asyncio.Future[None]:
        """The confirmation of a message."""
        waiting = self._waiting[message] = asyncio.get_running_loop().create_future()
        waiting.add_done_callback(lambda _: self._waiting.pop(message, None))
        return waiting

    def confirmed(self, message: int) -> None:
        """It has come."""
        waiting = self._waiting.get(message)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def expired(self, message: int, why: str) -> None:
        """It will not come."""
        waiting = self._waiting.get(message)
        if waiting is not None and not waiting.done():
            waiting.set_exception(Unreachable(f"The message did not come: {why}"))

    def close(self) -> None:
        """The node is being stopped."""
        for message in tuple(self._waiting):
            self.expired(message, "this node was stopped.")

    def _forget(self, topic: str, handler: Callable[[Received], None]) -> None:
        if self._handlers.get(topic) is handler:
            del self._handlers[topic]


def _call(function: Callable[[], None]) -> None:
    try:
        function()
    except Exception:
        log.exception("what is built on the mesh has failed")
