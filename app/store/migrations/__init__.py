"""The steps by which Alembic brings a database to the schema of `app.store.models`."""
