"""How many rounds of sending to random peers until all models are nearly the same: counted, not timed.

All send at the same time and nothing is lost; the averaging is that of the nodes themselves. The number grows
with the logarithm of the peers (Kempe, Dobra and Gehrke 2003, theorem 3.1); for 20 and 1 % theory says 8.
"""

from __future__ import annotations

import random
from collections import defaultdict
from statistics import median

import numpy as np

from bench.report import Figure
from mesh.gossip import GossipSettings
from mesh.learning.arrays import Arrays, distance, weighted_mean
from mesh.learning.participants import others_in_circle
from mesh.learning.push_sum import Portion, PushSum

PEERS = 20
AGREED = 0.01
"""The largest deviation from the mean with which all agree, in parts of that at the start."""
REACH = 10.0
TRIALS = 25
PARAMETERS = 1_000


def rounds_to_agree() -> Figure:
    """The median of many trials, whose models and samples are random."""
    counts = [float(_rounds(random.Random(trial))) for trial in range(TRIALS)]
    return Figure(
        name=f"rounds until {PEERS} peers, each sending to {GossipSettings().peers} at random, have models "
        f"that deviate by {AGREED:.0%} of what they did",
        value=median(counts),
        unit="rounds",
        reach=REACH,
        runs=counts,
    )


def _rounds(rng: random.Random) -> int:
    samples = [rng.randint(50, 150) for _ in range(PEERS)]
    nodes = [_node(rng, each) for each in samples]
    mean = weighted_mean([(node.held.mass, node.held.model) for node in nodes])
    enough = AGREED * _deviation(nodes, mean)
    rounds = 0
    while _deviation(nodes, mean) > enough:
        rounds += 1
        seed, count = rng.randrange(2**32), GossipSettings().peers
        arriving: defaultdict[int, list[Portion]] = defaultdict(list)
        for place, node in enumerate(nodes):
            chosen = {other: samples[other] for other in others_in_circle(range(PEERS), place, seed)[:count]}
            for other, portion in node.split(samples[place], chosen).items():
                arriving[other].append(portion)
        for place, node in enumerate(nodes):
            node.take(arriving[place])
    return rounds


def _node(rng: random.Random, samples: int) -> PushSum:
    model = {"weights": np.random.default_rng(rng.randrange(2**32)).normal(size=PARAMETERS)}
    node = PushSum(model)
    node.trained(model, steps=1, samples=samples)
    return node


def _deviation(nodes: list[PushSum], mean: Arrays) -> float:
    return max(distance(node.held.model, mean) for node in nodes)
