"""Brings a database to the schema that this FedLoom needs, or says why that cannot be."""

from __future__ import annotations

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from app.store.models import Base
from shared.errors import StoreOutdated, StoreUnavailable

VERSION_TABLE = "fedloom_version"
"""Not Alembic's default, which another program in the same PostgreSQL database may use."""

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, name: str) -> None:
    """Apply all migrations that the database lacks, within the connection's transaction.

    `name`: the database, as messages call it. Raises StoreUnavailable for a database of a newer FedLoom or of
    another program.
    """
    scripts, version = _versions(connection)
    _refuse_newer(scripts, version, name)
    if version is None and (taken := _own_tables(connection)):
        raise StoreUnavailable(
            f"{name} holds tables of another program ({', '.join(taken)}), so FedLoom cannot make its own. "
            "Nothing was changed. Give FedLoom a database of its own."
        )
    # Alembic tells of each step as if it were news for the user.
    logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def require_current(connection: Connection, name: str) -> None:
    """Raise StoreUnavailable unless the database has the schema that this FedLoom reads."""
    if require_store(connection, name) != ScriptDirectory.from_config(_config()).get_current_head():
        raise StoreOutdated(
            f"{name} was written by an older FedLoom. Start the server once with this version: "
            "it brings the store up to date."
        )


def require_store(connection: Connection, name: str) -> str:
    """The schema that a store has, this FedLoom's or an older one.

    Raises StoreUnavailable for what is no store, and for one of a newer FedLoom.
    """
    scripts, version = _versions(connection)
    _refuse_newer(scripts, version, name)
    if version is None:
        raise StoreUnavailable(f"{name} is not a FedLoom store: no server has been started with it.")
    return version


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _versions(connection: Connection) -> tuple[ScriptDirectory, str | None]:
    """The migrations that this FedLoom has, and the one that the database has reached."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return ScriptDirectory.from_config(_config()), context.get_current_revision()


def _refuse_newer(scripts: ScriptDirectory, version: str | None, name: str) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if version is not None and version not in known:
        raise StoreUnavailable(
            f"{name} was written by a newer FedLoom (schema {version}, this one knows {max(known)}). "
            "Nothing was changed. Use the newer version again, or another store."
        )


def _own_tables(connection: Connection) -> list[str]:
    """Tables that are there under the names that FedLoom wants."""
    return sorted(Base.metadata.tables.keys() & set(inspect(connection).get_table_names()))
