"""The key that a client's name belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; of clients from before, nobody knows it."""
    op.add_column("clients", sa.Column("key", sa.Text()))
