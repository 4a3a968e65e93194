"""The metrics in the built-in ClientApp's replies: written by the client, checked by the server."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self, TypeVar

from flwr.app import ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from shared.errors import ReplyInvalid
from shared.spent import Spent, fields_of

Loss = Annotated[float, Field(ge=-1e30, le=1e30, allow_inf_nan=False)]
Epsilon = Annotated[float, Field(ge=0, le=1e30, allow_inf_nan=False)]
Examples = Annotated[int, Field(ge=1, le=2**53)]
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


_Record = TypeVar("_Record", ArrayRecord, MetricRecord, ConfigRecord)


def records_of(content: RecordDict, kind: type[_Record]) -> dict[str, _Record]:
    """The records of one kind in a message's content, by name.

    As Flower's `content.array_records` and its like, which however tie the content, and with it a model,
    into a cycle of references: it stays in memory until Python happens to collect garbage.
    """
    return {name: record for name, record in content.items() if isinstance(record, kind)}


class ReplyMetrics(BaseModel):
    """What every reply says: how long it took.

    An optional field of a subclass (default None) is a further metric: once declared, it may be in a reply,
    and reaches `app.records.ClientRound.metrics`, the store and the page without another edit. Those in SHOWN
    have a place of their own there.
    """

    SHOWN: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    duration_s: Seconds

    def to_record(self) -> MetricRecord:
        """As Flower carries it."""
        return MetricRecord(self.model_dump(by_alias=True, exclude_none=True))

    def further(self) -> dict[str, float]:
        """The further metrics that are there, by name."""
        names = {name for name, info in type(self).model_fields.items() if not info.is_required()}
        return self.model_dump(include=names - self.SHOWN, exclude_none=True)

    @classmethod
    def from_reply(cls, reply: Message) -> Self:
        """Read a reply's one metric record. Raises ReplyInvalid, naming what is wrong."""
        records = list(records_of(reply.content, MetricRecord).values())
        if len(records) != 1:
            raise ReplyInvalid(f"The reply has {len(records)} metric records, not one.")
        try:
            return cls.model_validate(dict(records[0]))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(map(str, first["loc"]))
            raise ReplyInvalid(f"The reply's metric {name} cannot be used: {first['msg']}.") from None


class Metrics(ReplyMetrics):
    """What most replies say besides: from how many examples their numbers come."""

    num_examples: Annotated[Examples, Field(alias="num-examples")]


class SpendingMetrics(ReplyMetrics):
    """Under differential privacy: what has been spent."""

    SHOWN = frozenset(fields_of(None))

    epsilon: Epsilon | None = None
    """What the client has spent of its data set, over all runs, at this run's delta."""
    epsilon_of_run: Epsilon | None = None
    """The same of this run alone."""
    epsilon_budget: Epsilon | None = None
    """The most that its site spends in all."""

    def spent(self) -> Spent | None:
        """These three; None: nothing."""
        if self.epsilon is None:
            return None
        return Spent(self.epsilon, self.epsilon_of_run, self.epsilon_budget)


class MaskedMetrics(SpendingMetrics):
    """Of training in a run with secure aggregation: all else is masked."""


class TrainMetrics(Metrics, SpendingMetrics):
    """Of training: the mean loss over all batches, and what has been spent.

    In a private run a client does not tell its loss, unless its site allows that.
    """

    SHOWN = frozenset({"train_loss"}) | SpendingMetrics.SHOWN

    train_loss: Annotated[Loss | None, Field(validate_default=True)] = None

    @field_validator("train_loss")
    @classmethod
    def _told_unless_private(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is None and info.data.get("epsilon") is None:
            raise ValueError("it is missing")
        return value


class EvaluateMetrics(ReplyMetrics):
    """Of an evaluation on held-out samples: what came of it, and how many there are, of which the number of
    samples to train on can be told. In a private run only if the client's site allows it."""

    SHOWN = frozenset({"num_examples", "loss", "accuracy"})

    num_examples: Annotated[Examples | None, Field(alias="num-examples")] = None
    loss: Loss | None = None
    accuracy: Annotated[float | None, Field(ge=0, le=1, validate_default=True)] = None

    @field_validator("accuracy")
    @classmethod
    def _both_or_none(cls, value: float | None, info: ValidationInfo) -> float | None:
        if (value is None) != (info.data.get("loss") is None):
            raise ValueError("it and the loss are told both or not at all")
        if value is not None and info.data.get("num_examples") is None:
            raise ValueError("without num-examples nobody knows how much it counts")
        return value
