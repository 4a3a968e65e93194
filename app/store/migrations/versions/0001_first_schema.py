"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("added_seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("num_rounds", sa.BigInteger()),
        sa.Column("clients", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double()),
        sa.Column("finished_at", sa.Double()),
        sa.Column("final", sa.JSON()),
        sa.Column("error", sa.Text()),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.Column("can_resume", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "run_internals",
        sa.Column("run_id", sa.Text(), primary_key=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("num_partitions", sa.BigInteger()),
    )
    op.create_table(
        "run_clients",
        sa.Column("run_id", sa.Text(), primary_key=True),
        sa.Column("client_id", sa.Text(), primary_key=True),
        sa.Column("partition", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "rounds",
        sa.Column("run_id", sa.Text(), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("round", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("train_loss", sa.Double()),
        sa.Column("loss", sa.Double()),
        sa.Column("accuracy", sa.Double()),
        sa.Column("client_loss", sa.Double()),
        sa.Column("client_accuracy", sa.Double()),
        sa.Column("class_accuracy", sa.JSON()),
        sa.Column("confusion", sa.JSON()),
        sa.Column("clients", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("duration_s", sa.Double()),
    )
    op.create_table(
        "client_rounds",
        sa.Column("run_id", sa.Text(), primary_key=True),
        sa.Column("round", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("client_id", sa.Text(), primary_key=True),
        sa.Column("train_loss", sa.Double()),
        sa.Column("loss", sa.Double()),
        sa.Column("accuracy", sa.Double()),
        sa.Column("samples", sa.BigInteger()),
        sa.Column("train_s", sa.Double()),
        sa.Column("evaluate_s", sa.Double()),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.ForeignKeyConstraint(["run_id", "round"], ["rounds.run_id", "rounds.round"], ondelete="CASCADE"),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("app", sa.Text()),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("samples", sa.BigInteger()),
        sa.Column("label_counts", sa.JSON()),
        sa.Column("partition", sa.BigInteger()),
        sa.Column("num_partitions", sa.BigInteger()),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("connected_at", sa.Double(), nullable=False),
        sa.Column("last_seen", sa.Double(), nullable=False),
        sa.Column("train_loss", sa.Double()),
        sa.Column("loss", sa.Double()),
        sa.Column("accuracy", sa.Double()),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("time", sa.Double(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text()),
        sa.Column("data", sa.JSON(), nullable=False),
    )
    op.create_index("ix_events_run_id_seq", "events", ["run_id", "seq"])
    op.create_table(
        "logs",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("time", sa.Double(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("logger", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text()),
        sa.Column("traceback", sa.Text()),
    )
    op.create_index("ix_logs_level_seq", "logs", ["level", "seq"])
    op.create_index("ix_logs_source_seq", "logs", ["source", "seq"])
    op.create_index("ix_logs_run_id_seq", "logs", ["run_id", "seq"])
