"""How an app calls its rounds, and its numbers by stage."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; rounds of before have none of it."""
    op.add_column("rounds", sa.Column("label", sa.Text()))
    for table, column in (("rounds", "metrics"), ("client_rounds", "stages")):
        op.add_column(table, sa.Column(column, sa.JSON()))
        op.execute(f"UPDATE {table} SET {column} = '{{}}'")
