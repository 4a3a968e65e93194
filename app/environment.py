"""Environment: one object that owns the parts of a server, passed to whoever needs one of them."""

from __future__ import annotations

import time
import uuid

from app.events import EventBus
from app.federation.link_server import LinkServer
from app.federation.registry import ClientRegistry
from app.federation.run_book import RunBook
from app.federation.runs import RunManager
from app.records import LinkAddress, RunState, Snapshot, Status
from app.settings import ServerSettings
from shared.names import DEFAULT_LINK_PORT
from shared.version import __version__

SNAPSHOT_LOGS = 500
SNAPSHOT_ROUNDS = 500
"""A run with more rounds is left out of a snapshot's rounds: whoever needs them asks REST."""


class Environment:
    """The parts of one server: settings, event bus, client registry, link, runs."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.instance = uuid.uuid4().hex
        self.started_at = time.time()
        self.bus = EventBus()
        self.registry = ClientRegistry(self.bus)
        self.link = LinkServer(self.registry, self.bus)
        self.book = RunBook(self.bus)
        self.runs = RunManager(self.book, self.link, self.registry, settings.data_dir)

    def start(self) -> None:
        """Listen for clients and begin to work on runs. Raises FedLoomError when the link's port is taken."""
        self.link.start(self.settings.host, self.settings.link_port)
        self.runs.start()
        if self.settings.queue_run:
            self.runs.submit(self.settings.spec)

    def shut_down(self) -> None:
        """Stop the runs, then let the clients go."""
        self.runs.shut_down()
        self.link.stop()

    def status(self) -> Status:
        """The server at a glance."""
        now = time.time()
        return Status(
            version=__version__,
            instance=self.instance,
            started_at=self.started_at,
            uptime_s=now - self.started_at,
            seq=self.bus.last,
            async_mode=self.settings.async_mode,
            link=LinkAddress(host=self.settings.host, port=self.link.port),
            active_run=self.runs.active_id,
            queued_runs=sum(run.state is RunState.QUEUED for run in self.book.newest_first()),
            clients=self.registry.counts(),
            default_spec=self.settings.spec,
            join_command=self._join_command(),
        )

    def snapshot(self) -> Snapshot:
        """The state as of now. Events after its `seq` may be in it already; they change nothing then."""
        seq = self.bus.last
        runs = self.book.newest_first()
        shown = {run_id for run_id in (runs[0].id if runs else None, self.runs.active_id) if run_id}
        rounds = {run_id: tuple(self.book.rounds(run_id)) for run_id in shown}
        return Snapshot(
            seq=seq,
            time=time.time(),
            instance=self.instance,
            status=self.status(),
            runs=tuple(runs),
            rounds={run_id: known for run_id, known in rounds.items() if len(known) <= SNAPSHOT_ROUNDS},
            clients=tuple(self.registry.snapshot()),
            logs=tuple(self.bus.logs()[-SNAPSHOT_LOGS:]),
        )

    def _join_command(self) -> str:
        taken = {client.id for client in self.registry.snapshot()}
        number = next(n for n in range(1, len(taken) + 2) if f"client-{n}" not in taken)
        active = self.runs.active_id
        run = self.book.get(active) if active else None
        dataset = run.spec.dataset if run else self.settings.spec.dataset
        command = f"python run_client.py --client-id client-{number} --dataset {dataset}"
        host, port = self.settings.host, self.link.port
        if self.settings.on_loopback and port == DEFAULT_LINK_PORT:
            return command
        return f"{command} --server {host if self.settings.on_loopback else '<this-host>'}:{port}"
