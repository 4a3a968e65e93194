"""Rounds, and each client's part in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import BaseModel, Field

from app.records.base import Record
from app.records.spread import Spread, spreads
from app.records.verdicts import Verdict


class ClientRound(Record):
    """One client's part in one round."""

    train_loss: float | None = None
    loss: float | None = None
    accuracy: float | None = None
    samples: int | None = Field(default=None, description="that it has trained on")
    held_out: int | None = Field(
        default=None, description="samples that its loss and accuracy were measured on; null: it has not told"
    )
    train_s: float | None = None
    evaluate_s: float | None = None
    late: bool = Field(default=False, description="it had not answered when the round's time was over")
    lost: bool = Field(default=False, description="it went away before it had answered, as `error` says")
    verdict: Verdict | None = Field(
        default=None,
        description="of its newest reply, and `declined` while `error` says why; null: there was none yet",
    )
    epsilon: float | None = Field(
        default=None,
        description="what was spent of its data set's privacy so far, over all runs, by its own word; null: "
        "the run has no differential privacy, or it has not trained",
    )
    epsilon_of_run: float | None = Field(default=None, description="the same in this run alone")
    epsilon_budget: float | None = Field(
        default=None, description="the most that its site spends; null: it has said no limit"
    )
    metrics: dict[str, float] = Field(
        default_factory=dict, description="all numbers in the replies of another Flower app's client"
    )
    stages: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="the same by stage: the type of the message, numbered where it came again in the round",
    )
    error: str | None = None

    def numbers(self) -> dict[str, float]:
        """What it has told, by the names that the page's charts have: `loss`, or `evaluate/auc` of an app."""
        return numbers_of({name: getattr(self, name) for name in SPREAD_OF}, self.stages)


SPREAD_OF = ("train_loss", "loss", "accuracy", "epsilon", "train_s", "evaluate_s")
"""The numbers of a client's part whose spread is told."""


def numbers_of(
    known: Mapping[str, float | None], stages: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """The numbers of a part, by name: those of SPREAD_OF that are `known`, and an app's own."""
    own = {f"{stage}/{name}": value for stage, told in stages.items() for name, value in told.items()}
    return {name: value for name, value in {**known, **own}.items() if value is not None}


FEW_CLIENTS = 12
"""So many are drawn one by one; of a round with more, the spread is told as well."""


class Round(Record):
    """One round; round 0 is the evaluation of the initial model."""

    round: int
    label: str | None = Field(
        default=None, description="the app's own number of this round, where it is another than `round`"
    )
    complete: bool = False
    train_loss: float | None = Field(
        default=None, description="mean of the clients', weighted by their samples"
    )
    loss: float | None = Field(default=None, description="of the global model on the server's test set")
    accuracy: float | None = Field(default=None, description="of the global model on the server's test set")
    client_loss: float | None = Field(
        default=None, description="weighted mean of the clients' own evaluation"
    )
    client_accuracy: float | None = Field(
        default=None, description="weighted mean of the clients' own evaluation"
    )
    class_accuracy: tuple[float | None, ...] | None = Field(
        default=None, description="of the global model on the test set, by label; null: no sample of it"
    )
    confusion: tuple[tuple[int, ...], ...] | None = Field(
        default=None, description="samples of the test set by label (row) and predicted label (column)"
    )
    clients: int = Field(default=0, description="clients whose update was aggregated")
    epsilon: float | None = Field(
        default=None, description="spent when the round's model was made, as the run's `privacy` says"
    )
    metrics: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="of another Flower app, by stage and name: every number of the clients' replies, as the "
        "app's strategy aggregated it or else as mean weighted by samples; stage `server`: what its "
        "ServerApp computed of the global model",
    )
    sent_bytes: int | None = Field(
        default=None,
        description="that the server's link has sent while the round went on, in frames, before TLS; null: "
        "it is not complete, or nobody counted them",
    )
    received_bytes: int | None = Field(default=None, description="that it has received, likewise")
    started_at: float
    duration_s: float | None = None
    per_client: dict[str, ClientRound] = Field(default_factory=dict)
    spread: dict[str, Spread] = Field(
        default_factory=dict,
        description="how the clients' numbers lie, by name (`accuracy`, or `evaluate/auc` of an app): of a "
        f"complete round with more than {FEW_CLIENTS} clients, whether or not `per_client` has them all",
    )
    unreadable: str | None = Field(
        default=None, description="what of its record cannot be read, in words, and is not shown here"
    )

    def with_part(self, client_id: str, part: ClientRound) -> Self:
        """The round with a client's part in place of the one before.

        Nothing is looked through again: the parts are records already, and a round may have a thousand.
        """
        return BaseModel.model_copy(self, update={"per_client": {**self.per_client, client_id: part}})

    def with_spread(self) -> Self:
        """The round as it is told to others: with the spread of its clients' numbers, if it is complete and
        they are many."""
        if not self.complete or self.spread or len(self.per_client) <= FEW_CLIENTS:
            return self
        values: dict[str, list[float]] = defaultdict(list)
        for part in self.per_client.values():
            for name, value in part.numbers().items():
                values[name].append(value)
        return BaseModel.model_copy(self, update={"spread": spreads(values)})


def told(rounds: Iterable[Round]) -> tuple[Round, ...]:
    """Rounds as others are told of them: with spreads."""
    return tuple(round_.with_spread() for round_ in rounds)


class RoundUpdate(Record):
    run_id: str
    round: Round
