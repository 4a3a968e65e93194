"""The tables. Columns have the names of the fields of `app.records`, whose values they hold.

What is true only for the moment (how far a phase is, what a client does just now) is not kept.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from shared.text import printable


class Words(TypeDecorator[str]):
    """Text in which two things are replaced that a database may not take, so that no log record is refused.

    NUL becomes its symbol, U+2400; a lone surrogate (half of an undecodable file name) becomes U+FFFD.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """As the database keeps it."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return printable(value.replace("\0", "\u2400"))


class Base(DeclarativeBase):
    """The schema."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Words(),
        int: BigInteger(),
        float: Double(),
        bool: Boolean(),
        bytes: LargeBinary(),
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
    }


class RunRow(Base):
    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(primary_key=True)
    added_seq: Mapped[int] = mapped_column(doc="the event that first told of it; gives the order of runs")
    state: Mapped[str]
    reason: Mapped[str | None]
    pending: Mapped[str | None]
    waiting_for: Mapped[dict[str, Any] | None]
    cause: Mapped[str | None]
    spec: Mapped[dict[str, Any]]
    round: Mapped[int]
    num_rounds: Mapped[int | None]
    clients: Mapped[list[Any]]
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    final: Mapped[dict[str, Any] | None]
    privacy: Mapped[dict[str, Any] | None]
    mesh: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    classes: Mapped[list[Any]]
    can_resume: Mapped[bool]
    name: Mapped[str | None]
    tags: Mapped[list[Any] | None]
    notes: Mapped[str | None]


class RunInternalsRow(Base):
    """What only the server itself needs of a run, and never publishes.

    It may be written before the run, which comes through the writer; hence no foreign key.
    """

    __tablename__ = "run_internals"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    secret: Mapped[bytes]
    num_partitions: Mapped[int | None]


class RunClientRow(Base):
    """Which part of the data each client of a run has got; like `run_internals` without a foreign key."""

    __tablename__ = "run_clients"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int]


class ClientLabelsRow(Base):
    """How many training samples of each label a client had in a run, where it tells that."""

    __tablename__ = "client_labels"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    label_counts: Mapped[list[Any]]


class RoundRow(Base):
    __tablename__ = "rounds"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label: Mapped[str | None]
    complete: Mapped[bool]
    train_loss: Mapped[float | None]
    loss: Mapped[float | None]
    accuracy: Mapped[float | None]
    client_loss: Mapped[float | None]
    client_accuracy: Mapped[float | None]
    class_accuracy: Mapped[list[Any] | None]
    confusion: Mapped[list[Any] | None]
    clients: Mapped[int]
    epsilon: Mapped[float | None]
    metrics: Mapped[dict[str, Any] | None]  # never null: SQLite adds no other column, nor changes it
    sent_bytes: Mapped[int | None]
    received_bytes: Mapped[int | None]
    started_at: Mapped[float]
    duration_s: Mapped[float | None]


class ClientRoundRow(Base):
    __tablename__ = "client_rounds"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "round"], ["rounds.run_id", "rounds.round"], ondelete="CASCADE"),
    )

    run_id: Mapped[str] = mapped_column(primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    train_loss: Mapped[float | None]
    loss: Mapped[float | None]
    accuracy: Mapped[float | None]
    samples: Mapped[int | None]
    held_out: Mapped[int | None]
    train_s: Mapped[float | None]
    evaluate_s: Mapped[float | None]
    epsilon: Mapped[float | None]
    epsilon_of_run: Mapped[float | None]
    epsilon_budget: Mapped[float | None]
    late: Mapped[bool]
    lost: Mapped[bool] = mapped_column(server_default=false())  # rows of before have none
    metrics: Mapped[dict[str, Any]]
    stages: Mapped[dict[str, Any] | None]  # as in RoundRow
    verdict: Mapped[str | None]
    error: Mapped[str | None]


class ClientRow(Base):
    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str | None]
    app: Mapped[str | None]
    dataset: Mapped[str]
    models: Mapped[list[Any]]
    run: Mapped[str | None]
    samples: Mapped[int | None]
    label_counts: Mapped[list[Any] | None]
    partition: Mapped[int | None]
    num_partitions: Mapped[int | None]
    host: Mapped[str]
    device: Mapped[str]
    connected_at: Mapped[float]
    last_seen: Mapped[float]
    train_loss: Mapped[float | None]
    loss: Mapped[float | None]
    accuracy: Mapped[float | None]


class MemberRow(Base):
    """What was decided on a client's key. Written before the client is let in, unlike `clients`."""

    __tablename__ = "members"

    key: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    state: Mapped[str]
    invitation: Mapped[str | None]
    ephemeral: Mapped[bool]
    since: Mapped[float]


class InvitationRow(Base):
    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True, doc="SHA-256, in hex")
    kind: Mapped[str]
    label: Mapped[str]
    max_uses: Mapped[int | None]
    uses: Mapped[int]
    created_at: Mapped[float]
    expires_at: Mapped[float | None]
    revoked_at: Mapped[float | None]


class EventRow(Base):
    """What happened, in short: changes of state of runs and clients, and rounds that were completed."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_run_id_seq", "run_id", "seq"),)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time: Mapped[float]
    type: Mapped[str]
    subject: Mapped[str] = mapped_column(doc="the id of the run or client")
    run_id: Mapped[str | None]
    data: Mapped[dict[str, Any]]


class VerdictRow(Base):
    """What was decided of each reply. No foreign key: some answer nothing that was asked."""

    __tablename__ = "verdicts"
    __table_args__ = (
        Index("ix_verdicts_run_id_seq_bytes", "run_id", "seq", "bytes"),
        Index("ix_verdicts_client_id_seq", "client_id", "seq"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run_id: Mapped[str | None]
    round: Mapped[int | None]
    client_id: Mapped[str]
    key: Mapped[str]
    message_id: Mapped[str]
    kind: Mapped[str | None]
    verdict: Mapped[str]
    detail: Mapped[str | None]
    time: Mapped[float]
    bytes: Mapped[int]
    sequence: Mapped[int | None]
    skeleton_digest: Mapped[str | None]
    arrays_digest: Mapped[str | None]
    base_digest: Mapped[str | None]
    signature: Mapped[str | None]
    receipt: Mapped[str | None]


class LogRow(Base):
    __tablename__ = "logs"
    __table_args__ = (
        Index("ix_logs_level_seq", "level", "seq"),
        Index("ix_logs_source_seq", "source", "seq"),
        Index("ix_logs_run_id_seq", "run_id", "seq"),
        Index("ix_logs_source_size", "source", "size"),
        Index("ix_logs_time", "time"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time: Mapped[float]
    level: Mapped[str]
    source: Mapped[str]
    logger: Mapped[str]
    message: Mapped[str]
    run_id: Mapped[str | None]
    traceback: Mapped[str | None]
    size: Mapped[int] = mapped_column(
        server_default="0", doc="characters, with what a line takes beside them"
    )


class AuditLogRow(Base):
    """One row: what tells this log from every other."""

    __tablename__ = "audit_log"

    log: Mapped[bytes] = mapped_column(primary_key=True)


class AuditEntryRow(Base):
    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_kind", "kind", "number"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(doc="as in the entry, to find it by")
    entry: Mapped[bytes]


class AuditCheckpointRow(Base):
    __tablename__ = "audit_checkpoints"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    signer: Mapped[str]
    signature: Mapped[bytes]


class AuditCosignatureRow(Base):
    """By whom the checkpoint of this size and time was cosigned."""

    __tablename__ = "audit_cosignatures"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str]
    signature: Mapped[bytes]


class UsageMinuteRow(Base):
    """What one node used of its machine in one minute, for a day."""

    __tablename__ = "usage_minutes"
    __table_args__ = (Index("ix_usage_minutes_minute", "minute"),)

    node: Mapped[str] = mapped_column(primary_key=True, doc="a client's id; empty: the server")
    minute: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, doc="since 1970")
    usage: Mapped[dict[str, Any]]


class NoticeRow(Base):
    """A notice that the webhook has not taken yet."""

    __tablename__ = "notices"

    id: Mapped[str] = mapped_column(primary_key=True)
    time: Mapped[float]
    notice: Mapped[dict[str, Any]]


class UserRow(Base):
    __tablename__ = "page_users"

    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    password: Mapped[str] = mapped_column(doc="as scrypt has it")
    created_at: Mapped[float]


class SessionRow(Base):
    """One browser that has logged in. Of its cookie only the hash is kept."""

    __tablename__ = "page_sessions"

    id: Mapped[str] = mapped_column(primary_key=True, doc="SHA-256 of the cookie, in hex")
    user_name: Mapped[str | None]
    key: Mapped[str | None] = mapped_column(
        doc="SHA-256 of the server's key for the page, if it came by that"
    )
    created_at: Mapped[float]
    used_at: Mapped[float]


class TokenRow(Base):
    """What a program shows in place of a password. Only its hash is kept."""

    __tablename__ = "page_tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(doc="SHA-256, in hex")
    label: Mapped[str]
    role: Mapped[str]
    creator: Mapped[str | None] = mapped_column(doc="the user whose role it never exceeds")
    created_at: Mapped[float]
    expires_at: Mapped[float]
