"""Writes the audit log of a store to a file."""

from __future__ import annotations

import os
from pathlib import Path

from app.audit.entry import Entry, Kind
from app.audit.file import export_lines
from app.store.audit import AuditReader
from app.store.reader import StoreReader
from shared.errors import FedLoomError
from shared.result_file import try_to_write
from shared.security.keys import PublicKey


class NothingToExport(FedLoomError):
    """A store has no audit log."""


def export(store_url: str, path: Path) -> int:
    """Write a file; one that is there is replaced when the new one is complete. Returns how many entries it
    has.

    Raises NothingToExport, StoreUnavailable when the store cannot be read, and OSError when the file cannot
    be written.
    """
    try_to_write(path)
    partial = path.with_name(f".audit-{os.getpid()}")
    with StoreReader.open_to_read(store_url) as store:
        key = server_key(store.audit)
        if key is None:
            raise NothingToExport("The store has no audit log yet: no server has been started with it.")
        try:
            count = 0
            with partial.open("wb") as target:
                for line in export_lines(store.audit, key):
                    target.write(line)
                    count += line.startswith(b'{"entry"')
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    return count


def server_key(reader: AuditReader) -> PublicKey | None:
    """The key of the server that has signed last, as its own log has it; None: there is no log."""
    newest = reader.newest_checkpoint()
    if newest is None:
        return None
    started = [Entry.parse(entry).fields for entry in reader.of_kind(Kind.SERVER_STARTED)]
    keys = (PublicKey(bytes.fromhex(fields["public_key"])) for fields in reversed(started))
    return next((key for key in keys if key.id == newest.signer), None)
