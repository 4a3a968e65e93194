"""Rounds, and each client's part in them."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field

from app.records.base import Record
from app.records.verdicts import Verdict


class ClientRound(Record):
    """One client's part in one round."""

    train_loss: float | None = None
    loss: float | None = None
    accuracy: float | None = None
    samples: int | None = None
    train_s: float | None = None
    evaluate_s: float | None = None
    late: bool = Field(default=False, description="it had not answered when the round's time was over")
    lost: bool = Field(default=False, description="it went away before it had answered, as `error` says")
    verdict: Verdict | None = Field(default=None, description="of its newest reply; null: there was none yet")
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
    started_at: float
    duration_s: float | None = None
    per_client: dict[str, ClientRound] = Field(default_factory=dict)
    unreadable: str | None = Field(
        default=None, description="what of its record cannot be read, in words, and is not shown here"
    )

    def with_part(self, client_id: str, part: ClientRound) -> Self:
        """The round with a client's part in place of the one before.

        Nothing is looked through again: the parts are records already, and a round may have a thousand.
        """
        return BaseModel.model_copy(self, update={"per_client": {**self.per_client, client_id: part}})


class RoundUpdate(Record):
    run_id: str
    round: Round
