"""The attacks, on victims without protection and on the same victims with each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from bench.attacks.inversion import likeness, picture_in, update_of
from bench.attacks.masked import masked as as_the_server_sees_it
from bench.attacks.membership import Exposure, exposure
from bench.attacks.victim import Pixels, Victim
from shared.dp_spec import DpSpec
from shared.names import ModelName
from shared.run_spec import RunSpec

PARTS = 20
"""Clients among which digits are divided, equally."""

MEMBERS = 40
"""Pictures of a client whose model learns them by heart."""

EPOCHS = 40
"""So often it looks at each of them, in one round."""


@dataclass(frozen=True)
class Inversion:
    """What the server makes of the updates of several clients with one picture each.

    `likeness`: of its guesses to the pictures, on average.
    """

    guesses: Sequence[Pixels]
    likeness: float


@dataclass(frozen=True)
class Inference:
    """How well members are told from others, on average over several clients. `epsilon`: None without DP."""

    exposure: Exposure
    epsilon: float | None


def pictures(clients: int) -> list[Pixels]:
    """The one picture of each client."""
    return [_with_one_picture(part, None).data().inputs.flatten().double().numpy() for part in range(clients)]


def inversion(clients: int, *, dp: DpSpec | None = None, masked: bool = False) -> Inversion:
    """Guess the picture of each client, by its update as the server sees it."""
    seen: Callable[[Pixels], Pixels] = as_the_server_sees_it if masked else np.asarray
    guesses = [picture_in(seen(update_of(_with_one_picture(part, dp)))) for part in range(clients)]
    return Inversion(guesses, mean(map(likeness, guesses, pictures(clients))))


def inference(clients: int, *, dp: DpSpec | None = None) -> Inference:
    """Tell the members of each client from pictures that nobody has trained on, by its model."""
    spec = RunSpec(model=ModelName.CNN, alpha=None, local_epochs=EPOCHS, dp=dp)
    found, epsilons = [], []
    for part in range(clients):
        victim = Victim(spec, part, PARTS, MEMBERS)
        trained = victim.trained()
        found.append(exposure(victim, trained.weights))
        epsilons.append(trained.epsilon)
    average = Exposure(
        advantage=mean(each.advantage for each in found),
        ranking=mean(each.ranking for each in found),
        accuracy=mean(each.accuracy for each in found),
    )
    return Inference(average, epsilons[0])


def _with_one_picture(part: int, dp: DpSpec | None) -> Victim:
    return Victim(RunSpec(model=ModelName.LINEAR, alpha=None, dp=dp), part, PARTS, samples=1)
