"""What stands in a ledger: each update that was made of a data set with privacy, and what it costs."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.errors import FedLoomError
from shared.privacy.accounting import Release

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(max_length=200)]


class EntryUnreadable(FedLoomError):
    """A ledger was written by another version of FedLoom, or is that of another data set."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    def to_text(self) -> bytes:
        """As it stands in the file."""
        return self.model_dump_json().encode()

    @classmethod
    def from_text(cls, text: bytes) -> Self:
        """The inverse. Raises EntryUnreadable."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise EntryUnreadable(
                "it was written by a version of FedLoom that this one does not understand"
            ) from error


class Heading(_Kept):
    """The first entry of a ledger, which says of what it is."""

    ledger: Literal[1] = 1
    dataset: Text


class Share(BaseModel):
    """Which samples: one part of a division of the data set, whose parts have no sample in common.

    `division` names all that it follows from, and a hash of what it has come to. Parts of different divisions
    may have samples in common.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    division: Text
    part: Annotated[int, Field(ge=0)]


class Expense(BaseModel):
    """What one private training lets out, and all that its cost follows from.

    `id` names the training with everything that goes into it, the noise included: one that is repeated lets
    out nothing more. `model`: SHA-256 of the model that was trained. `sample_rate`: the probability with
    which each sample is in a step.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    id: Digest
    run: Text
    round: Annotated[int, Field(ge=0)]
    model: Digest
    share: Share
    noise_multiplier: Annotated[float, Field(gt=0)]
    sample_rate: Annotated[float, Field(gt=0, le=1)]
    steps: Annotated[int, Field(ge=0)]
    delta: Annotated[float, Field(gt=0, lt=1)]

    @property
    def release(self) -> Release:
        """As it is accounted for."""
        return Release(self.noise_multiplier, self.sample_rate, self.steps)


class Entry(_Kept):
    """An expense: of which client, when (in seconds since 1970), and under what budget."""

    expense: Expense
    client: Text
    time: float
    budget: Annotated[float, Field(gt=0)] | None
