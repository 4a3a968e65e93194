"""Enrolment while no server runs: a command opens the store itself, as a server would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.audit.decided import Decision
from app.audit.log import AuditLog
from app.enrolment.enrolment import Enrolment
from app.store.store import Store
from app.store.urls import default_url
from shared.errors import StoreUnavailable
from shared.security.keys import KeyPair
from shared.security.server_identity import KEYS, SERVER_KEY
from shared.variables import setting

STORE_VARIABLE = "FEDLOOM_STORE"

BY = "a command, while no server ran"


@dataclass(frozen=True)
class Deciding:
    """Decisions on who may join; each is entered in the audit log of the server that does not run."""

    enrolment: Enrolment
    _store: Store
    _audit: AuditLog

    def enter(self, decision: Decision) -> None:
        """What was decided stands in the log when this returns. Raises StoreUnavailable."""
        self._audit.decided(decision, by=BY)
        batch = self._audit.batch(self._audit.recorded)
        self._store.apply((), batch)
        self._audit.keep(batch)


@contextmanager
def enrolment_in(home: Path, store_url: str | None) -> Iterator[Enrolment]:
    """The enrolment of the server that keeps its files here, to read. Raises StoreUnavailable, also while a
    server elsewhere uses the store."""
    with _store_of(home, store_url) as store:
        yield _enrolment_in(store)


@contextmanager
def deciding_in(home: Path, store_url: str | None) -> Iterator[Deciding]:
    """The same, to decide. Raises StoreUnavailable as well if nothing could be entered in the audit log."""
    with _store_of(home, store_url) as store:
        newest, path = store.audit.newest_checkpoint(), home / KEYS / SERVER_KEY
        key = KeyPair.load_or_make(path) if path.exists() else None
        if newest is None or key is None or newest.signer != key.public.id:
            raise StoreUnavailable(
                "The server in this folder has not been started with this store since it has its key: there "
                "is no audit log of its own in which the decision could be entered. Start it once, or give "
                "the command while it runs."
            )
        yield Deciding(_enrolment_in(store), store, AuditLog.open(store, key))


def _store_of(home: Path, store_url: str | None) -> Store:
    return Store.open(store_url or setting(STORE_VARIABLE) or default_url(home))


def _enrolment_in(store: Store) -> Enrolment:
    return Enrolment(store.enrolment, lambda token: False)
