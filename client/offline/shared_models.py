"""SharedModels: the newest global models of a server, in a folder that its clients keep alike.

Each file is a model with the server's signature, which proves it to whoever gets it, and from whomever: what
the server has not signed is never visible. A client writes its newest model unless another one has; which one
is first follows from the keys of those who are there. It has a few names of its own, in turn, so that no
name is written by two, and what was deleted has to be remembered of a few names only. Who writes a model
removes what is older than the newest; so does each of them, in turn, with what nobody has removed: a client
that was away may come back with models that the others have never seen.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from client.offline.memory import RunMemory, order_of, run_name
from client.offline.newest import MAX_MODEL_BYTES
from client.offline.signed_model import ModelUnproven, SignedModel
from mesh.files.checking import FileRefused
from mesh.files.entry import Entry
from mesh.files.publish import publish
from mesh.files.tree import FolderUnusable
from mesh.node import Mesh, PeerState
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature

KEPT = 3
"""Models in the folder, the newest."""
STAGGER_S = 1.0
"""How much longer each waits than the one before it, which may write the same model."""
MAX_WAIT_S = 5.0

SUFFIX = ".fedmodel"
_NAME = re.compile(rf"model-[A-Z2-7]{{7}}-[0-{KEPT - 1}]\{SUFFIX}")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Which:
    """Which model a file holds: of which run, and how new it is among that run's."""

    run: str
    order: tuple[int, int]

    @classmethod
    def of(cls, model: SignedModel) -> Which:
        """As it says itself, signed."""
        return cls(model.base.run, order_of(model))


class SharedModels:
    """At one client. As `mesh.files.checking.FileCheck`, in the folder's thread; all else in the event loop,
    or in a thread that is waited for there."""

    def __init__(
        self,
        folder: Path,
        mesh: Mesh,
        memory: RunMemory,
        servers: Callable[[], Collection[KeyId]],
        written: Callable[[], None],
    ) -> None:
        """`folder`: is there. `servers`: the keys that the client's server may have. `written` is called
        after this client has changed the folder."""
        self._folder = folder
        self._mesh = mesh
        self._memory = memory
        self._servers = servers
        self._written = written
        self._known: dict[str, Which] = {}
        """The files that were verified, by name."""
        self._place_read: int | None = None
        """The run of which the folder's models are in the memory."""
        self._tried: Which | None = None
        """What this client has tried to write last."""
        self._failed = ""
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        """In which this runs."""

    # what others have

    def require_expected(self, entry: Entry) -> None:
        """As FileCheck has it."""
        if not _NAME.fullmatch(entry.name):
            raise FileRefused("only clients' models belong here, and it has another name")
        if entry.content is not None and entry.content.size > MAX_MODEL_BYTES:
            raise FileRefused("it is larger than any model")

    def require_genuine(self, entry: Entry, data: bytes) -> None:
        """As FileCheck has it: by the server's signature."""
        try:
            model = SignedModel.parse(data, self._servers())
        except (ModelUnproven, BadSignature) as error:
            log.warning("the model %s of another client is not taken: %s", entry.name, error)
            raise FileRefused(f"it is no model that this client's server has signed: {error}") from error
        which, before = Which.of(model), self._known.get(entry.name)
        if before is not None and self._rank(before) > self._rank(which):
            raise FileRefused("it is older than the model that it would replace")
        self._known[entry.name] = which
        log.info("the folder has the global model after round %d of run %s", model.base.round, which.run)
        self._memory.saw(model)

    def require_dispensable(self, name: str) -> None:
        """As FileCheck has it: the newest stay until there are newer ones here."""
        if name in self._newest():
            raise FileRefused("others have deleted it, and it is among the newest models here")

    def came(self) -> None:
        """As FileCheck has it: there may be older ones than the newest here now."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.look)

    # what this client has

    def look(self) -> None:
        """What is remembered of the run may have changed."""
        self._changed.set()

    async def run(self) -> None:
        """Read, write and remove, until this is cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            await asyncio.to_thread(self._read_once)
            newest = self._memory.newest
            if newest is not None and not self._is_written(newest):
                await asyncio.sleep(self._wait_s())
                if self._memory.newest is newest and not self._is_written(newest):
                    await asyncio.to_thread(self._write, newest)
                    self._written()
            elif self._outdated():
                await asyncio.sleep(STAGGER_S + self._wait_s())  # who has written the newest removes them
                if await asyncio.to_thread(self._tidy):
                    self._written()
                else:
                    await self._changed.wait()
            else:
                await self._changed.wait()

    def _read_once(self) -> None:
        """What lies in the folder, when the client comes into a run: it may be newer than what was seen."""
        place = self._memory.place
        if place is None or place.run_id == self._place_read:
            return
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            if _NAME.fullmatch(path.name):
                self._read(path)
        self._place_read = place.run_id

    def _read(self, path: Path) -> None:
        try:
            if path.is_symlink() or path.stat().st_size > MAX_MODEL_BYTES:
                return
            model = SignedModel.parse(path.read_bytes(), self._servers())
        except (OSError, ModelUnproven, BadSignature) as error:
            log.warning("the model in %s is not used: %s", path, error)
            return
        self._known[path.name] = Which.of(model)
        self._memory.saw(model)

    def _is_written(self, model: SignedModel) -> bool:
        """Whether the folder has this model, or a newer one of its run; or this client has tried."""
        which = Which.of(model)
        return which == self._tried or any(
            there.run == which.run and there.order >= which.order for there in self._there().values()
        )

    def _there(self) -> dict[str, Which]:
        """What lies in the folder, as far as it was verified."""
        return {name: which for name, which in tuple(self._known.items()) if (self._folder / name).exists()}

    def _wait_s(self) -> float:
        there = [peer.key for peer in self._mesh.peers() if peer.state is not PeerState.OFFLINE]
        before = sum(key.digest < self._mesh.me.digest for key in there)
        return min(before * STAGGER_S, MAX_WAIT_S)

    def _write(self, model: SignedModel) -> None:
        self._tried = which = Which.of(model)
        name = f"model-{str(self._mesh.me)[:7]}-{model.base.round % KEPT}{SUFFIX}"
        try:
            publish(self._folder, {name: model.encoded()})
            self._known[name] = which
            self._remove(self._old())
        except (OSError, FolderUnusable) as error:
            self._say_once(f"the newest model cannot be written to {self._folder}: {error}")
        else:
            self._failed = ""

    def _tidy(self) -> bool:
        """Whether what is old could be removed."""
        try:
            self._remove(self._outdated())
        except OSError as error:
            self._say_once(f"old models cannot be removed from {self._folder}: {error}")
            return False
        return True

    def _remove(self, names: Collection[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)
            self._known.pop(name, None)

    def _old(self) -> set[str]:
        """The files that are not among the newest; none while it is unknown which run's count."""
        return set() if self._memory.place is None else self._there().keys() - self._newest()

    def _outdated(self) -> set[str]:
        """Those of the present run among them: another one may have begun since this client was cut off."""
        return {name for name in self._old() if self._is_of_the_run(self._known[name])}

    def _newest(self) -> set[str]:
        """The files of the newest models, of each one file."""
        there = self._there()
        by_model = {there[name]: name for name in sorted(there, reverse=True)}
        return {by_model[which] for which in sorted(by_model, key=self._rank)[-KEPT:]}

    def _rank(self, which: Which) -> tuple[bool, tuple[int, int]]:
        """A model of the present run goes before those of others."""
        return self._is_of_the_run(which), which.order

    def _is_of_the_run(self, which: Which) -> bool:
        place = self._memory.place
        return place is not None and run_name(place) == which.run

    def _say_once(self, words: str) -> None:
        if words != self._failed:
            self._failed = words
            log.error("%s", words)
