"""Push-sum of models: averages among nodes that send when they can, to whom they can reach.

Each node holds a model and a mass: for how many samples its model stands. It sends its model with a part of
its mass; whoever takes that averages both by their masses. The masses of all add up to the samples of all at
any time, whatever the order, and the mean of all models by mass is what only training changes: so Kempe,
Dobra and Gehrke 2003, "Gossip-Based Computation of Aggregate Information"
(https://doi.org/10.1109/SFCS.2003.1238221), whose pair (sum, weight) is (mass · model, mass) here.

Gossip learning with models: Hegedűs, Danner and Jelasity 2019, "Gossip Learning as a Decentralized
Alternative to Federated Learning" (https://doi.org/10.1007/978-3-030-22496-7_5), and 2021, "Decentralized
Learning Works" (https://doi.org/10.1016/j.jpdc.2020.10.006). New random peers in each round, from among all:
de Vos et al. 2023, "Epidemic Learning" (https://arxiv.org/abs/2310.01972).

A mass is divided by the samples of those who share it, so that it stays about as large as a node's own
samples. A training therefore moves the mean of all by as much as the node has samples, as in FedAvg; no
update has to be multiplied where little mass is left, which makes training unstable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mesh.learning.arrays import Arrays, weighted_mean

Peer = TypeVar("Peer")

LARGEST_RATIO = 10.0
"""A peer's samples count as at most so many times one's own where a mass is divided. Nobody can see how
many it has, and with any number that it liked a peer would get all mass."""


@dataclass(frozen=True)
class Portion:
    """A model with the mass that it travels with. `steps`: local training behind the model, as a mean."""

    model: Arrays
    mass: float
    steps: float = 0.0


class PushSum:
    """What one node holds."""

    def __init__(self, model: Arrays) -> None:
        self._held = Portion(model, 0.0)
        self._has_entered = False

    @property
    def held(self) -> Portion:
        """The node's model. Its mass is 0 until the node has trained, or taken something."""
        return self._held

    def trained(self, model: Arrays, steps: int, samples: int) -> None:
        """The model was trained from the one held, in so many steps. With the first training the node's
        samples enter the sum."""
        held = self._held
        mass = held.mass if self._has_entered else held.mass + samples
        self._has_entered = True
        self._held = Portion(model, mass, held.steps + steps)

    def split(self, samples: int, receivers: Mapping[Peer, int]) -> dict[Peer, Portion]:
        """Take from the mass what is to go to these peers, each of whom is given with its samples; `samples`:
        this node's own, at least 1."""
        held = self._held
        parts = {peer: min(theirs, samples * LARGEST_RATIO) for peer, theirs in receivers.items()}
        total = samples + math.fsum(parts.values())
        portions = {
            peer: Portion(held.model, held.mass * part / total, held.steps) for peer, part in parts.items()
        }
        self._held = Portion(held.model, held.mass * samples / total, held.steps)
        return portions

    def take(self, portions: Sequence[Portion]) -> None:
        """Average these in: what others have sent, and what of one's own came back."""
        parts = [part for part in (self._held, *portions) if part.mass]
        if not portions or not parts:
            return
        mass = math.fsum(part.mass for part in parts)
        self._held = Portion(
            weighted_mean([(part.mass, part.model) for part in parts]),
            mass,
            math.fsum(part.mass * part.steps for part in parts) / mass,
        )
