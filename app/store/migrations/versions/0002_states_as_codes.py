"""What a run was told, what it waits for and why it ended, as codes beside the words."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns, and fill in what the recovery and the page read: until now they read the words."""
    op.add_column("runs", sa.Column("pending", sa.Text()))
    op.add_column("runs", sa.Column("waiting_for", sa.JSON()))
    op.add_column("runs", sa.Column("cause", sa.Text()))
    op.execute("UPDATE runs SET pending = 'stopping' WHERE reason = 'stopping'")
    op.execute("UPDATE runs SET cause = 'request' WHERE state = 'stopped'")
    op.add_column("client_rounds", sa.Column("lost", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE client_rounds SET lost = TRUE WHERE error LIKE '%was lost%'")
