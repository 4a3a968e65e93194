"""What the server's link has carried in each round."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("rounds", sa.Column("sent_bytes", sa.BigInteger()))
    op.add_column("rounds", sa.Column("received_bytes", sa.BigInteger()))
