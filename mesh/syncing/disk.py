"""The thread in which a folder is used: it reads and writes files, for which the event loop must not wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from mesh.files.checking import FileCheck
from mesh.files.folder import Folder
from mesh.files.parts import Part
from mesh.files.settings import FolderSettings
from mesh.node import Content
from shared.errors import Cancelled
from shared.security.keys import KeyPair

T = TypeVar("T")


class DiskThread:
    """A folder and its thread."""

    def __init__(self, folder: Folder, executor: ThreadPoolExecutor) -> None:
        self.folder = folder
        """To be used in `do` alone, but for `heard` and `holders`, which read what is replaced as a whole."""
        self._executor = executor
        self._is_over = False

    async def do(self, work: Callable[[Folder], T]) -> T:
        """What this returns, one after the other. Raises what it raises."""
        return await asyncio.wrap_future(self._executor.submit(work, self.folder))

    async def begin(self, content: Content) -> Part:
        """As Folder has it."""
        return await self.do(lambda folder: folder.begin(content))

    async def finish(self, name: str, part: Part) -> None:
        """As Folder has it."""
        await self.do(lambda folder: folder.finish(name, part))

    async def end(self, part: Part) -> None:
        """As Folder has it."""
        await self.do(lambda folder: folder.end(part))

    async def scan(self) -> None:
        """As Folder has it. It is given up when the thread is to end."""
        await self.do(lambda folder: folder.scan(self._go_on))

    def _go_on(self) -> None:
        if self._is_over:
            raise Cancelled("The folder is closed.")

    async def close(self) -> None:
        """Close the folder, after what is being done."""
        self._is_over = True
        await asyncio.shield(asyncio.wrap_future(self._executor.submit(self.folder.close)))


@asynccontextmanager
async def opened(
    settings: FolderSettings, home: Path, key: KeyPair, check: FileCheck | None = None
) -> AsyncIterator[DiskThread]:
    """A folder in a thread of its own. Raises what Folder raises."""
    executor = ThreadPoolExecutor(1, thread_name_prefix=f"folder-{settings.id}")
    try:
        opening = executor.submit(Folder, settings, home, key, check)
        try:
            disk = DiskThread(await asyncio.wrap_future(opening), executor)
        except asyncio.CancelledError:
            executor.submit(_close, opening)
            raise
        try:
            yield disk
        finally:
            await disk.close()
    finally:
        executor.shutdown(wait=False)


def _close(opening: Future[Folder]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
