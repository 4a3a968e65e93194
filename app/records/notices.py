"""Notices: what somebody who is away is told. `docs/notifications.md` promises these fields to receivers."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field

from app.records.base import Record
from app.records.clients import Client
from app.records.runs import Cause, Run, RunState


class NoticeKind(StrEnum):
    RUN_COMPLETED = "run.completed"
    RUN_STOPPED = "run.stopped"
    RUN_FAILED = "run.failed"
    RUN_INTERRUPTED = "run.interrupted"
    RUN_WAITING = "run.waiting"
    """it has waited for clients, or for their replies, longer than was allowed"""
    BUDGET_NEARLY_SPENT = "privacy.budget-nearly-spent"
    """of a client's site"""
    CLIENT_PENDING = "client.pending"
    """somebody waits to be approved as a client"""
    TEST = "test"
    """an administrator tries whether notices arrive"""


class RunOfNotice(Record):
    """A run as a notice tells of it. Accuracy and loss are the global model's, on the server's test set."""

    id: str
    name: str | None
    state: RunState
    cause: Cause | None
    reason: str | None
    round: int
    num_rounds: int | None
    accuracy: float | None
    loss: float | None
    epsilon: float | None
    created_at: float
    started_at: float | None
    finished_at: float | None

    @classmethod
    def of(cls, run: Run) -> Self:
        """A run as it is."""
        return cls(
            id=run.id,
            name=run.name,
            state=run.state,
            cause=run.cause,
            reason=run.reason,
            round=run.round,
            num_rounds=run.num_rounds,
            accuracy=run.final.accuracy if run.final else None,
            loss=run.final.loss if run.final else None,
            epsilon=run.privacy.epsilon if run.privacy else None,
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.finished_at,
        )


class ClientOfNotice(Record):
    """A client as a notice tells of it; its epsilon is over all runs, by its own word."""

    id: str
    host: str | None = None
    keys: tuple[str, ...] = Field(default=(), description="ids of the keys that wait to be approved")
    epsilon: float | None = None
    epsilon_budget: float | None = None

    @classmethod
    def pending(cls, client: Client, keys: tuple[str, ...]) -> Self:
        """One that waits with these keys."""
        return cls(id=client.id, host=client.host, keys=keys)


class Notice(Record):
    """What is sent, as JSON."""

    id: str = Field(description="the same whenever it is sent again")
    event: NoticeKind
    time: float
    text: str = Field(description="one sentence, for people")
    server: str = Field(description="the id of the server's key")
    run: RunOfNotice | None = None
    client: ClientOfNotice | None = None
