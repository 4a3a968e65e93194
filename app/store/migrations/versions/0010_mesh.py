"""Which servers have taken up a run, and what was learned of it in the mesh."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column; runs from before had none."""
    op.add_column("runs", sa.Column("mesh", sa.JSON()))
