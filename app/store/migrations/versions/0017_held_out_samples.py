"""On how many samples each client has evaluated, in each round."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the column."""
    op.add_column("client_rounds", sa.Column("held_out", sa.BigInteger()))
