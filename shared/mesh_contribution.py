"""What server and clients say to each other of what was learned in the mesh, without the server.

The server asks each client that says it has something for its contribution, with a message of its own type
that carries the global model. The reply is an update of that model's shape, sealed as any other.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from shared.names import EngineName, StrategyName
from shared.results import TrainMetrics
from shared.run_spec import MAX_ROUNDS, RunSpec

MESH_UPDATE = "train.mesh"
"""The type of the message that asks for a contribution."""

GENERATION = "mesh-generation"
"""In the config of a message with a global model: the number of the server's turn with the run, which the
server signs with the model (`generation_after`)."""

MERGED = "mesh-merged"
"""In the same config: the numbers of the contributions that are in the model, and in its checkpoint."""

MAX_NUMBER = 2**53 - 1
"""What JSON's readers still read exactly."""

_RANDOM_BITS = 21

_LATEST_S = (MAX_NUMBER >> _RANDOM_BITS) - 2**20
"""In 2106. A clock beyond it says this, which leaves room for a million turns."""

_CENTRAL_DP = (StrategyName.DPFEDAVG_FIXED, StrategyName.DPFEDAVG_ADAPTIVE)


class ContributionMetrics(TrainMetrics):
    """How a contribution has come about: of its newest training, and of all. Numbers alone, as Flower carries
    them."""

    contribution: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    """Its number, at random."""
    generation: Annotated[int, Field(ge=1, le=MAX_NUMBER)]
    """Of the run, when the server made the model that it began with."""
    base_round: Annotated[int, Field(alias="base-round", ge=0, le=MAX_ROUNDS)]
    """The round after which that model was."""
    mesh_rounds: Annotated[int, Field(alias="mesh-rounds", ge=1, le=2**31)]
    mass: Annotated[float, Field(gt=0, le=2**53, allow_inf_nan=False)]
    """For how many samples its model stands: the weight that push-sum has left with it."""
    steps: Annotated[float, Field(gt=0, le=2**53, allow_inf_nan=False)]
    """Of the optimiser, behind the model since its base, as a mean over all that are mixed in it."""


def objection(spec: RunSpec) -> str | None:
    """Why a run does not go on in the mesh while its server is away, in words; None: it does."""
    if spec.app is not None:
        return f"it is of the Flower app {spec.app}, whose rounds are its own"
    if spec.engine is not EngineName.EMBEDDED:
        return f"its clients are those of Flower's {spec.engine}, which are in no mesh"
    if spec.secure_aggregation is not None:
        return "it has secure aggregation, and in the mesh neighbours would see each other's models"
    if spec.strategy in _CENTRAL_DP:
        return "its strategy adds noise at the server, and in the mesh there would be none"
    return None


def common_round(base_round: int, began_later: Sequence[int]) -> int:
    """The newest round whose model is an ancestor of both a contribution's base and the run as it is now.

    `began_later`: after which rounds those generations of the run began that came after that of the base.
    What a server has made and not kept is of a line that broke off where the next one began.
    """
    return min([base_round, *began_later])


def generation_after(before: int, clock: Callable[[], float] = time.time) -> int:
    """The number of the next server's turn with a run: higher than the one before (0: there was none), and
    no other server's, also not of one that has a copy of all that this one has.

    It begins with the time in seconds, or with more if the clock has gone back: so it is also higher than
    that of a turn which this server knows nothing of, since it was restored from a backup.
    """
    count = max((before >> _RANDOM_BITS) + 1, min(int(clock()), _LATEST_S))
    return count << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
