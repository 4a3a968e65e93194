"""SharedFolders: all folders that a node shares, as long as it runs."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mesh.files.checking import FileCheck
from mesh.files.folder import MARK
from mesh.files.index import forget_index
from mesh.files.settings import FolderSettings, add_folder, load_folders, remove_folder, require_beside
from mesh.files.states import FolderView
from mesh.members import Members
from mesh.node import Mesh
from mesh.sync import FolderSync
from mesh.syncing.offers import Offers
from mesh.syncing.own_node import OwnNode
from mesh.syncing.timing import Timing
from shared.security.keys import KeyPair

FOLDERS = "folders"
"""In a node's own folder: the list of what it shares, and an index for each."""

log = logging.getLogger(__name__)


class SharedFolders:
    """Of one node. Used in its event loop."""

    def __init__(self, node: OwnNode, home: Path, key: KeyPair, timing: Timing | None = None) -> None:
        """`home`: where the list and the indices are kept."""
        self._node, self._home, self._key, self._timing = node, home, key, timing
        self._running: dict[str, tuple[FolderSync, asyncio.Task[None]]] = {}

    def start(self) -> None:
        """Share what is on the list. Raises SettingsInvalid."""
        for settings in load_folders(self._home):
            self._start(settings)

    async def close(self) -> None:
        """Share nothing more; the list stays."""
        for folder_id in tuple(self._running):
            await self._stop(folder_id)
        self._node.offers.close()

    async def add(self, settings: FolderSettings) -> None:
        """Share one more, or one in another way. Raises SettingsInvalid and OSError.

        Somebody who shares a folder that was not shared before, under an id that was, begins anew with it:
        what was known of the other folder would only keep this one from being used.
        """
        before = {other.id: other.path for other in load_folders(self._home)}
        add_folder(self._home, settings)
        await self._stop(settings.id)
        is_other = before.get(settings.id) != settings.path and not (settings.path / MARK).exists()
        if is_other:
            await asyncio.to_thread(forget_index, self._home, settings.id)
        self._start(settings)

    def share(self, settings: FolderSettings, check: FileCheck) -> None:
        """Share one more as long as this node runs: it does not come onto the list. Raises SettingsInvalid
        where it would lie in another, or its id is taken."""
        require_beside(settings, self.settings())
        # Another path is another folder, of which nothing is known.
        home = self._home / hashlib.sha256(str(settings.path).encode()).hexdigest()[:16]
        self._begin(FolderSync(self._node, settings, home, self._key, self._timing, check))

    async def remove(self, folder_id: str) -> None:
        """Share it no more; its files stay. Raises SettingsInvalid and OSError."""
        remove_folder(self._home, folder_id)
        await self._stop(folder_id)

    def settings(self) -> list[FolderSettings]:
        """Those that are shared."""
        return [sync.settings for sync, _ in self._running.values()]

    def views(self) -> list[FolderView]:
        """What people see of each."""
        return [sync.view() for sync, _ in self._running.values()]

    def changed(self, folder_id: str) -> None:
        """A program has written into a folder; nobody need wait until the operating system tells so."""
        sync, _ = self._running[folder_id]
        sync.changed()

    def _start(self, settings: FolderSettings) -> None:
        self._begin(FolderSync(self._node, settings, self._home, self._key, self._timing))

    def _begin(self, sync: FolderSync) -> None:
        self._running[sync.settings.id] = sync, asyncio.create_task(self._run(sync))

    async def _run(self, sync: FolderSync) -> None:
        try:
            await sync.run()
        except Exception:
            log.exception("the folder %s is not shared any more", sync.settings.id)
            sync.fail("it failed, which is a fault of FedLoom: the node's log says more")

    async def _stop(self, folder_id: str) -> None:
        if folder_id in self._running:
            _, task = self._running.pop(folder_id)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def shared_folders(
    mesh: Mesh, members: Members, folder: Path, key: KeyPair, timing: Timing | None = None
) -> AsyncIterator[SharedFolders]:
    """Share the folders of a node, whose own folder in FedLoom's home is `folder`. Raises SettingsInvalid."""
    shared = SharedFolders(OwnNode(mesh, members, Offers(mesh)), folder / FOLDERS, key, timing)
    try:
        shared.start()
        yield shared
    finally:
        await shared.close()
