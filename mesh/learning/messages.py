"""Messages between nodes that learn together: canonical JSON, parsed once into what is true of every one.

The mesh has verified who sent them, and that each comes once. Nothing else is believed.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from mesh.learning.base import Base
from mesh.learning.transfers import Outcome
from mesh.node import Content
from shared.canonical import NotCanonical, canonical, from_canonical
from shared.errors import FedLoomError

NEWS = "gossip/news"
SHARE = "gossip/share"
ANSWER = "gossip/answer"
ASK = "gossip/ask"
PARTING = "gossip/parting"
"""Topics."""

MAX_SAMPLES = 10**12
MAX_COUNT = 2**53

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Session = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""A process that takes part, by a number that it has drawn: what it holds ends with it."""
Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Samples = Annotated[int, Field(ge=1, le=MAX_SAMPLES)]


class MessageInvalid(FedLoomError):
    """A message does not say what its topic is for."""


class Message(BaseModel):
    """Any of them. The types are strict: true is no number, and "1" is none."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    def encoded(self) -> bytes:
        """The inverse of `parse`."""
        return canonical(self.model_dump(mode="json"))

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Raises MessageInvalid."""
        try:
            return cls.model_validate_json(canonical(from_canonical(body)))
        except (NotCanonical, ValidationError) as error:
            raise MessageInvalid(f"A peer has sent what is no {cls.__name__}: {error}") from error


class StatedBase(Message):
    """A Base on the way."""

    run: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    generation: Count
    round: Count
    digest: Hash

    @classmethod
    def of(cls, base: Base) -> Self:
        """To send it."""
        return cls(run=base.run, generation=base.generation, round=base.round, digest=base.digest.hex())

    @property
    def base(self) -> Base:
        """As it was before."""
        return Base(self.run, self.generation, self.round, bytes.fromhex(self.digest))


class News(Message):
    """Who takes part: flooded when a round is done, when somebody can be reached again, and now and then;
    sent to who is new."""

    base: StatedBase
    session: Session
    mesh_round: Count
    """Rounds that the sender has done: trained, and handed its shares over."""
    samples: Samples
    """That it trains on."""
    leaving: bool = False
    """It takes no shares any more."""


class Share(Message):
    """A model with its mass: where the bytes are, and what they stand for."""

    news: News
    """Of the sender, which may have missed the receiver."""
    to_session: Session
    number: Count
    mass: Annotated[float, Field(gt=0, le=MAX_SAMPLES)]
    steps: Annotated[float, Field(ge=0, le=MAX_COUNT)]
    root: Hash
    size: Annotated[int, Field(ge=1, le=MAX_COUNT)]

    @property
    def content(self) -> Content:
        """The model's bytes."""
        return Content(bytes.fromhex(self.root), self.size)


class Answer(Message):
    """What became of a share of this session of the receiver's."""

    session: Session
    number: Count
    outcome: Outcome


class Ask(Message):
    """What has become of a share?"""

    session: Session
    to_session: Session
    number: Count


class Parting(Message):
    """The sender sends no more shares to the receiver: it leaves, or it has heard that the receiver does."""

    session: Session
    to_session: Session
    number: Count
    """Its share to the receiver of which it does not know what has become, as in Ask; 0: there is none."""
    is_leaving: bool
