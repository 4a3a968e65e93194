"""Offers: the contents that this node gives to others just now.

To offer a file means to read all of it. So a file is offered when somebody asks for it, and not when the node
starts.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from mesh.node import Content, Mesh, Source

MAX_OFFERED = 256


class Offers:
    """Of all folders of a node, since two may hold the same file. Used in the event loop."""

    def __init__(self, mesh: Mesh, most: int = MAX_OFFERED) -> None:
        self._mesh = mesh
        self._most = most
        self._sources: OrderedDict[Content, Source] = OrderedDict()
        """By when they were asked for last."""
        self._reading: dict[Content, asyncio.Task[bool]] = {}

    async def give(self, content: Content, source: Source) -> bool:
        """Have others get a content from a source; False: it does not hold that any more."""
        if content in self._sources and await asyncio.to_thread(
            _is_as_it_was, self._sources[content], content
        ):
            self._sources.move_to_end(content)
            return True
        self.end(content)
        if content not in self._reading:
            task = asyncio.create_task(self._offer(content, source))
            self._reading[content] = task
            task.add_done_callback(lambda _: self._reading.pop(content, None))
        return await asyncio.shield(self._reading[content])

    def end(self, content: Content) -> None:
        """Give it no more."""
        if self._sources.pop(content, None) is not None:
            self._mesh.withdraw(content)

    def close(self) -> None:
        """Give nothing more."""
        for task in self._reading.values():
            task.cancel()
        for content in list(self._sources):
            self.end(content)

    async def _offer(self, content: Content, source: Source) -> bool:
        try:
            offered = await self._mesh.offer(source, content.size)
        except (OSError, ValueError):
            return False
        if offered != content:
            self._mesh.withdraw(offered)
            return False
        self._sources[content] = source
        while len(self._sources) > self._most:
            self.end(next(iter(self._sources)))
        return True


def _is_as_it_was(source: Source, content: Content) -> bool:
    try:
        source.read(0, min(content.size, 1))
    except (OSError, ValueError):
        return False
    return True
