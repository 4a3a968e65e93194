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
from app.federation.link.mesh_roster import ROSTER
from app.federation.link.server import LinkServer
from app.federation.link.spool import Spool
from app.federation.runs.app_hosts import AppHosts
from app.federation.runs.book import RunBook
from app.federation.runs.history import RunHistory
from app.federation.runs.manager import RunManager
from app.federation.runs.retention import Retention
from app.federation.runs.services import Services
from app.federation.strategies import check_parameters
from app.invitation_file import leave_in_file
from app.local_clients.clients import LocalClients
from app.local_clients.process import Place
from app.outlets import Outlets
from app.records import (
    AppInfo,
    Cause,
    Client,
    LinkAddress,
    RoundUpdate,
    Run,
    RunState,
    Snapshot,
    Status,
)
from app.role_flags import InvitationFile
from app.running_server import RunningServer, Word
from app.settings import ServerSettings
from app.shown_commands import export_command, join_command, join_command_elsewhere
from app.snapshot_runs import snapshot_runs
from app.store.checkpoints import CheckpointStore, best_round
from app.store.log_bounds import LogBounds
from app.store.store import Store
from app.store.urls import default_url, display_url
from app.store.writer import StoreWriter
from app.usage.history import UsageHistory
from dashboard.counters import MachineCounters
from dashboard.monitor import Monitor
from dashboard.reading import Reading
from shared.address import ANY_ADDRESS, Address
from shared.errors import StoreUnavailable
from shared.flower_app import compare
from shared.proto.link_pb2 import AppIdentity, NextKey
from shared.security.key_id import KeyId
from shared.security.next_key import announce
from shared.security.server_identity import ServerIdentity, next_key
from shared.shell import shell_quoted
from shared.version import __version__

KEPT_LOGS = 5_000
SNAPSHOT_LOGS = 500

ENTRY_S = 1.0
"""How long a server waits for its entries in the audit log: the first, before it is ready, and the last."""

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
        self.usage = UsageHistory(self.store.usage)
        self._log_bounds = LogBounds(self.store.log, settings.log_days, settings.log_megabytes)
        self._monitor = Monitor(MachineCounters(settings.home), self._measured)
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
            settings.home / ROSTER,
            self.usage,
        )
        self.local_clients = LocalClients(Place(settings.home, settings.data_dir, settings.app))
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
                superlink=settings.superlink,
            )
        )
        self._retention = Retention(
            self.book.newest_first,
            self.runs.delete,
            self.checkpoints,
            lambda run_id: best_round(self.store.rounds(run_id)),
            settings.keep,
            self.audit.record,
        )
        self.outlets = Outlets(
            settings.webhook,
            settings.trackers,
            str(self.identity.key.public.id),
            self.bus,
            self.store.notices,
            self.book,
            lambda: (self.book.newest_first(), self.registry.snapshot()),
        )

    def start(self) -> None:
        """Listen for clients and begin to work on runs. Raises FedLoomError when the link's port is taken, or
        the Flower app cannot be loaded, or the strategy does not take its parameters."""
        self.audit.on_change(lambda: self.bus.publish(self.audit.status()))
        before = self.store.audit.newest_of_kind(Kind.SERVER_STARTED)
        self.audit.record(Kind.SERVER_STARTED, **self._about())
        self._enter_change_of_key(before)
        self.writer.start()
        self.outlets.start()
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
        if (standing := self.settings.deployment.invitation) is not None:
            self._leave_invitation(standing)
        going_on = self.runs.recover(resume=self.settings.resume == "auto")
        self.runs.start()
        self._monitor.start()
        if self.settings.queue_run:
            self._queue_run(going_on)
        with suppress(StoreUnavailable):  # it says so itself, and goes on trying
            self.writer.flush(ENTRY_S)

    def _leave_invitation(self, standing: InvitationFile) -> None:
        handed = leave_in_file(standing, self.enrolment, self.identity.key.public.id, self.link_address)
        if handed is not None:
            self.audit.decided(Decision.invited(handed), by="the server's start")

    def _measured(self, reading: Reading) -> None:
        """In the monitor's thread, which also does what is to be done every now and then."""
        self.usage.of_server(reading)
        self.link.measures.measure()
        self._log_bounds.hold()
        self._retention.hold()

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

    def drain(self) -> None:
        """Wait for the end of the round that goes on, as long as the settings have it; for `shut_down`."""
        log.info("told to end; Ctrl-C, or being told again, ends the server at once")
        self.runs.drain(self.settings.drain_s)

    def shut_down(self) -> None:
        """Interrupt the run, let the clients go, and write what is left."""
        with ExitStack() as ending:  # in the reverse order, each whatever becomes of the others
            ending.callback(self._word.withdraw)
            ending.callback(self.store.close)
            ending.callback(self._monitor.stop)
            ending.callback(self.auth.stop)
            ending.callback(self.writer.stop)
            ending.callback(self.outlets.stop)
            ending.callback(self.local_clients.stop)
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
                self.writer.flush(ENTRY_S)

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
            join_command=join_command(
                self.link_address,
                {client.id for client in self.registry.snapshot()},
                self._what_clients_run(),
            ),
            export_command=export_command(self.store_url),
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
        return Snapshot(
            seq=seq,
            time=time.time(),
            instance=self.instance,
            status=self.status(),
            **snapshot_runs(self.book, self.store, self.runs.active_id),
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

    @property
    def link_address(self) -> Address:
        """Where the link listens; where that is everywhere, by the name by which people find the page."""
        host, public = self.settings.host, self.settings.deployment.public_url
        return Address(public.host if public and host in ANY_ADDRESS else host, self.link.port)

    def join_command_elsewhere(self, invitation: str, *, mesh: bool = False) -> str:
        """What to type on another machine to join by an invitation. `mesh`: and to take part in the mesh."""
        what = "--app DIR" if self.settings.app is not None else self._what_clients_run()
        return join_command_elsewhere(invitation, what, mesh=mesh)

    def _what_clients_run(self) -> str:
        if self.settings.app is not None:
            return f"--app {shell_quoted(str(self.settings.app.folder))}"
        return f"--dataset {self.dataset_in_hand}"

    @property
    def dataset_in_hand(self) -> str:
        """What the active run trains on; without one, what the page's form begins with."""
        active = self.runs.active_id
        run = self.book.get(active) if active else None
        return run.spec.dataset if run else self.settings.spec.dataset


def _has_key(entry: bytes | None, key: KeyId | None) -> bool:
    """Whether an entry names this key."""
    return entry is not None and Entry.parse(entry).fields["key"] == str(key)
