"""What machines are used for."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "usage_minutes",
        sa.Column("node", sa.Text(), primary_key=True),
        sa.Column("minute", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("usage", sa.JSON(), nullable=False),
    )
    op.create_index("ix_usage_minutes_minute", "usage_minutes", ["minute"])
