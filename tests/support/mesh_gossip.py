"""Nodes that gossip in one event loop, and a peer that breaks the rules."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

from mesh.gossip import Gossip, GossipSettings, Learned, MeshRound
from mesh.holder import Patience
from mesh.learning.arrays import Arrays, encoded
from mesh.learning.base import Base
from mesh.learning.messages import (
    ANSWER,
    NEWS,
    PARTING,
    SHARE,
    Answer,
    Message,
    News,
    Parting,
    Share,
    StatedBase,
)
from mesh.learning.trainer import Trainer
from mesh.learning.transfers import Outcome
from mesh.node import Mesh, Received
from shared.security.key_id import KeyId
from tests.support.mesh_in_memory import MemoryNetwork
from tests.support.mesh_trainers import Drawn, a_model

BASE = Base("run", 1, 3, bytes(32))

QUICK = GossipSettings(patience_s=10.0, patience=Patience(answer_s=0.1, fetch_s=10.0, settle_s=10.0))
"""For a test, in which nothing takes long unless it is made to."""


class Crew:
    """Nodes with a trainer each, all in one network."""

    def __init__(
        self,
        network: MemoryNetwork,
        trainers: Mapping[str, Trainer],
        settings: GossipSettings = QUICK,
        model: Arrays | None = None,
        base: Base = BASE,
    ) -> None:
        self.network = network
        self.rounds: dict[str, list[MeshRound]] = {name: [] for name in trainers}
        self.meshes = {name: network.node(name) for name in trainers}
        self.nodes = {
            name: Gossip(
                self.meshes[name],
                trainer,
                base,
                a_model(0.0) if model is None else model,
                settings,
                on_round=self.rounds[name].append,
            )
            for name, trainer in trainers.items()
        }

    def all_have_met(self) -> bool:
        """Whether each has heard of all others."""
        return all(node.peers == len(self.nodes) - 1 for node in self.nodes.values())

    async def run(self, rounds: int, **further: Any) -> dict[str, Learned]:
        """Have all of them do so many rounds, and what each has in the end."""
        outcomes = await asyncio.gather(*(node.run(rounds, **further) for node in self.nodes.values()))
        return dict(zip(self.nodes, outcomes, strict=True))

    async def run_when_met(self, rounds: int, trainers: Mapping[str, Drawn]) -> dict[str, Learned]:
        """The same, where nobody trains before each has heard of all others."""
        for trainer in trainers.values():
            trainer.gate.clear()
        running = asyncio.create_task(self.run(rounds))
        await until(self.all_have_met, "all have heard of all others")
        for trainer in trainers.values():
            trainer.gate.set()
        return await running


def optima(*values: float, samples: int = 10, rate: float = 0.5) -> dict[str, Drawn]:
    """A trainer for each, by name: a, b, …"""
    return {chr(ord("a") + place): Drawn(value, samples, rate) for place, value in enumerate(values)}


async def until(condition: Any, what: str, limit_s: float = 30.0) -> None:
    """Wait in the event loop until something is so."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.01)
    assert condition(), what


class Rogue:
    """A member that says what it likes."""

    def __init__(self, mesh: Mesh, samples: int = 10) -> None:
        self.mesh = mesh
        self.session = secrets.token_hex(16)
        self.samples = samples
        self.sessions: dict[KeyId, str] = {}
        """Of the others, as they have told."""
        self.outcomes: list[Outcome] = []
        self._numbers = 0
        mesh.on(NEWS, self._hear_news)
        self._replies: set[asyncio.Task[None]] = set()
        mesh.on(SHARE, self._hear_share)
        mesh.on(PARTING, self._hear_parting)
        mesh.on(ANSWER, lambda received: self.outcomes.append(Answer.parse(received.body).outcome))

    def news(self, base: Base = BASE) -> News:
        """What it says of itself."""
        return News(base=StatedBase.of(base), session=self.session, mesh_round=99, samples=self.samples)

    def join(self, base: Base = BASE) -> None:
        """Have all hear of it."""
        self.mesh.flood(NEWS, self.news(base).encoded())

    async def send(
        self,
        to: KeyId,
        model: Arrays | bytes,
        *,
        mass: float = 5.0,
        base: Base = BASE,
        number: int | None = None,
    ) -> Outcome:
        """Send a share, and what its receiver says became of it."""
        data = model if isinstance(model, bytes) else encoded(model)
        content = await self.mesh.offer(_Data(data), len(data))
        self._numbers += 1
        share = Share(
            news=self.news(base),
            to_session=self.sessions[to],
            number=number or self._numbers,
            mass=mass,
            steps=1.0,
            root=content.root.hex(),
            size=content.size,
        )
        before = len(self.outcomes)
        await self.mesh.send(to, SHARE, share.encoded())
        await until(lambda: len(self.outcomes) > before, "the share was answered")
        return self.outcomes[-1]

    def _hear_share(self, received: Received) -> None:
        """It takes nothing itself."""
        share = Share.parse(received.body)
        answer = Answer(session=share.news.session, number=share.number, outcome=Outcome.BUSY)
        self._reply(received.sender, ANSWER, answer)

    def _hear_parting(self, received: Received) -> None:
        """It keeps nobody waiting."""
        session = Parting.parse(received.body).session
        parting = Parting(session=self.session, to_session=session, number=0, is_leaving=False)
        self._reply(received.sender, PARTING, parting)

    def _reply(self, to: KeyId, topic: str, message: Message) -> None:
        task = asyncio.get_running_loop().create_task(self.mesh.send(to, topic, message.encoded()))
        self._replies.add(task)
        task.add_done_callback(self._replies.discard)

    def _hear_news(self, received: Received) -> None:
        self.sessions[received.sender] = News.parse(received.body).session


class _Data:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, start: int, length: int) -> bytes:
        """As Source has it."""
        return self._data[start : start + length]
