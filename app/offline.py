"""Enrolment while no server runs: a command opens the store itself, as a server would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.enrolment.enrolment import Enrolment
from app.store.store import Store
from app.store.urls import default_url

STORE_VARIABLE = "FEDLOOM_STORE"


@contextmanager
def enrolment_in(home: Path, store_url: str | None) -> Iterator[Enrolment]:
    """The enrolment of the server that keeps its files here. Raises StoreUnavailable, also while a server
    elsewhere uses the store."""
    with Store.open(store_url or os.environ.get(STORE_VARIABLE) or default_url(home)) as store:
        yield Enrolment(store.enrolment, lambda token: False)
