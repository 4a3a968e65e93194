"""A server, as far as the calls of Flower's control API need one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.audit.log import AuditLog
from app.event_bus import EventBus
from app.federation.runs import app_compatibility
from app.federation.runs.book import RunBook
from app.records import LogRecord, Run, RunState
from app.settings import ServerSettings
from app.store.store import Store
from app.store.urls import default_url
from app.store.writer import StoreWriter
from shared.errors import IllegalTransition
from shared.flower_app import read_app
from shared.run_spec import RunSpec
from tests.support.apps import APPS
from tests.support.audit import a_log
from tests.support.records import a_run

APP = APPS / "quickstart-numpy"


@dataclass
class ControlServer:
    """What the calls need of a server's Environment; `runs` is all of a RunManager that they use."""

    settings: ServerSettings
    bus: EventBus
    book: RunBook
    store: Store
    writer: StoreWriter
    started_at: float = field(default_factory=time.time)
    audit: AuditLog = field(default_factory=a_log)

    @property
    def runs(self) -> ControlServer:
        return self

    def submit(self, spec: RunSpec) -> Run:
        spec = app_compatibility.fitted(spec, self.settings.app)
        run = a_run(f"{0xFFFFFFF0 + len(self.book.newest_first()):08x}", spec=spec)
        self.book.add(run)
        return run

    def stop(self, run_id: str) -> Run:
        if self.book.run(run_id).state is RunState.STOPPED:
            raise IllegalTransition(f"Run {run_id} cannot be stopped: it is stopped already.")
        return self.book.update(run_id, state=RunState.STOPPED)

    def status(self) -> Any:
        return SimpleNamespace(join_command="python run_client.py", export_command="python -m app.export")

    def log(self, message: str, run_id: str | None, **fields: Any) -> None:
        known = {"level": "info", "source": "server", "logger": "x"}
        self.bus.publish(LogRecord(message=message, run_id=run_id, **{**known, **fields}))


@contextmanager
def control_server(home: Path) -> Iterator[ControlServer]:
    """One that was started with APP, for at least three clients."""
    bus = EventBus()
    store = Store.open(default_url(home))
    writer = StoreWriter(store, bus, lambda: (), a_log())
    writer.start()
    app = read_app(APP)
    settings = ServerSettings(home=home, app=app, spec=RunSpec(app=app.name, min_clients=3, num_rounds=9))
    try:
        yield ControlServer(settings, bus, RunBook(bus), store, writer)
    finally:
        writer.stop()
        store.close()
