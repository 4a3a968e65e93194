"""The audit log in the database: entries, checkpoints and cosignatures, written together with the events."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, select

from app.store.database import Database
from app.store.models import AuditCheckpointRow, AuditCosignatureRow, AuditEntryRow, AuditLogRow
from app.store.rows import table_of
from app.store.statements import insert_new
from shared.security.checkpoint import LOG_ID_BYTES, Checkpoint
from shared.security.key_id import KeyId

LOG = table_of(AuditLogRow)
ENTRIES = table_of(AuditEntryRow)
CHECKPOINTS = table_of(AuditCheckpointRow)
COSIGNATURES = table_of(AuditCosignatureRow)

PAGE = 1_000
"""Entries that are read at once, where all are wanted."""


@dataclass(frozen=True)
class Cosignature:
    """A client with this key has seen the checkpoint of this size and time."""

    client_id: str
    key: KeyId
    size: int
    time: int
    signature: bytes


@dataclass(frozen=True)
class AuditBatch:
    """What the audit log gains in one transaction: entries from number `first` on, as (kind, bytes), with the
    checkpoint that covers them, and cosignatures of checkpoints before."""

    first: int = 0
    entries: Sequence[tuple[str, bytes]] = ()
    checkpoint: Checkpoint | None = None
    cosignatures: Sequence[Cosignature] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.entries or self.cosignatures)


NOTHING_NEW = AuditBatch()


class AuditReader:
    """Reads the audit log of a store. All methods raise StoreUnavailable when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def log_id(self) -> bytes | None:
        """What tells this log from others; None: no server has kept one here."""
        with self._database.reading() as connection:
            found: bytes | None = connection.scalar(select(LOG.c.log))
        return found

    def size(self) -> int:
        """How many entries there are."""
        with self._database.reading() as connection:
            newest: int | None = connection.scalar(select(func.max(ENTRIES.c.number)))
        return 0 if newest is None else newest + 1

    def entries(self, first: int, limit: int) -> list[bytes]:
        """Entries from number `first` on, in order."""
        wanted = (
            select(ENTRIES.c.entry).where(ENTRIES.c.number >= first).order_by(ENTRIES.c.number).limit(limit)
        )
        return self._entries(wanted)

    def entries_before(self, number: int, limit: int) -> list[bytes]:
        """The newest entries before a number, newest first."""
        wanted = (
            select(ENTRIES.c.entry)
            .where(ENTRIES.c.number < number)
            .order_by(ENTRIES.c.number.desc())
            .limit(limit)
        )
        return self._entries(wanted)

    def all_entries(self) -> Iterator[bytes]:
        """Every entry, in order; those that are written meanwhile as well."""
        first = 0
        while page := self.entries(first, PAGE):
            yield from page
            first += len(page)

    def of_kind(self, kind: str) -> list[bytes]:
        """All entries of a kind, in order."""
        wanted = select(ENTRIES.c.entry).where(ENTRIES.c.kind == kind).order_by(ENTRIES.c.number)
        return self._entries(wanted)

    def newest_of_kind(self, kind: str) -> bytes | None:
        """The last entry of a kind; None: there is none."""
        of_kind = select(ENTRIES.c.entry).where(ENTRIES.c.kind == kind)
        found = self._entries(of_kind.order_by(ENTRIES.c.number.desc()).limit(1))
        return found[0] if found else None

    def newest_checkpoint(self) -> Checkpoint | None:
        """The last that was signed."""
        newest_first = CHECKPOINTS.c.size.desc(), CHECKPOINTS.c.time.desc()
        wanted = select(CHECKPOINTS).order_by(*newest_first).limit(1)
        found = self._checkpoints(wanted)
        return found[0] if found else None

    def checkpoints(self, above: int, up_to: int) -> list[Checkpoint]:
        """Those of so many entries, in order."""
        wanted = (
            select(CHECKPOINTS)
            .where(CHECKPOINTS.c.size > above, CHECKPOINTS.c.size <= up_to)
            .order_by(CHECKPOINTS.c.size, CHECKPOINTS.c.time)
        )
        return self._checkpoints(wanted)

    def cosignatures(self, above: int, up_to: int) -> list[Cosignature]:
        """Those of checkpoints of so many entries, in order."""
        wanted = (
            select(COSIGNATURES)
            .where(COSIGNATURES.c.size > above, COSIGNATURES.c.size <= up_to)
            .order_by(COSIGNATURES.c.size, COSIGNATURES.c.time, COSIGNATURES.c.key)
        )
        with self._database.reading() as connection:
            return [_cosignature(row) for row in connection.execute(wanted).mappings()]

    def newest_cosignatures(self) -> list[Cosignature]:
        """Of each key the last."""
        newest = (
            select(COSIGNATURES.c.key, func.max(COSIGNATURES.c.size).label("size"))
            .group_by(COSIGNATURES.c.key)
            .subquery()
        )
        same = (COSIGNATURES.c.key == newest.c.key) & (COSIGNATURES.c.size == newest.c.size)
        wanted = select(COSIGNATURES).join(newest, same).order_by(COSIGNATURES.c.time)
        with self._database.reading() as connection:
            return [_cosignature(row) for row in connection.execute(wanted).mappings()]

    def _entries(self, wanted: Select[Any]) -> list[bytes]:
        with self._database.reading() as connection:
            found = connection.scalars(wanted)
            # In SQLite, who changes a value can change its type as well: what it is then, its hash tells.
            return [entry if isinstance(entry, bytes) else str(entry).encode() for entry in found]

    def _checkpoints(self, wanted: Select[Any]) -> list[Checkpoint]:
        with self._database.reading() as connection:
            log: bytes = connection.scalar(select(LOG.c.log)) or b""
            return [_checkpoint(log, row) for row in connection.execute(wanted).mappings()]


def make_log_id(connection: Connection) -> bytes:
    """What tells the log of this database from others; made if it has none."""
    known: bytes | None = connection.scalar(select(LOG.c.log))
    if known is None:
        known = secrets.token_bytes(LOG_ID_BYTES)
        connection.execute(insert(LOG).values(log=known))
    return known


def write_audit(connection: Connection, batch: AuditBatch) -> None:
    """Within the transaction of what the entries tell of. Doing it twice is the same as doing it once."""
    entries = [
        {"number": number, "kind": kind, "entry": entry}
        for number, (kind, entry) in enumerate(batch.entries, batch.first)
    ]
    insert_new(connection, ENTRIES, entries)
    if (checkpoint := batch.checkpoint) is not None:
        row = {
            "size": checkpoint.size,
            "time": checkpoint.time,
            "root": checkpoint.root,
            "signer": str(checkpoint.signer),
            "signature": checkpoint.signature,
        }
        insert_new(connection, CHECKPOINTS, [row])
    cosignatures = [
        {
            "size": each.size,
            "time": each.time,
            "key": str(each.key),
            "client_id": each.client_id,
            "signature": each.signature,
        }
        for each in batch.cosignatures
    ]
    insert_new(connection, COSIGNATURES, cosignatures)


def _checkpoint(log: bytes, row: RowMapping) -> Checkpoint:
    return Checkpoint(
        log=log,
        size=row["size"],
        root=row["root"],
        time=row["time"],
        signer=KeyId.parse(row["signer"]),
        signature=row["signature"],
    )


def _cosignature(row: RowMapping) -> Cosignature:
    return Cosignature(row["client_id"], KeyId.parse(row["key"]), row["size"], row["time"], row["signature"])
