"""Notices that wait to be sent to the webhook."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table, empty."""
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("time", sa.Double(), nullable=False),
        sa.Column("notice", sa.JSON(), nullable=False),
    )
