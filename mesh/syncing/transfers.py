"""Transfers: the files that come from others, several at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from mesh.files.failures import discarded_when_full, in_words
from mesh.files.parts import Part, PartDamaged
from mesh.files.plan import Wanted
from mesh.node import Content
from mesh.syncing.timing import Timing
from shared.errors import FedLoomError

AT_ONCE = 8

log = logging.getLogger(__name__)


class Disk(Protocol):
    """What a transfer needs of its folder; done in the folder's thread."""

    async def begin(self, content: Content) -> Part:
        """As Folder has it."""

    async def finish(self, name: str, part: Part) -> None:
        """As Folder has it."""

    async def end(self, part: Part) -> None:
        """As Folder has it."""


Fetch = Callable[[Content, Part], Awaitable[None]]
"""Has all of a content stored in a part. Raises ContentUnavailable."""


@dataclass(frozen=True)
class Failure:
    """Why a file did not come, and when it is tried again."""

    why: str
    tries: int
    again: float
    """By the loop's clock."""


class Transfers:
    """Of one folder. `done` is called after each, whether or not it has succeeded. Used in the event loop."""

    def __init__(self, disk: Disk, fetch: Fetch, timing: Timing, done: Callable[[], None]) -> None:
        self._disk, self._fetch, self._timing, self._done = disk, fetch, timing, done
        self._queue: list[Wanted] = []
        """The next one last."""
        self._running: dict[Content, asyncio.Task[None]] = {}
        self._parts: dict[str, Part] = {}
        """Of files that come just now, by name."""
        self._failures: dict[str, Failure] = {}

    def want(self, wanted: Iterable[Wanted]) -> None:
        """These are to come, and no others; those that come already go on."""
        self._queue = sorted(wanted, key=lambda item: (_size(item), item.entry.name), reverse=True)
        names = {item.entry.name for item in self._queue}
        self._failures = {name: failure for name, failure in self._failures.items() if name in names}
        self._fill()

    def retry(self) -> None:
        """What has failed may succeed now: somebody came."""
        self._failures = {}
        self._fill()

    def part(self, name: str) -> Part | None:
        """What has come of a file that comes just now."""
        return self._parts.get(name)

    def failure(self, name: str) -> Failure | None:
        """Why a file did not come."""
        return self._failures.get(name)

    @property
    def next_try(self) -> float | None:
        """When the next is tried again, by the loop's clock; None: nothing waits."""
        return min((failure.again for failure in self._failures.values()), default=None)

    async def close(self) -> None:
        """End all; what has come stays on the disk."""
        self._queue = []
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        waiting: list[Wanted] = []
        while self._queue and len(self._running) < AT_ONCE:
            wanted = self._queue.pop()
            content = wanted.entry.content
            failure = self._failures.get(wanted.entry.name)
            if content is None or content in self._running or (failure is not None and failure.again > now):
                waiting.append(wanted)
                continue
            task = asyncio.create_task(self._run(wanted, content))
            self._running[content] = task
        self._queue += reversed(waiting)

    async def _run(self, wanted: Wanted, content: Content) -> None:
        name = wanted.entry.name
        try:
            await self._transfer(name, content)
            self._failures.pop(name, None)
        except (OSError, FedLoomError, PartDamaged) as error:
            self._fail(name, error)
        except Exception as error:
            log.exception("the file %s failed to come", name)
            self._fail(name, error)
        finally:
            self._parts.pop(name, None)
            del self._running[content]
            self._done()
        self._fill()

    async def _transfer(self, name: str, content: Content) -> None:
        part = await self._disk.begin(content)
        try:
            self._parts[name] = part
            with discarded_when_full(part):
                await self._fetch(content, part)
            await self._disk.finish(name, part)
        finally:
            await asyncio.shield(self._disk.end(part))

    def _fail(self, name: str, error: Exception) -> None:
        before = self._failures.get(name)
        tries = 1 if before is None else before.tries + 1
        wait = min(self._timing.retry_s * 2 ** min(tries - 1, 16), self._timing.longest_retry_s)
        self._failures[name] = Failure(in_words(error), tries, asyncio.get_running_loop().time() + wait)


def _size(wanted: Wanted) -> int:
    return 0 if wanted.entry.content is None else wanted.entry.content.size
