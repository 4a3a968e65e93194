"""What runs and clients have spent under differential privacy."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns; runs from before had none."""
    op.add_column("runs", sa.Column("privacy", sa.JSON()))
    for column in ("epsilon", "epsilon_of_run", "epsilon_budget"):
        op.add_column("client_rounds", sa.Column(column, sa.Double()))
    op.add_column("rounds", sa.Column("epsilon", sa.Double()))
