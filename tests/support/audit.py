"""Audit logs as tests need them."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from app.audit.entry import Kind
from app.audit.file import export_lines
from app.audit.log import AuditLog
from app.store.audit import Cosignature
from app.store.store import Store
from shared.security.keys import KeyPair
from shared.security.merkle import LogTree

LOG_ID = bytes(range(16))


def a_key(whose: str = "server") -> KeyPair:
    """Somebody's key, the same in all of a process: to make one takes a while."""
    return _key(whose)


@cache
def _key(whose: str) -> KeyPair:
    return KeyPair.make()


def a_log() -> AuditLog:
    """An empty log, which is kept if a writer takes it."""
    return AuditLog(LOG_ID, a_key(), LogTree())


def begin(log: AuditLog) -> None:
    """As a server begins its log."""
    key = a_key().public
    log.record(
        Kind.SERVER_STARTED,
        version="test",
        log=log.id.hex(),
        key=str(key.id),
        public_key=key.der.hex(),
        app=None,
    )


def write(log: AuditLog, store: Store) -> None:
    """As the writer does it, at once."""
    batch = log.batch(log.recorded)
    store.apply((), batch)
    log.keep(batch)


def cosign(log: AuditLog, client_id: str, **changes: Any) -> None:
    """A client cosigns the newest checkpoint."""
    newest, key = log.newest, a_key(client_id)
    assert newest is not None
    made = {
        "client_id": client_id,
        "key": key.public.id,
        "size": newest.size,
        "time": newest.time,
        "signature": newest.cosign(key),
    }
    log.cosigned(Cosignature(**{**made, **changes}))


def exported(store: Store) -> bytes:
    """The file of a log."""
    return b"".join(export_lines(store.audit, a_key().public))


def opened(data: bytes) -> io.BytesIO:
    """A file with these bytes."""
    return io.BytesIO(data)
