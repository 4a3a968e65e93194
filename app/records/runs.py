"""Runs: their states, what they wait for, why they ended."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from app.records.base import Record
from app.records.mesh import RunMesh
from app.records.privacy import PrivacySpent
from shared.run_spec import RunSpec


class RunState(StrEnum):
    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Pending(StrEnum):
    """What a run was told to do and has not come to yet."""

    PAUSING = "pausing"
    STOPPING = "stopping"


class WaitKind(StrEnum):
    """What a run can wait for: why a run that is queued or waiting does not train."""

    TURN = "turn"
    """the runs before it"""
    DATA = "data"
    """the data set is loaded"""
    MODEL = "model"
    """the initial model is evaluated on the test set"""
    APP = "app"
    """another Flower app is loaded, computes, or waits by itself"""
    ENGINE = "engine"
    """one of Flower's engines is started, or reached"""
    CLIENTS = "clients"
    """more clients"""
    RETURN = "return"
    """clients that it had before it was cut"""
    REPLIES = "replies"
    """more replies than those can give who are there and in time"""
    RETRY = "retry"
    """a client that comes or goes, or somebody's word, to try a round again that lacked updates"""


class WaitingFor(Record):
    """What holds a run up. `Run.reason` says the same in words."""

    kind: WaitKind
    clients: tuple[str, ...] = Field(default=(), description="ids of those it waits for, where known")
    lost: tuple[str, ...] = Field(default=(), description="those of them that are not connected")
    have: int | None = Field(default=None, description="clients or replies that are there")
    need: int | None = Field(default=None, description="clients or replies that are needed")


class Cause(StrEnum):
    """Why a run was stopped, interrupted or failed."""

    REQUEST = "request"
    """somebody stopped it"""
    SHUTDOWN = "shutdown"
    """the server was shut down"""
    CRASH = "crash"
    """the server ended without shutting down"""
    STORE = "store"
    """nothing could be kept, or read"""
    APP = "app"
    """it belongs to a Flower app that this server does not run"""
    DATA = "data"
    """its data set is not here, and could not be fetched"""
    SHORTAGE = "shortage"
    """the machine had too little memory, room or descriptors"""
    BUDGET = "budget"
    """the privacy budgets of its clients' sites are spent"""
    ROUND = "round"
    """no client returned an update"""
    APP_FAILED = "app-failed"
    """its Flower app raised an error, or the app's process ended"""
    ENGINE = "engine"
    """Flower's engine that carried it has ended, or cannot be reached"""
    RECORD = "record"
    """its record cannot be read by this version, or is damaged; what the store has is left as it is"""
    ERROR = "error"
    """anything else, which `Run.error` may show"""


class Phase(StrEnum):
    TRAINING = "training"
    AGGREGATING = "aggregating"
    EVALUATING = "evaluating"
    QUERYING = "querying"


class RunProgress(Record):
    """How far the current phase of the current round is."""

    phase: Phase
    done: int = Field(description="clients whose reply of this phase has come in")
    total: int = Field(description="clients that were asked")
    since: float


class GlobalScore(Record):
    """The global model on the server's test set."""

    loss: float | None
    accuracy: float | None


class AppInfo(Record):
    """A Flower app, as both ends of the link compare it."""

    name: str
    version: str
    digest: str = Field(description="SHA-256 of the app's files, in hex")
    run_config: dict[str, bool | int | float | str] = Field(
        description="the app's own run config, which a run may override"
    )
    rounds_key: str | None = Field(
        default=None,
        description="the key of `run_config` that `num_rounds` sets; null: the app decides about its rounds",
    )


class RunNotes(Record):
    """What people say of a run. It changes nothing of what the run does."""

    name: str | None = Field(default=None, min_length=1, max_length=80)
    tags: tuple[Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^,]+$")], ...] = Field(
        default=(), max_length=20, description="each once; a comma is between two tags, never in one"
    )
    notes: str | None = Field(default=None, min_length=1, max_length=10_000)


class Run(Record):
    id: str
    state: RunState
    reason: str | None = Field(default=None, description="why it waits, failed or was stopped, in words")
    pending: Pending | None = Field(default=None, description="what it was told and has not come to yet")
    waiting_for: WaitingFor | None = Field(default=None, description="what holds it up")
    cause: Cause | None = Field(default=None, description="why it was stopped, interrupted or failed")
    spec: RunSpec
    round: int = 0
    num_rounds: int | None = Field(description="null: the app does not say")
    progress: RunProgress | None = None
    clients: tuple[str, ...] = Field(default=(), description="ids of the clients that take part")
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    final: GlobalScore | None = Field(default=None, description="the newest global evaluation")
    privacy: PrivacySpent | None = Field(
        default=None, description="what it has cost in privacy; null: nothing that is accounted for"
    )
    mesh: RunMesh | None = Field(
        default=None, description="which servers have taken it up, and what was learned without them"
    )
    error: str | None = Field(default=None, description="traceback of what made it fail")
    classes: tuple[str, ...] = Field(default=(), description="names of the data set's classes, by label")
    can_resume: bool = Field(
        default=False,
        description="an interrupted run that can go on in the round that was cut",
    )
    name: str | None = Field(default=None, description="what people call it")
    tags: tuple[str, ...] = Field(default=(), description="words by which people find it")
    notes: str | None = Field(default=None, description="what people say of it")


class RunGone(Record):
    """A run was deleted."""

    id: str
