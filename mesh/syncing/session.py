"""Session: a folder between its opening and its closing. It looks, tells, plans and gets, again and again."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace

from mesh.files.folder import Folder
from mesh.files.messages import Kind, Message
from mesh.files.parts import Part
from mesh.files.plan import Plan
from mesh.files.reading import BytesSource, FileSource
from mesh.files.settings import FolderSettings
from mesh.files.states import FileCondition, FileState, FolderView, RefusedCount
from mesh.files.view import file_states, folder_view
from mesh.files.watching import CannotWatch, changes
from mesh.node import Content, ContentUnavailable
from mesh.syncing.disk import DiskThread
from mesh.syncing.hearing import Hearing
from mesh.syncing.own_node import OwnNode
from mesh.syncing.talk import Talk
from mesh.syncing.timing import Timing
from mesh.syncing.transfers import Transfers
from shared.security.key_id import KeyId

log = logging.getLogger(__name__)


class Session:
    """Of one folder, which is open. `wake` is set when there may be something to do."""

    def __init__(
        self, node: OwnNode, settings: FolderSettings, disk: DiskThread, timing: Timing, wake: asyncio.Event
    ) -> None:
        self._node, self._settings, self._disk = node, settings, disk
        self._timing, self._wake = timing, wake
        self._talk = Talk(node, settings, timing, self._heard, self._find)
        self._hearing = Hearing(node.mesh, disk, self._talk, wake.set)
        self._transfers = Transfers(disk, self._fetch, timing, wake.set)
        self._must_scan = True
        self._next_scan = 0.0
        self._next_announcement = 0.0
        self._told_changes = -1
        self._told: Message | None = None
        """What this node has said last that it has."""
        self._offered: list[Content] = []
        """Manifests: the one that was told last, and the one before, which somebody may be fetching."""
        self._known: frozenset[KeyId] | None = None
        """The group, as the folder knows it."""
        self._reached: frozenset[KeyId] = frozenset()
        self._has_failed = False
        self._scans_only = ""
        self._view = FolderView(settings.id, str(settings.path), settings.receive_only, 0, 0, (), ())

    async def run(self) -> None:
        """Until it is cancelled. Raises FedLoomError and OSError where the folder cannot be used."""
        watching = asyncio.create_task(self._watch())
        try:
            while True:
                started = self._now()
                await self._step()
                took = self._now() - started
                await asyncio.sleep(max(self._timing.pause_s, min(3 * took, self._timing.longest_pause_s)))
                await self._rest()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await self._talk.close()
            await self._hearing.close()
            await self._transfers.close()
            for content in self._offered:
                self._node.mesh.withdraw(content)

    def scan(self) -> None:
        """The folder has changed."""
        self._must_scan = True
        self._wake.set()

    def peers_changed(self) -> None:
        """Who can be reached is another now, or who shares the folder."""
        reached = frozenset(self._talk.reachable())
        for key in reached - self._reached:
            if self._told is not None:
                self._talk.tell(key, self._told)
        if reached - self._reached:
            self._transfers.retry()
        self._reached = reached
        self._wake.set()

    def view(self) -> FolderView:
        """What people see now."""
        states = tuple(
            self._coming(state.name) if state.condition is FileCondition.WAITING else state
            for state in self._view.not_in_sync
        )
        of_files = (RefusedCount(why, count) for why, count in self._disk.folder.refused.items())
        refused = tuple(sorted((*self._talk.refused(), *of_files), key=lambda each: (each.why, each.sender)))
        return replace(
            self._view,
            not_in_sync=states,
            refused=refused,
            scans_only=self._scans_only,
            peers=len(self._talk.group()),
        )

    # What comes again and again

    async def _step(self) -> None:
        self._wake.clear()
        await self._know_group()
        folder = self._disk.folder
        if self._must_scan or folder.must_scan or self._now() >= self._next_scan:
            self._must_scan = False
            await self._scan()
        await self._announce()
        left, failed = await self._disk.do(self._work)
        self._has_failed = bool(failed)
        self._transfers.want(item for item in left.wanted if item.entry.name not in failed)
        if folder.must_scan or self._told_changes != folder.index.changes:
            self._wake.set()

    async def _rest(self) -> None:
        """Until there is something to do."""
        times = [self._next_scan, self._next_announcement]
        if self._has_failed:
            times.append(self._now() + self._timing.problem_s)
        if (again := self._transfers.next_try) is not None:
            times.append(again)
        with suppress(TimeoutError):  # `wait_for` would now and then lose that this is cancelled
            async with asyncio.timeout_at(min(times)):
                await self._wake.wait()

    async def _know_group(self) -> None:
        group = self._talk.group()
        if self._known != frozenset(group):
            await self._disk.do(lambda folder: folder.know(group))
            self._known = frozenset(group)

    async def _scan(self) -> None:
        started = self._now()
        await self._disk.scan()
        wait = self._timing.rescan_unwatched_s if self._scans_only else self._timing.rescan_s
        if await self._disk.do(lambda folder: folder.is_racy):
            wait = min(wait, max(self._timing.racy_s, 10 * (self._now() - started)))
        self._next_scan = self._now() + wait

    def _work(self, folder: Folder) -> tuple[Plan, dict[str, str]]:
        """In the folder's thread."""
        left, failed = folder.work()
        states = file_states(folder.index.files, left, failed, folder.not_shared)
        self._view = folder_view(self._view, folder.index.files, left, states, folder.alike(left))
        return left, failed

    # What this node has

    async def _announce(self) -> None:
        """If it is new, or has not been said for some time."""
        is_first = self._told is None
        changes, data = await self._disk.do(lambda folder: (folder.index.changes, folder.manifest()))
        if is_first or changes != self._told_changes:
            content = await self._node.mesh.offer(BytesSource(data), len(data))
            self._told = Message(Kind.MANIFEST, content, self._disk.folder.index.sequence)
            self._told_changes = changes
            self._offered = [*self._offered, content]
            for old in self._offered[:-2]:
                self._node.mesh.withdraw(old)
            self._offered = self._offered[-2:]
        elif self._now() < self._next_announcement:
            return
        assert self._told is not None
        self._talk.announce(replace(self._told, kind=Kind.NEWS) if is_first else self._told)
        self._next_announcement = self._now() + self._timing.announce_s

    async def _find(self, content: Content) -> FileSource | None:
        return await self._disk.do(lambda folder: folder.source(content))

    async def _watch(self) -> None:
        try:
            async for _ in changes(self._settings.path, self._timing.quiet_s):
                self.scan()
        except CannotWatch as error:
            self._scans_only = str(error)
            log.warning("%s: %s", self._settings.path, error)
            self.scan()

    # What others have

    def _heard(self, sender: KeyId, message: Message) -> None:
        if message.kind is Kind.NEWS and self._told is not None:
            self._talk.tell(sender, self._told)
        self._hearing.announced(sender, message)

    async def _fetch(self, content: Content, part: Part) -> None:
        ready = await self._talk.ask(content, self._disk.folder.holders(content))
        if not ready:
            raise ContentUnavailable(self._who_has(content))
        await self._node.mesh.fetch(content, ready, part.store, frozenset(part.have))

    def _who_has(self, content: Content) -> str:
        names = self._talk.names()
        holders = [names.get(key, key.short) for key in self._disk.folder.holders(content)]
        if not holders:
            return "nobody has it any more"
        return f"it waits for {' or '.join(sorted(holders)[:3])}, who cannot be reached or do not give it"

    def _coming(self, name: str) -> FileState:
        """How it stands with a file that is wanted."""
        part, failure = self._transfers.part(name), self._transfers.failure(name)
        if part is not None:
            return FileState(name, FileCondition.COMING, len(part.have), part.content.chunks)
        return FileState(name, FileCondition.WAITING, why=failure.why if failure else "others come first")

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
