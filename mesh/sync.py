"""FolderSync: a folder that is kept alike on all nodes of a group, over the mesh."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mesh.files.checking import FileCheck
from mesh.files.settings import FolderSettings
from mesh.files.states import FolderView
from mesh.syncing.disk import opened
from mesh.syncing.own_node import OwnNode
from mesh.syncing.session import Session
from mesh.syncing.timing import Timing
from shared.errors import FedLoomError
from shared.security.keys import KeyPair

log = logging.getLogger(__name__)


class FolderSync:
    """One folder. `home`: where its index is kept; `key`: this node's; `check`: as Folder has it. Used in the
    mesh's event loop."""

    def __init__(
        self,
        node: OwnNode,
        settings: FolderSettings,
        home: Path,
        key: KeyPair,
        timing: Timing | None = None,
        check: FileCheck | None = None,
    ) -> None:
        self.settings = settings
        self._node, self._home, self._key = node, home, key
        self._timing = timing or Timing()
        self._check = check
        self._wake = asyncio.Event()
        self._session: Session | None = None
        self._last = FolderView(settings.id, str(settings.path), settings.receive_only, 0, 0, (), ())
        """What people see while there is no session."""
        node.mesh.watch(self._peers_changed)
        node.members.watch(self._peers_changed)

    async def run(self) -> None:
        """Keep the folder alike, until this is cancelled. What prevents that, `view` tells, and it is tried
        again."""
        while True:
            self._wake.clear()
            try:
                async with opened(self.settings, self._home, self._key, self._check) as disk:
                    self._session = Session(self._node, self.settings, disk, self._timing, self._wake)
                    await self._session.run()
            except (FedLoomError, OSError) as error:
                log.warning("the folder %s is not shared at present: %s", self.settings.id, error)
                self._last = replace(self.view(), problem=str(error))
            finally:
                self._session = None
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.problem_s):
                    await self._wake.wait()

    def changed(self) -> None:
        """Somebody has written into the folder; nobody need wait until the operating system tells so."""
        if self._session is not None:
            self._session.scan()

    def view(self) -> FolderView:
        """What people see of it now."""
        return self._last if self._session is None else self._session.view()

    def fail(self, problem: str) -> None:
        """It is not shared any more, for a reason that is shown to people."""
        self._last = replace(self._last, problem=problem)

    def _peers_changed(self) -> None:
        if self._session is not None:
            self._session.peers_changed()
