"""Which run a client's numbers are of, and the label counts of each run."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add column and table; of runs from before nobody knows which label counts were theirs."""
    op.add_column("clients", sa.Column("run", sa.Text()))
    op.create_table(
        "client_labels",
        sa.Column("run_id", sa.Text(), primary_key=True),
        sa.Column("client_id", sa.Text(), primary_key=True),
        sa.Column("label_counts", sa.JSON(), nullable=False),
    )
