"""Nodes that send each other shares, without a mesh, a clock or a thread: a test decides what comes when.

Messages wait in one bag until the test delivers, doubles or drops one. Each node takes what it is sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np

from mesh.learning.push_sum import Portion, PushSum
from mesh.learning.transfers import Incoming, Outcome, Outgoing
from mesh.node import Content
from shared.security.key_id import KeyId
from tests.support.mesh_in_memory import key_of
from tests.support.mesh_trainers import a_model

ANSWER_S = 5.0

NO_CONTENT = Content(bytes(32), 0)


@dataclass(frozen=True)
class Message:
    """A share (with a portion), a question (without outcome) or an answer about number `number`."""

    start: KeyId
    end: KeyId
    number: int
    portion: Portion | None = None
    outcome: Outcome | None = None


class WorldNode:
    """One node; its session is its name."""

    def __init__(self, name: str, samples: int, value: float) -> None:
        self.key = key_of(name)
        self.session = name
        self.samples = samples
        self.sum = PushSum(a_model(0.0))
        self.sum.trained(a_model(value), 1, samples)
        self.outgoing = Outgoing(ANSWER_S)
        self.incoming = Incoming()


class World:
    """All nodes. Which of them can reach each other is `sides`: numbers by node, equal for who can."""

    def __init__(self, samples: list[int], seed: int) -> None:
        self.random = Random(seed)
        values = [self.random.uniform(-10, 10) for _ in samples]
        self.nodes = [
            WorldNode(str(place), *both) for place, both in enumerate(zip(samples, values, strict=True))
        ]
        self.by_key = {node.key: node for node in self.nodes}
        self.sides = [0] * len(samples)
        self.bag: list[Message] = []
        self.now = 0.0
        self.total_mass = float(sum(samples))
        self.total_value = math.fsum(n * value for n, value in zip(samples, values, strict=True))

    def send(self, place: int, count: int = 3) -> None:
        """A node sends shares to some others that owe it no answer, whether or not there is a way to them."""
        node = self.nodes[place]
        free = [
            other for other in self.nodes if other is not node and other.key not in node.outgoing.receivers
        ]
        chosen = self.random.sample(free, min(count, len(free)))
        if not chosen:
            return
        for key, portion in node.sum.split(
            node.samples, {other.key: other.samples for other in chosen}
        ).items():
            transfer = node.outgoing.begin(key, self.by_key[key].session, portion, NO_CONTENT, self.now)
            self.bag.append(Message(node.key, key, transfer.number, portion))

    def deliver(self, place: int, *, keep: bool = False) -> None:
        """Have one of the messages come, or be lost where there is no way; kept, it comes again."""
        if not self.bag:
            return
        place %= len(self.bag)
        message = self.bag[place] if keep else self.bag.pop(place)
        if self._side(message.start) == self._side(message.end):
            self._receive(self.by_key[message.end], message)

    def drop(self, place: int) -> None:
        """One of the messages is lost."""
        if self.bag:
            self.bag.pop(place % len(self.bag))

    def ask(self) -> None:
        """Time passes until every answer is overdue, and each node asks whom it can reach."""
        self.now += ANSWER_S
        for node in self.nodes:
            side = self._side(node.key)
            reachable = {other.key for other in self.nodes if self._side(other.key) == side}
            for transfer in node.outgoing.to_ask(reachable.__contains__, self.now):
                self.bag.append(Message(node.key, transfer.to, transfer.number))

    def settle(self) -> None:
        """All ways are there again, nothing is lost any more, and all learn what became of their shares."""
        self.sides = [0] * len(self.nodes)
        for _ in range(3):
            self.ask()
            while self.bag:
                self.deliver(self.random.randrange(len(self.bag)))
            if not any(len(node.outgoing) for node in self.nodes):
                return
        raise AssertionError("some transfers stay open for ever")

    @property
    def held_mass(self) -> float:
        """Of all nodes."""
        return math.fsum(node.sum.held.mass for node in self.nodes)

    @property
    def open_mass(self) -> float:
        """Of all transfers whose senders do not know what became of them."""
        return math.fsum(transfer.portion.mass for node in self.nodes for transfer in node.outgoing)

    @property
    def mean(self) -> float:
        """The models of all nodes, by mass."""
        held = [node.sum.held for node in self.nodes]
        return math.fsum(part.mass * float(part.model["w"][0]) for part in held) / self.held_mass

    @property
    def spread(self) -> float:
        """How far the farthest model is from the mean by samples, which all are to reach."""
        target = self.total_value / self.total_mass
        return max(abs(float(node.sum.held.model["w"][0]) - target) for node in self.nodes)

    def _receive(self, node: WorldNode, message: Message) -> None:
        sender = self.by_key[message.start]
        if message.outcome is not None:
            self._hear_answer(node, message, message.outcome)
            return
        if message.portion is not None and node.incoming.arrives(sender.key, sender.session, message.number):
            node.incoming.decide(sender.key, sender.session, message.number, Outcome.TAKEN)
            node.sum.take([message.portion])
        outcome = node.incoming.asked(sender.key, sender.session, message.number)
        if outcome is not None:
            self.bag.append(Message(node.key, sender.key, message.number, outcome=outcome))

    def _hear_answer(self, node: WorldNode, message: Message, outcome: Outcome) -> None:
        transfer = node.outgoing.answered(message.start, message.number, outcome)
        if transfer is not None and outcome not in (Outcome.TAKEN, Outcome.GONE):
            node.sum.take([transfer.portion])

    def _side(self, key: KeyId) -> int:
        return self.sides[self.nodes.index(self.by_key[key])]


def are_equal(left: float, right: float) -> bool:
    """Up to rounding."""
    return bool(np.isclose(left, right, rtol=1e-9, atol=1e-9))
