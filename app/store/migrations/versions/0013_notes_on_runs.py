"""What people say of runs; and an index from which alone follows how much came in during each."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the columns, and let the index of a run's verdicts hold their bytes as well."""
    op.add_column("runs", sa.Column("name", sa.Text()))
    op.add_column("runs", sa.Column("tags", sa.JSON()))
    op.add_column("runs", sa.Column("notes", sa.Text()))
    op.create_index("ix_verdicts_run_id_seq_bytes", "verdicts", ["run_id", "seq", "bytes"])
    op.drop_index("ix_verdicts_run_id_seq", "verdicts")
