"""What was decided of clients' replies."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"


def upgrade() -> None:
    """Add the table, and the column; of replies from before, nothing was decided."""
    op.create_table(
        "verdicts",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, primary_key=True),
        sa.Column("run_id", sa.Text()),
        sa.Column("round", sa.BigInteger()),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text()),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text()),
        sa.Column("time", sa.Double(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger()),
        sa.Column("skeleton_digest", sa.Text()),
        sa.Column("arrays_digest", sa.Text()),
        sa.Column("base_digest", sa.Text()),
        sa.Column("signature", sa.Text()),
        sa.Column("receipt", sa.Text()),
    )
    op.create_index("ix_verdicts_run_id_seq", "verdicts", ["run_id", "seq"])
    op.create_index("ix_verdicts_client_id_seq", "verdicts", ["client_id", "seq"])
    op.add_column("client_rounds", sa.Column("verdict", sa.Text()))
