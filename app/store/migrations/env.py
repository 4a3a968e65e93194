"""Alembic's way in: runs the migrations in the transaction that `app.store.schema` began."""

from __future__ import annotations

from alembic import context

from app.store.models import Base
from app.store.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
