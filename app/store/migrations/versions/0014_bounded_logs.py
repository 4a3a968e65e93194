"""How much room each line of the log takes, so that the log can be kept within bounds."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column, with what the lines take that are there."""
    op.add_column("logs", sa.Column("size", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE logs SET size = 200 + length(message) + coalesce(length(traceback), 0)")
    op.create_index("ix_logs_source_size", "logs", ["source", "size"])
    op.create_index("ix_logs_time", "logs", ["time"])
