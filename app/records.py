"""What the server knows, in the shape in which REST, Socket.IO and OpenAPI publish it.

All are immutable values: a change makes a new one. Times are Unix seconds (UTC), durations seconds,
accuracies 0 to 1; None means that there is no value yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from shared.run_spec import RunSpec
from shared.text import printable


class Record(BaseModel):
    """Base of all published values. All text in one can be written as UTF-8, whoever made it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _printable(cls, fields: Any) -> Any:
        return _with_printable_text(fields)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, but for text as above; the other values are not checked either."""
        return super().model_copy(update=_with_printable_text(update), deep=deep)

    def changed(self, **changes: Any) -> Self:
        """The record with other values in some fields, checked like one that is read from the store.

        Pydantic's `model_copy` checks nothing: what it lets through may never be read again. Raises
        ValidationError, which is a bug in whoever made the values.
        """
        return type(self).model_validate({**dict(self), **changes})

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Every field is always sent, also one that has a default: all are required in the schema."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["required"] = list(schema["properties"])
        return schema


_HOLDS_TEXT = (str, dict, list, tuple)


def _with_printable_text(value: Any) -> Any:
    """The value, with `printable` text in it; itself where all is so already."""
    if _is_printable(value):
        return value
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {_with_printable_text(key): _with_printable_text(item) for key, item in value.items()}
    return type(value)(map(_with_printable_text, value))


def _is_printable(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() or printable(value) == value
    if isinstance(value, dict):
        return _are_printable(value.keys()) and _are_printable(value.values())
    return not isinstance(value, list | tuple) or _are_printable(value)


def _are_printable(values: Collection[Any]) -> bool:
    """By their types first: a round has the results of all clients, and is copied for each reply."""
    kinds = set(map(type, values))
    if not any(issubclass(kind, _HOLDS_TEXT) for kind in kinds):
        return True
    return (kinds == {str} and "".join(values).isascii()) or all(map(_is_printable, values))


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
    ROUND = "round"
    """no client returned an update"""
    APP_FAILED = "app-failed"
    """its Flower app raised an error, or the app's process ended"""
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
    error: str | None = Field(default=None, description="traceback of what made it fail")
    classes: tuple[str, ...] = Field(default=(), description="names of the data set's classes, by label")
    can_resume: bool = Field(
        default=False,
        description="an interrupted run that can go on in the round that was cut",
    )


class Verdict(StrEnum):
    """What was decided of a client's reply, before anybody used it."""

    ACCEPTED = "accepted"
    """it is from whom it says, answers what was asked, and fits"""
    BAD_SIGNATURE = "bad_signature"
    """it is not what its client signed, or nobody has signed it"""
    UNKNOWN_KEY = "unknown_key"
    """it is signed by another key than that of the client's name"""
    REVOKED = "revoked"
    """it is signed by a key that is not taken any more"""
    REPLAYED = "replayed"
    """it is not newer than one that was accepted, or answers what was answered before"""
    WRONG_ROUND = "wrong_round"
    """it is signed for another run, or another round of it"""
    WRONG_BASE_MODEL = "wrong_base_model"
    """it was made from another model than the one that was sent"""
    LATE = "late"
    """it came when the round had gone on without it"""
    MALFORMED = "malformed"
    """it is genuine, but cannot be read, or does not fit the model"""
    DECLINED = "declined"
    """the client does not do what was asked, by a rule of its site"""


class Judgement(Record):
    """One reply of a client, and what was decided of it.

    All that its client has signed is here, but the public key and the reply's own bytes. Hashes and the
    signature are in hex; null: the reply was not looked at so far.
    """

    run_id: str | None = Field(
        default=None, description="null: it answers nothing, and its client takes part in no run"
    )
    round: int | None = None
    client_id: str
    key: str = Field(description="the id of the key that the client has shown to own, in groups")
    message_id: str
    kind: str | None = Field(default=None, description="the type of the message that it answers")
    verdict: Verdict
    detail: str | None = Field(default=None, description="why it was not accepted, in words")
    time: float = Field(description="when it was decided")
    bytes: int = Field(default=0, description="of the reply")
    sequence: int | None = Field(default=None, description="its number among the client's replies")
    skeleton_digest: str | None = Field(default=None, description="SHA-256 of all of it but the arrays")
    arrays_digest: str | None = Field(default=None, description="SHA-256 of the data of its arrays")
    base_digest: str | None = Field(
        default=None,
        description="SHA-256 of the arrays of the message, that is of the model it was made from",
    )
    signature: str | None = Field(default=None, description="RSA-PSS by the client's key")
    receipt: str | None = Field(default=None, description="the server's signature under its receipt")


class VerdictEntry(Judgement):
    """The same with its place in the sequence of events."""

    seq: int


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


class ClientState(StrEnum):
    IDLE = "idle"
    TRAINING = "training"
    EVALUATING = "evaluating"
    LATE = "late"
    LOST = "lost"


class MembershipState(StrEnum):
    """Whether a key may join under a name."""

    PENDING = "pending"
    """it waits until an administrator approves or rejects it"""
    ADMITTED = "admitted"
    REJECTED = "rejected"
    """an administrator did not want it"""
    REVOKED = "revoked"
    """it was admitted, and is no longer"""


class Member(Record):
    """What was decided on a key: that of one client, under one name."""

    key: str = Field(description="its id, in groups")
    client_id: str
    state: MembershipState
    invitation: str | None = Field(default=None, description="id of the invitation that it came by")
    ephemeral: bool = Field(default=False, description="it is forgotten when it leaves")
    since: float


class InvitationKind(StrEnum):
    ONE_OFF = "one-off"
    """for one client"""
    REUSABLE = "reusable"
    """for any number of clients, or as many as it says"""
    EPHEMERAL = "ephemeral"
    """the same, for clients that are forgotten when they leave"""


class InvitationState(StrEnum):
    OPEN = "open"
    USED_UP = "used-up"
    EXPIRED = "expired"
    REVOKED = "revoked"


class IssuedInvitation(Record):
    """An invitation as the server knows it: without its secret, of which only a hash is kept."""

    id: str
    kind: InvitationKind
    label: str = Field(default="", description="for whom it is, in words")
    max_uses: int | None = Field(default=None, description="clients that may join by it; null: any number")
    uses: int = Field(default=0, description="clients that have joined by it")
    created_at: float
    expires_at: float | None = Field(default=None, description="null: never")
    revoked_at: float | None = None

    def state(self, now: float) -> InvitationState:
        """Whether somebody may join by it."""
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        if self.max_uses is not None and self.uses >= self.max_uses:
            return InvitationState.USED_UP
        if self.expires_at is not None and now >= self.expires_at:
            return InvitationState.EXPIRED
        return InvitationState.OPEN


class ClientProgress(Record):
    """How far a client's current task is."""

    done: int = Field(description="batches")
    total: int = Field(description="batches")
    examples_per_s: float
    loss: float | None = None


class Client(Record):
    id: str
    state: ClientState
    key: str | None = Field(
        default=None, description="the id of its key, in groups; null: it was here before clients had keys"
    )
    membership: MembershipState = Field(
        default=MembershipState.ADMITTED, description="whether it may join with this key"
    )
    waiting_keys: tuple[str, ...] = Field(
        default=(), description="ids of other keys with which somebody asks to join under this name"
    )
    ephemeral: bool = Field(default=False, description="it vanishes from the list when it leaves")
    app: str | None = Field(default=None, description="the Flower app that it runs; null: the built-in one")
    dataset: str
    models: tuple[str, ...]
    samples: int | None = Field(
        default=None, description="training samples in its part, known once it trained"
    )
    label_counts: tuple[int, ...] | None = Field(
        default=None, description="training samples by label; null: not known or kept private"
    )
    partition: int | None = None
    num_partitions: int | None = None
    host: str
    device: str
    connected_at: float
    last_seen: float
    reason: str | None = Field(default=None, description="why it takes no part in the active run")
    round: int | None = None
    late_since: float | None = Field(default=None, description="when the deadline was that it has missed")
    progress: ClientProgress | None = None
    verdict: Verdict | None = Field(default=None, description="of its newest reply; null: there was none yet")
    verdicts: dict[Verdict, int] = Field(default_factory=dict, description="how many of its replies got each")
    train_loss: float | None = None
    loss: float | None = None
    accuracy: float | None = None


LOG_SOURCE = "server"
"""The source of this process's own log records; no client may have this name."""

LogLevel = Literal["debug", "info", "warning", "error"]
LOG_LEVELS: tuple[LogLevel, ...] = ("debug", "info", "warning", "error")


class LogRecord(Record):
    level: LogLevel
    source: str = Field(description='"server" or a client\'s id')
    logger: str
    message: str
    run_id: str | None = None
    traceback: str | None = None


class LogEntry(LogRecord):
    """A log record with its place in the sequence of events."""

    seq: int
    time: float


class RoundUpdate(Record):
    run_id: str
    round: Round


class ClientGone(Record):
    """A client is not on the list any more."""

    id: str


class StoreStatus(Record):
    problem: str | None = Field(description="why nothing can be kept at present, in words; null: all is well")


class AuditWitness(Record):
    """A client that has cosigned a checkpoint of the audit log."""

    client: str
    key: str = Field(description="the id of its key, in groups")
    size: int = Field(description="entries of the newest checkpoint that it has cosigned")
    time: float = Field(description="of that checkpoint")


class AuditStatus(Record):
    """The audit log at a glance: its newest checkpoint, and who has seen it."""

    log: str = Field(description="what tells this log from others, in hex")
    key: str = Field(description="the id of the server's key, which signs the checkpoints, in groups")
    size: int = Field(description="entries, all of which the newest checkpoint covers")
    root: str | None = Field(description="of the tree over them (RFC 9162), in hex; null: there are none yet")
    time: float | None = Field(description="of the newest checkpoint")
    witnesses: tuple[AuditWitness, ...] = Field(description="each with the newest that it has cosigned")


class LinkAddress(Record):
    host: str
    port: int


class ClientCounts(Record):
    connected: int
    lost: int
    pending: int = Field(default=0, description="clients that wait to be approved")


class Status(Record):
    version: str
    instance: str = Field(description="random for each start of the server")
    started_at: float
    uptime_s: float
    seq: int = Field(description="the newest event's number")
    async_mode: Literal["eventlet", "threading"]
    link: LinkAddress
    active_run: str | None
    queued_runs: int
    clients: ClientCounts
    refused: dict[str, int] = Field(
        default_factory=dict,
        description="how often somebody was not let in since the server started, by the reason's code",
    )
    app: AppInfo | None = Field(description="the Flower app that this server runs; null: the built-in one")
    resume: Literal["auto", "never"] = Field(description="what happens to interrupted runs at start")
    store: str = Field(description="where runs are kept, without a password")
    store_problem: str | None = Field(description="why nothing can be kept at present, in words")
    default_spec: RunSpec = Field(description="what the start form begins with")
    join_command: str = Field(description="what to type to join with one more client")
    export_command: str = Field(description="what to type, with a run's id after it, to export the run")


class Snapshot(Record):
    """Everything a page needs to start from nothing, as of event `seq`."""

    seq: int
    time: float
    instance: str
    status: Status
    runs: tuple[Run, ...]
    rounds: dict[str, tuple[Round, ...]]
    clients: tuple[Client, ...]
    logs: tuple[LogEntry, ...]
    audit: AuditStatus
