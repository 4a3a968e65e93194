"""NewestModel: has all members of a run get the newest global model that any of them has from the server.

Who has one tells all; who has an older one fetches it. It is believed by the server's signature alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from client.offline.memory import RunMemory, order_of
from client.offline.signed_model import ModelUnproven, SignedModel
from mesh.node import Content, ContentUnavailable, Mesh, Received, Unreachable
from shared.canonical import canonical
from shared.mesh_contribution import MAX_NUMBER
from shared.run_spec import MAX_ROUNDS
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature

NEWEST = "model/newest"
"""The topic."""

MAX_MODEL_BYTES = 2 << 30
SPARE_BYTES = 1 << 20
"""By how much what another member has of a model may be larger: heads and ids differ."""

log = logging.getLogger(__name__)


class Announcement(BaseModel):
    """Which model somebody has, and as which content."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    run: Annotated[int, Field(ge=1, lt=1 << 64)]
    generation: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    round: Annotated[int, Field(ge=0, le=MAX_ROUNDS)]
    root: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1, le=MAX_MODEL_BYTES)]

    @property
    def order(self) -> tuple[int, int]:
        """As `order_of` has it."""
        return self.generation, self.round

    @property
    def content(self) -> Content:
        """What to fetch."""
        return Content(bytes.fromhex(self.root), self.size)


class NewestModel:
    """At one node, in its event loop."""

    def __init__(self, mesh: Mesh, memory: RunMemory, servers: Callable[[], Collection[KeyId]]) -> None:
        """`servers`: the keys that the client's server may have."""
        self._mesh = mesh
        self._memory = memory
        self._servers = servers
        self._offered: tuple[SignedModel, Announcement] | None = None
        self._offering = asyncio.Lock()
        self._fetching: asyncio.Task[None] | None = None
        self._answering: dict[KeyId, asyncio.Task[None]] = {}
        self._liars: set[KeyId] = set()
        """Members that have told of a model that they did not have."""
        self._end = mesh.on(NEWEST, self._received)

    async def tell(self) -> None:
        """Say to all who can be reached which model this client has."""
        if (announced := await self._announcement()) is not None:
            self._mesh.flood(NEWEST, canonical(announced.model_dump()))

    def close(self) -> None:
        """Nothing more is told, or given."""
        self._end()
        for task in (self._fetching, *self._answering.values()):
            if task is not None:
                task.cancel()
        if self._offered is not None:
            self._mesh.withdraw(self._offered[1].content)
            self._offered = None

    async def _announcement(self) -> Announcement | None:
        """Of the newest model, which is offered with it."""
        async with self._offering:
            newest = self._memory.newest
            if newest is None:
                return None
            if self._offered is None or self._offered[0] is not newest:
                data = await asyncio.to_thread(newest.encoded)
                content = await self._mesh.offer(_InMemory(data), len(data))
                if self._offered is not None:
                    self._mesh.withdraw(self._offered[1].content)
                self._offered = (
                    newest,
                    Announcement(
                        run=newest.origin.instructed.run_id,
                        generation=newest.base.generation,
                        round=newest.base.round,
                        root=content.root.hex(),
                        size=content.size,
                    ),
                )
            return self._offered[1]

    def _received(self, message: Received) -> None:
        sender = message.sender
        try:
            told = Announcement.model_validate_json(message.body)
        except ValidationError:
            log.warning("%s… has told of a global model, and nobody understands how", sender.short)
            return
        place, newest = self._memory.place, self._memory.newest
        if place is None or told.run != place.run_id:
            return
        mine = (0, 0) if newest is None else order_of(newest)
        if told.order > mine and sender not in self._liars and told.size <= self._most_bytes():
            if self._fetching is None or self._fetching.done():
                self._fetching = asyncio.create_task(self._fetch(sender, told))
        elif told.order < mine and sender not in self._answering:
            answer = self._answering[sender] = asyncio.create_task(self._answer(sender))
            answer.add_done_callback(lambda _: self._answering.pop(sender, None))

    def _most_bytes(self) -> int:
        """Of a model of this run, with what proves it: about as many as the one that is here, if one is."""
        newest = self._memory.newest
        return MAX_MODEL_BYTES if newest is None else newest.size + SPARE_BYTES

    async def _answer(self, sender: KeyId) -> None:
        """Tell somebody with an older model of the one that is here."""
        if (announced := await self._announcement()) is not None:
            with suppress(Unreachable):
                await self._mesh.send(sender, NEWEST, canonical(announced.model_dump()))

    async def _fetch(self, holder: KeyId, told: Announcement) -> None:
        """One at a time; who else has a newer one is asked for it afterwards."""
        chunks: dict[int, bytes] = {}
        try:
            await self._mesh.fetch(told.content, [holder], chunks.__setitem__)
            data = b"".join(chunks[place] for place in range(told.content.chunks))
            model = await asyncio.to_thread(SignedModel.parse, data, self._servers(), told.run)
            if order_of(model) != told.order:
                raise ModelUnproven("The global model is another one than was told.")
        except ContentUnavailable as error:
            log.info("a newer global model of %s… could not be had: %s", holder.short, error)
        except (ModelUnproven, BadSignature) as error:
            self._liars.add(holder)
            log.warning("a global model of %s… is not taken: %s", holder.short, error)
        else:
            log.info("has the global model after round %d from %s…", model.base.round, holder.short)
            self._memory.saw(model)
            return
        await self.tell()


class _InMemory:
    """As `mesh.node.Source` has it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, start: int, length: int) -> bytes:
        """A part of it."""
        return self._data[start : start + length]
