"""Proposal: one node asks others to learn something together, without any server.

The proposer sends the run's settings to all whom it can reach; each says whether its site takes part. Then it
tells those who do who all of them are. The parts of the data follow from the order of their keys, the initial
model from the seed, so that nobody has to be believed: whoever computes another initial model takes no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from mesh.learning.base import Base
from mesh.learning.messages import Hash, Message, MessageInvalid
from shared.canonical import NotCanonical, canonical, from_canonical
from shared.names import StrategyName
from shared.run_spec import MAX_CLIENTS, RunSpec
from shared.security.key_id import KeyId

PROPOSAL = "run/proposal"
REPLY = "run/reply"
START = "run/start"
"""Topics."""

RunId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]

AVERAGED = (StrategyName.FEDAVG, StrategyName.FEDPROX)
"""Strategies of which the mesh computes the same: a mean by samples."""


class Proposal(Message):
    """Take part in a run?"""

    run: RunId
    spec: Annotated[str, StringConstraints(max_length=16_000)]
    """A RunSpec as canonical JSON; its number of rounds is that of each node."""
    model: Hash
    """The initial model's digest."""

    @classmethod
    def of(cls, run: str, spec: RunSpec, model: bytes) -> Proposal:
        """To send it."""
        values = spec.model_dump(mode="json", exclude_defaults=True)
        return cls(run=run, spec=canonical(values).decode(), model=model.hex())

    def read_spec(self) -> RunSpec:
        """Raises MessageInvalid."""
        try:
            return RunSpec.model_validate(from_canonical(self.spec.encode()))
        except (NotCanonical, ValidationError, UnicodeEncodeError) as error:
            raise MessageInvalid(f"A run was proposed whose settings are none: {error}") from error


class Reply(Message):
    """Whether a site takes part. `why`: the reason where it does not."""

    run: RunId
    takes_part: bool
    why: Annotated[str, StringConstraints(max_length=500)] = ""


class Start(Message):
    """Who takes part; none: the run does not take place."""

    run: RunId
    members: Annotated[tuple[Hash, ...], Field(max_length=MAX_CLIENTS)]


@dataclass(frozen=True)
class AgreedRun:
    """A run whose members know each other."""

    run: str
    spec: RunSpec
    model: bytes
    """The initial model's digest."""
    members: tuple[KeyId, ...]
    """In the order of their keys, which is that of the parts."""

    @property
    def base(self) -> Base:
        """No server has made it."""
        return Base(self.run, 0, 0, self.model)

    def part_of(self, member: KeyId) -> int:
        """Which part of the data a member has."""
        return self.members.index(member)


def in_order(members: set[KeyId]) -> tuple[KeyId, ...]:
    """By their keys."""
    return tuple(sorted(members, key=lambda member: member.digest))


def impossible(spec: RunSpec) -> str | None:
    """Why a run cannot be one of the mesh, at any site; None: it can."""
    if spec.app is not None:
        return "it is one of another Flower app, whose models only its own strategy can average"
    if spec.secure_aggregation is not None:
        return "it has secure aggregation, and over the mesh others see each node's model"
    if spec.strategy not in AVERAGED:
        return f"its strategy is {spec.strategy}, and the mesh averages as {' and '.join(AVERAGED)} do"
    return None
