"""Environment: one object that owns the parts of a server, passed to whoever needs one of them."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from app.audit.decided import Decision
from app.audit.entry import Entry, Kind
from app.audit.log import AuditLog
from app.audit.refusals import RefusalEntries
from app.audit.updates import UPDATES, UpdateFiles
from app.auth.authentication import Authentication
from app.enrolment.enrolment import Enrolment
from app.event_bus import EventBus
from app.federation.link.clients import ClientRegistry, shown_clients
from app.federation.link.server import LinkServer
from app.federation.link.spool import Spool
from app.federation.runs.app_hosts import AppHosts
from app.federation.runs.book import RunBook
from app.federation.runs.history import RunHistory
from app.federation.runs.manager import RunManager
from app.federation.runs.services import Services
from app.federation.strategies import check_parameters
from app.records import AppInfo, Cause, Client, LinkAddress, RoundUpdate, Run, RunState, Snapshot, Status
from app.running_server import RunningServer, Word
from app.settings import ServerSettings
from app.store.checkpoints import CheckpointStore
from app.store.store import Store
from app.store.urls import default_url, display_url
from app.store.writer import StoreWriter
from shared import paths
from shared.address import ANY_ADDRESS, Address
from shared.errors import StoreUnavailable
from shared.flower_app import compare
from shared.names import DEFAULT_LINK_PORT
from shared.proto.link_pb2 import AppIdentity, NextKey
from shared.security.key_id import KeyId
from shared.security.next_key import announce
from shared.security.server_identity import ServerIdentity, next_key
from shared.shell import shell_quoted
from shared.version import __version__

KEPT_LOGS = 5_000
SNAPSHOT_LOGS = 500
SNAPSHOT_ROUNDS = 500
"""A run with more rounds is left out of a snapshot's rounds: whoever needs them asks REST."""

GOODBYE_S = 1.0
"""How long the end of a server waits for its last entry in the audit log."""

FOUND_BY_DEFAULT = frozenset({"127.0.0.1", "localhost"})
"""Hosts at which a client of this machine looks by itself."""

log = logging.getLogger(__name__)


class Environment:
    """The parts of one server: settings, store, event bus, client registry, link, runs."""

    def __init__(self, settings: ServerSettings) -> None:
        """Open the store. Raises StoreUnavailable."""
        self.settings = settings
        self._is_started = False
        self.instance = uuid.uuid4().hex
        self.started_at = time.time()
        self._word = Word(settings.home)
        self._next_key: KeyId | None = None
        self._page_refusals: list[Callable[[], dict[str, int]]] = []
        self.store_url = settings.store or default_url(settings.home)
        self.store = Store.open(self.store_url)  # first: it makes sure that no other server is at work here
        try:
            self.checkpoints = CheckpointStore(settings.home / "checkpoints")
            self.identity = ServerIdentity.load_or_make(settings.home)
            self.audit = AuditLog.open(self.store, self.identity.key)
            self.auth = Authentication(self.store.accounts, settings.home, ask_everybody=settings.auth)
            self.enrolment = Enrolment(self.store.enrolment, self.identity.is_invited)
        except BaseException:
            self.store.close()
            raise
        self.login_refusals = RefusalEntries(self.audit, Kind.LOGIN_REFUSED)
        self.bus = EventBus(first_seq=self.store.last_seq() + 1, logs=self.store.logs(limit=KEPT_LOGS))
        self.writer = StoreWriter(self.store, self.bus, self._everything, self.audit)
        self.registry = ClientRegistry(self.bus, shown_clients(self.store.clients(), self.enrolment))
        self.link = LinkServer(
            self.registry,
            self.bus,
            settings.app.identity() if settings.app else None,
            self._app_objection,
            Spool(settings.home / "spool"),
            self.identity,
            self.enrolment,
            self.audit,
            self.store.sequences(),
        )
        self._app_hosts = AppHosts(settings.app, settings.home) if settings.app else None
        history = RunHistory(self.audit)
        self.book = RunBook(self.bus, reversed(self.store.runs()), self.store.rounds, history)
        self.runs = RunManager(
            Services(
                book=self.book,
                link=self.link,
                registry=self.registry,
                store=self.store,
                writer=self.writer,
                checkpoints=self.checkpoints,
                audit=self.audit,
                server=self.identity.key.public.id,
                updates=UpdateFiles(settings.home / UPDATES),
                data_dir=settings.data_dir,
                app=settings.app,
                app_hosts=self._app_hosts,
            )
        )

    def start(self) -> None:
        """Listen for clients and begin to work on runs. Raises FedLoomError when the link's port is taken, or
        the Flower app cannot be loaded, or the strategy does not take its parameters."""
        self.audit.on_change(lambda: self.bus.publish(self.audit.status()))
        before = self.store.audit.newest_of_kind(Kind.SERVER_STARTED)
        self.audit.record(Kind.SERVER_STARTED, **self._about())
        self._enter_change_of_key(before)
        self.writer.start()
        self.auth.start()
        self._is_started = True
        for run in self.book.newest_first():
            if run.cause is Cause.RECORD:
                log.warning("run %s: %s", run.id, run.reason, extra={"run_id": run.id})
        # Whatever is wrong is said now, not in the first run.
        if self._app_hosts is not None:
            self._app_hosts.check()
        else:
            check_parameters(self.settings.spec)
        port = self.link.start(self.settings.host, self.settings.link_port)
        announced = self.store.audit.newest_of_kind(Kind.NEXT_KEY_ANNOUNCED)
        if (notice := self.announce_next_key()) is not None and not _has_key(announced, self._next_key):
            self.audit.decided(Decision.on_next_key(notice), by="the server's start")
        self.identity.invite(self.settings.home, self.settings.host, port)
        going_on = self.runs.recover(resume=self.settings.resume == "auto")
        self.runs.start()
        if self.settings.queue_run:
            self._queue_run(going_on)

    def _queue_run(self, going_on: Sequence[Run]) -> None:
        """Queue the command's run, unless the server was started again by it and has one to go on with."""
        if going_on:
            ids = ", ".join(run.id for run in going_on)
            log.info("no further run is queued by --num-rounds: the server goes on with %s", ids)
        else:
            run = self.runs.submit(self.settings.spec)
            self.audit.record(
                Kind.RUN_COMMANDED, run=run.id, command="start", by="the server's command line", address=None
            )

    def answers_at(self, url: str) -> None:
        """The page is served: leave word for the other commands of this user."""
        self._word.leave(RunningServer(url, self.auth.page_key))

    @property
    def next_key(self) -> KeyId | None:
        """The key that will take the place of the server's, as clients are told; None: none."""
        return self._next_key

    def announce_next_key(self) -> NextKey | None:
        """Tell clients of the next key in the server's folder, if there is one. Returns what they are told if
        they were not told before. Raises KeyUnusable."""
        following = next_key(self.settings.home)
        if following is None or following.public.id == self._next_key:
            return None
        self._next_key = following.public.id
        notice = announce(self.identity.key, following.public)
        self.link.announce(notice)
        return notice

    def _enter_change_of_key(self, before: bytes | None) -> None:
        """`before`: the entry of the start before this one."""
        key = self.identity.key.public.id
        if before is not None and not _has_key(before, key):
            self.audit.record(Kind.KEY_CHANGED, before=Entry.parse(before).fields["key"], key=str(key))

    def shut_down(self) -> None:
        """Interrupt the run, let the clients go, and write what is left."""
        with ExitStack() as ending:  # in the reverse order, each whatever becomes of the others
            ending.callback(self._word.withdraw)
            ending.callback(self.store.close)
            ending.callback(self.auth.stop)
            ending.callback(self.writer.stop)
            ending.callback(self.link.stop)
            ending.callback(self._say_goodbye)
            if self._app_hosts is not None:
                ending.callback(self._app_hosts.close)
            ending.callback(self.runs.shut_down)

    def _say_goodbye(self) -> None:
        """Enter that this is the end, and have the clients witness it, if the store keeps it in time."""
        if self._is_started:
            self.login_refusals.close()
            self.audit.record(Kind.SERVER_STOPPED)
            with suppress(StoreUnavailable):
                self.writer.flush(GOODBYE_S)

    def _about(self) -> dict[str, Any]:
        """This server, as the audit log tells of it."""
        key, app = self.identity.key.public, self.settings.app
        return {
            "version": __version__,
            "log": self.audit.id.hex(),
            "key": str(key.id),
            "public_key": key.der.hex(),
            "app": None if app is None else {"name": app.name, "version": app.version, "digest": app.digest},
            "users": [{"name": user.name, "role": user.role} for user in self.auth.accounts.users()],
            "tokens": [
                {"id": token.id, "label": token.label, "role": token.role, "creator": token.creator}
                for token in self.auth.accounts.tokens()
            ],
        }

    def _everything(self) -> Iterator[Run | RoundUpdate | Client]:
        """What may have changed since this server started."""
        for run in reversed(self.book.newest_first()):
            yield run
            if run.id in self.runs.touched:
                for round_ in self.book.rounds(run.id):
                    yield RoundUpdate(run_id=run.id, round=round_)
        yield from self.registry.snapshot()

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
            refused=self.refused(),
            app=self._app_info(),
            resume=self.settings.resume,
            store=display_url(self.store_url),
            store_problem=self.writer.problem,
            default_spec=self.settings.spec,
            join_command=self._join_command(),
            export_command=self._export_command(),
        )

    def refused(self) -> dict[str, int]:
        """How often somebody was not let in, at the link or the page, by the reason's code."""
        counts = {**self.enrolment.refused(), **self.link.refused()}
        for of_page in self._page_refusals:
            counts |= of_page()
        return counts

    def count_at_page(self, refusals: Callable[[], dict[str, int]]) -> None:
        """Who is turned away at the page is counted by this, too."""
        self._page_refusals.append(refusals)

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
            audit=self.audit.status(),
        )

    def _app_objection(self, theirs: AppIdentity | None) -> str | None:
        return compare(self.settings.app, theirs)

    def _app_info(self) -> AppInfo | None:
        app = self.settings.app
        if app is None:
            return None
        return AppInfo(
            name=app.name,
            version=app.version,
            digest=app.digest,
            run_config=app.run_config,
            rounds_key=app.rounds_key,
        )

    def _join_command(self) -> str:
        taken = {client.id for client in self.registry.snapshot()}
        number = next(n for n in range(1, len(taken) + 2) if f"client-{n}" not in taken)
        command = f"python run_client.py --client-id client-{number} {self._what_clients_run()}"
        host, port = self.settings.host, self.link.port
        if host in FOUND_BY_DEFAULT and port == DEFAULT_LINK_PORT:
            return command
        return f"{command} --server {Address('<this-host>' if host in ANY_ADDRESS else host, port)}"

    @property
    def link_address(self) -> Address:
        """Where the link listens."""
        return Address(self.settings.host, self.link.port)

    def join_command_elsewhere(self, invitation: str) -> str:
        """What to type on another machine to join by an invitation."""
        what = "--app DIR" if self.settings.app is not None else self._what_clients_run()
        return f"python run_client.py --client-id NAME {what} --invite {shell_quoted(invitation)}"

    def _export_command(self) -> str:
        if self.store_url == default_url(paths.home_dir()):
            return "python -m app.export"
        return f"python -m app.export --store {shell_quoted(display_url(self.store_url))}"

    def _what_clients_run(self) -> str:
        if self.settings.app is not None:
            return f"--app {shell_quoted(str(self.settings.app.folder))}"
        active = self.runs.active_id
        run = self.book.get(active) if active else None
        return f"--dataset {run.spec.dataset if run else self.settings.spec.dataset}"


def _has_key(entry: bytes | None, key: KeyId | None) -> bool:
    """Whether an entry names this key."""
    return entry is not None and Entry.parse(entry).fields["key"] == str(key)
