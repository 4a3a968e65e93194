"""Hearing: the manifests of the others, fetched and taken when they say that they have new ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from mesh.files.folder import OlderManifest
from mesh.files.manifest import MAX_MANIFEST_BYTES, ManifestRefused
from mesh.files.messages import Message
from mesh.node import CHUNK_BYTES, ContentUnavailable, Mesh
from mesh.syncing.disk import DiskThread
from mesh.syncing.talk import Talk
from shared.errors import FedLoomError
from shared.security.key_id import KeyId

AT_ONCE = 2
"""Each may have MAX_MANIFEST_BYTES, and lies in memory."""
OLDER = "an older manifest, announced as a newer one"
TOO_LARGE = "a manifest that is too large"
BAD = "a manifest that is none, or that no honest node writes"

log = logging.getLogger(__name__)


class Hearing:
    """Of one folder. `changed` is called after a manifest was taken. Used in the event loop."""

    def __init__(self, mesh: Mesh, disk: DiskThread, talk: Talk, changed: Callable[[], None]) -> None:
        self._mesh, self._disk, self._talk, self._changed = mesh, disk, talk, changed
        self._newest: dict[KeyId, Message] = {}
        """What was announced and is not fetched yet."""
        self._fetching: dict[KeyId, int] = {}
        """The number of the manifest that comes just now."""
        self._tasks: dict[KeyId, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    def announced(self, author: KeyId, message: Message) -> None:
        """One of the group says that it has a manifest. What is announced may come late, after something
        newer: the network has turned it round, and nobody has done wrong."""
        known = max(self._disk.folder.heard(author), self._fetching.get(author, 0))
        if message.sequence <= known:
            return
        if message.content.size > MAX_MANIFEST_BYTES:
            self._talk.refuse(author, TOO_LARGE)
            return
        before = self._newest.get(author)
        if before is None or before.sequence < message.sequence:
            self._newest[author] = message
        if author not in self._tasks:
            self._tasks[author] = asyncio.create_task(self._hear(author))

    async def close(self) -> None:
        """Fetch nothing more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, author: KeyId) -> None:
        try:
            while (message := self._newest.pop(author, None)) is not None:
                self._fetching[author] = message.sequence
                async with self._slots:
                    await self._take(author, message)
                del self._fetching[author]
        except Exception:
            log.exception("a manifest could not be taken")
        finally:
            self._fetching.pop(author, None)
            del self._tasks[author]

    async def _take(self, author: KeyId, message: Message) -> None:
        whole = bytearray(message.content.size)

        def store(place: int, chunk: bytes) -> None:
            whole[place * CHUNK_BYTES : place * CHUNK_BYTES + len(chunk)] = chunk

        try:
            await self._mesh.fetch(message.content, [author], store)
        except ContentUnavailable:
            return  # it has a newer one by now, or is gone; it says so when it is back
        data = bytes(whole)
        key = self._talk.group().get(author)
        if key is None:  # it was blocked meanwhile
            return
        try:
            await self._disk.do(lambda folder: folder.accept(author, key, data))
        except OlderManifest:
            self._talk.refuse(author, OLDER)
        except ManifestRefused as error:
            self._talk.refuse(author, BAD, error)
        except FedLoomError as error:
            log.warning("the manifest of %s could not be kept: %s", author.short, error)
        else:
            self._changed()
