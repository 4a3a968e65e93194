"""Audit logs as tests need them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.audit.entry import Entry, Kind
from app.audit.file import export_lines
from app.audit.log import AuditLog
from app.store.audit import Cosignature
from app.store.reader import StoreReader
from app.store.store import Store
from app.store.urls import default_url
from shared.security.keys import KeyPair
from shared.security.merkle import LogTree
from shared.security.server_identity import KEYS

LOG_ID = bytes(range(16))

AFTER: Mapping[Kind, set[str]] = MappingProxyType(
    {
        Kind.RUN_QUEUED: {"queued"},
        Kind.RUN_TAKEN_UP: {"queued"},
        Kind.RUN_STARTED: {"waiting", "running"},
        Kind.RUN_PAUSED: {"paused"},
        Kind.RUN_RESUMED: {"waiting", "running"},
    }
)
"""The states in which a run can be after an entry."""


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


def require_agreement(home: Path) -> None:
    """Fail unless log and store of a server that has ended tell the same."""
    with StoreReader.open_to_read(default_url(home)) as store:
        entries = [Entry.parse(data) for data in store.audit.all_entries()]
        newest = store.audit.newest_checkpoint()
        assert newest is not None
        assert newest.size == len(entries), "all that is kept is signed"
        states: dict[str, set[str]] = {}
        rounds: dict[str, set[int]] = {}
        keys: dict[str, str] = {}
        judged: dict[str, list[tuple[str, str]]] = {}
        for entry in entries:
            fields = entry.fields
            match entry.kind:
                case Kind.RUN_ENDED:
                    states[fields["run"]] = {fields["state"]}
                case Kind.ROUND_COMPLETED:
                    rounds.setdefault(fields["run"], set()).add(fields["round"])
                case Kind.UPDATE_JUDGED:
                    judged.setdefault(fields["run"], []).append((fields["message"], fields["verdict"]))
                case Kind.CLIENT_JOINED:
                    keys[fields["client"]] = fields["key"]
                case kind if kind in AFTER:
                    states[fields["run"]] = AFTER[Kind(kind)]
        runs = store.runs()
        assert {run.id for run in runs} == states.keys()
        for run in runs:
            assert run.state in states[run.id], entries
            completed = {round_.round for round_ in store.rounds(run.id) if round_.complete}
            assert completed == rounds.get(run.id, set())
            verdicts = store.verdicts(1_000, run_id=run.id)
            assert [(each.message_id, each.verdict) for each in verdicts] == judged.get(run.id, [])
        assert {client.id: client.key for client in store.clients()} == keys


def exported_from(home: Path) -> bytes:
    """The log of a server that has ended."""
    key = KeyPair.load_or_make(home / KEYS / "server.pem").public
    with StoreReader.open_to_read(default_url(home)) as store:
        return b"".join(export_lines(store.audit, key))
