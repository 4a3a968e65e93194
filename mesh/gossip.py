"""Gossip: a node that goes on learning with others, without a server and without rounds in lockstep.

In a round a node trains from its model, sends the outcome with shares of its mass to a few random others,
and waits a little for those who are not done yet. Who is slow is waited for once, and then no more until it
has caught up. What others send while this node trains is averaged in afterwards.

What is computed and decided is in `mesh/learning/`, the messages are in `mesh/exchange.py`; here are the
rounds and the threads. Everything is called in the event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mesh.exchange import Exchange
from mesh.holder import Patience
from mesh.learning.arrays import Arrays, clipped_around, distance, norm
from mesh.learning.base import Base
from mesh.learning.checks import SMALLEST_NORM, ModelCheck
from mesh.learning.merge import Contribution
from mesh.learning.push_sum import Portion, PushSum
from mesh.learning.trainer import Evaluated, Trained, Trainer
from mesh.learning.transfers import Outcome
from mesh.node import Mesh
from shared.errors import Cancelled, FedLoomError
from shared.security.key_id import KeyId
from shared.seeds import derive_seed


@dataclass(frozen=True)
class GossipSettings:
    """How a node averages. `peers`: to how many it sends in a round.

    `patience_s`: how long it waits in a round for others' and its own transfers. `clipping`: how far a peer's
    model may lie from its own to be averaged as it is, in parts of its own model's norm; a farther one is
    moved to that distance, which bounds what a poisoned one does; None: as it is.
    """

    peers: int = 3
    patience_s: float = 10.0
    clipping: float | None = None
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class MeshRound:
    """One round of this node, as people see it."""

    mesh_round: int
    loss: float | None
    """Of the training; None: there was none, or the loss stays at the node."""
    sent_to: tuple[KeyId, ...]
    averaged_with: tuple[KeyId, ...]
    """Whose models were averaged into its own, in the order in which they came."""
    divergence: float | None
    """How far the farthest of them was from its own, in parts of its own norm; None: there was none."""
    clipped: int
    """How many of them were farther than `clipping` allows."""
    evaluated: Evaluated | None
    """The model after averaging."""
    peers: int
    """Who take part and can be reached, without this node."""
    mass: float
    refused: Mapping[Outcome, int]
    """What this node has not taken from others since the beginning, by reason."""


@dataclass(frozen=True)
class Learned:
    """What a node has in the end, and brings to a server that is there again.

    `lost_mass`: sent to peers of which nobody knows whether they have it. `failure`: what ended the learning
    of this node; None: it was told to end, or has done all rounds.
    """

    contribution: Contribution
    lost_mass: float
    failure: FedLoomError | None


class Gossip:
    """One node's learning from one base; it is run once."""

    def __init__(
        self,
        mesh: Mesh,
        trainer: Trainer,
        base: Base,
        model: Arrays,
        settings: GossipSettings | None = None,
        *,
        on_round: Callable[[MeshRound], None] = lambda done: None,
    ) -> None:
        """`model`: that of the base. Raises ModelInvalid for one that cannot be averaged."""
        self._mesh = mesh
        self._trainer = trainer
        self._base = base
        self._settings = settings or GossipSettings()
        self._on_round = on_round
        self._check = ModelCheck(model)
        self._sum = PushSum(model)
        self._inbox: list[tuple[KeyId | None, Portion]] = []
        """From whom, None: this node's own, come back."""
        self._is_training = False
        self._averaged: list[tuple[KeyId, float]] = []
        """Of the present round: whose, and how far away in parts of one's own norm."""
        self._slow: frozenset[KeyId] = frozenset()
        """Who had not taken the last share in time."""
        self._exchange: Exchange | None = None
        self._ended = threading.Event()
        self._rounds = 0
        self._samples = 0

    @property
    def model(self) -> Arrays:
        """As it is now."""
        return self._sum.held.model

    @property
    def waiting(self) -> int:
        """How many models of others wait to be averaged in."""
        return sum(sender is not None for sender, _ in self._inbox)

    @property
    def peers(self) -> int:
        """How many others take part and can be reached."""
        exchange = self._exchange
        return 0 if exchange is None else len(exchange.participants.active(exchange.post.reachable()))

    @property
    def other_bases(self) -> Mapping[KeyId, Base]:
        """Peers that can be reached and learn from another model, perhaps a newer one."""
        if self._exchange is None:
            return MappingProxyType({})
        return self._exchange.participants.other_bases(self._exchange.post.reachable())

    def stop(self) -> None:
        """End in order: the training at once, without its outcome, then all transfers. `run` returns then."""
        self._ended.set()
        if self._exchange is not None:
            self._exchange.post.wake()

    async def run(
        self, rounds: int | None = None, *, finish_s: float = 0.0, mixing_rounds: int = 0
    ) -> Learned:
        """Learn for so many rounds, or until `stop`.

        After all rounds, wait up to `finish_s` for those who have not done theirs, then average
        `mixing_rounds` times without training, so that all end with nearly the same model.
        """
        failure: FedLoomError | None = None
        try:
            self._samples = await asyncio.to_thread(self._trainer.samples)
            self._exchange = exchange = Exchange(
                self._mesh, self._base, self._check, self._samples, self, self._settings.patience
            )
            exchange.open()
            try:
                failure = await self._learn(exchange, rounds, finish_s, mixing_rounds)
                await exchange.settle()
            finally:
                await exchange.close()
            self._average()
        finally:
            self._ended.set()  # also for a training in its thread, if this task was cancelled
        held = self._sum.held
        contribution = Contribution(self._base, held.model, held.mass, held.steps, self._rounds)
        return Learned(contribution, exchange.lost_mass, failure)

    def takes(self, sender: KeyId, portion: Portion) -> None:
        """As Holder has it."""
        self._inbox.append((sender, portion))
        if not self._is_training:
            self._average()

    def takes_back(self, portion: Portion) -> None:
        """As Holder has it."""
        self._inbox.append((None, portion))
        if not self._is_training:
            self._average()

    async def _learn(
        self, exchange: Exchange, rounds: int | None, finish_s: float, mixing_rounds: int
    ) -> FedLoomError | None:
        try:
            while not self._ended.is_set() and (rounds is None or self._rounds < rounds):
                await self._round(exchange)
        except FedLoomError as error:
            return error
        if mixing_rounds:
            await self._wait_for_others(exchange, self._rounds, finish_s)
        for _ in range(mixing_rounds):
            if not self._ended.is_set():
                await self._finish_round(exchange, None)
        return None

    async def _round(self, exchange: Exchange) -> None:
        trained = await self._train(self._rounds + 1)
        self._average()
        if trained is not None:
            await self._finish_round(exchange, trained)

    async def _train(self, mesh_round: int) -> Trained | None:
        """None: it was given up on request."""
        self._is_training = True
        try:
            trained = await asyncio.to_thread(self._trainer.train, self.model, mesh_round, self._ended.is_set)
            self._sum.trained(trained.model, trained.steps, self._samples)
        except Cancelled:
            return None
        finally:
            self._is_training = False
        return trained

    async def _finish_round(self, exchange: Exchange, trained: Trained | None) -> None:
        """Send, wait a little, and tell what became of it."""
        self._rounds += 1
        sent_to = await self._send_shares(exchange)
        patience_s = self._settings.patience_s
        await self._wait_for_answers(exchange, frozenset(sent_to), patience_s)
        exchange.tell_news(self._rounds)
        await self._wait_for_others(exchange, self._rounds, patience_s)
        evaluated = None
        if not self._ended.is_set():
            evaluated = await asyncio.to_thread(self._trainer.evaluate, self.model)
        averaged, self._averaged = self._averaged, []
        distances = [far for _, far in averaged]
        clipping = self._settings.clipping
        self._on_round(
            MeshRound(
                mesh_round=self._rounds,
                loss=None if trained is None else trained.loss,
                sent_to=sent_to,
                averaged_with=tuple(sender for sender, _ in averaged),
                divergence=max(distances, default=None),
                clipped=0 if clipping is None else sum(far > clipping for far in distances),
                evaluated=evaluated,
                peers=self.peers,
                mass=self._sum.held.mass,
                refused=MappingProxyType(dict(exchange.refused)),
            )
        )

    async def _send_shares(self, exchange: Exchange) -> tuple[KeyId, ...]:
        participants, base = exchange.participants, self._base
        seed = derive_seed(base.run, base.generation, base.round, self._rounds)
        chosen = participants.receivers(
            self._mesh.me, self._settings.peers, exchange.post.reachable(), exchange.busy, seed
        )
        known = {key: peer for key in chosen if (peer := participants.get(key)) is not None}
        if self._ended.is_set() or not known:
            return ()
        portions = self._sum.split(self._samples, {key: peer.samples for key, peer in known.items()})
        await exchange.send(portions)
        return tuple(known)

    async def _wait_for_answers(self, exchange: Exchange, to: frozenset[KeyId], limit_s: float) -> None:
        """Until these have said what became of their shares. Who is slow with that is waited for once."""

        def missing() -> frozenset[KeyId]:
            return to & exchange.busy & exchange.post.reachable()

        awaited = to - self._slow
        await exchange.post.until(lambda: self._ended.is_set() or not missing() & awaited, limit_s)
        self._slow = (self._slow - to) | missing()

    async def _wait_for_others(self, exchange: Exchange, mesh_round: int, limit_s: float) -> None:
        """Until they have done this round, too, and their shares of it are here."""

        def are_done() -> bool:
            return self._ended.is_set() or not exchange.participants.behind(
                mesh_round, exchange.post.reachable()
            )

        if not await exchange.post.until(are_done, limit_s):
            exchange.participants.gave_up_on(mesh_round, exchange.post.reachable())

    def _average(self) -> None:
        """Take in what has come."""
        arrived, self._inbox = self._inbox, []
        if not arrived:
            return
        own = self.model
        size = max(norm(own), SMALLEST_NORM)
        clipping = self._settings.clipping
        portions = []
        for sender, portion in arrived:
            taken = portion
            if sender is not None:
                self._averaged.append((sender, distance(own, portion.model) / size))
                if clipping is not None:
                    near = clipped_around(own, portion.model, clipping * size)
                    taken = Portion(near, portion.mass, portion.steps)
            portions.append(taken)
        self._sum.take(portions)
