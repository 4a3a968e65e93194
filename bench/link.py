"""FedLoom's end of a benchmark that needs no run: a link, its bookkeeping, and client processes on it."""

from __future__ import annotations

import asyncio
import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from app.audit.log import AuditLog
from app.enrolment.enrolment import Enrolment
from app.event_bus import EventBus
from app.federation.grid.codec import OpenReply, opened
from app.federation.grid.link_grid import LinkGrid
from app.federation.link.clients import ClientRegistry
from app.federation.link.server import LinkServer
from app.federation.link.spool import Spool
from app.federation.rounds.built_in_replies import read_reply
from app.federation.rounds.numbered import NumberedRounds
from app.federation.rounds.results import ReadReply
from app.federation.runs.book import RunBook
from app.federation.runs.history import RunHistory
from app.federation.runs.tracker import RoundTracker
from app.records import Run, RunState
from app.store.store import Store
from app.store.urls import default_url
from app.store.writer import StoreWriter
from bench import echo
from bench.owner import BenchOwner
from client.built_in_app import BuiltInApp
from client.link import ClientIdentity, Link
from client.membership import Membership
from client.runtime import Runtime
from shared.address import Address
from shared.console import configure_logging
from shared.flower import identify_server_task
from shared.proto.link_pb2 import Assignment
from shared.run_spec import RunSpec
from shared.security.keys import KeyPair
from shared.security.server_identity import ServerIdentity

RUN_ID = "bec4"
"""Of the run that the book and the clients hear of; a grid's run id is this number."""

LOOK_S = 0.1


class BenchLink:
    """A server's link as `app.environment` puts it together, listening on `port` of this machine.

    With the store, to which all is written, and the audit log, which the clients witness after each round.
    """

    def __init__(self, folder: Path) -> None:
        """`folder`: for replies that do not fit into memory."""
        self._bus = EventBus()
        self._registry = ClientRegistry(self._bus)
        identity = ServerIdentity.load_or_make(folder)
        self._store = Store.open(default_url(folder))
        enrolment = Enrolment(self._store.enrolment, identity.is_invited)
        self._audit = AuditLog.open(self._store, identity.key)
        self._writer = StoreWriter(self._store, self._bus, lambda: (), self._audit)
        self._link = LinkServer(
            self._registry, self._bus, None, lambda _: None, Spool(folder), identity, enrolment, self._audit
        )
        self._somebody_came = threading.Event()
        self._registry.on_membership(self._somebody_came.set)
        self._writer.start()
        self.port = self._link.start("127.0.0.1", 0)
        identity.invite(folder, "127.0.0.1", self.port)
        self.folder = folder

    def grid(
        self,
        clients: int,
        still: Callable[[], None],
        read: ReadReply = read_reply,
        open_reply: OpenReply = opened,
    ) -> LinkGrid:
        """A grid for this thread, once so many clients are here, whose replies are opened and seen as these
        functions have them.

        `still` is called now and then until that; it raises when there is no point in waiting any more.
        """
        while self._registry.counts().connected < clients:
            still()
            self._somebody_came.wait(LOOK_S)
            self._somebody_came.clear()
        names = [client.id for client in self._registry.snapshot()]
        tracker = self._tracker(clients, read)
        grid = LinkGrid(self._link, int(RUN_ID, 16), BenchOwner(names), tracker, open_reply)
        identify_server_task(grid.run.run_id)
        for name in names:
            self._link.assign(
                name, Assignment(run_id=grid.run.run_id, run=RUN_ID, clients_on_host=len(names))
            )
        return grid

    def stop(self) -> None:
        """End it, and with it all connections."""
        self._link.stop()
        self._writer.stop()
        self._store.close()

    def _tracker(self, clients: int, read: ReadReply) -> RoundTracker:
        book = RunBook(self._bus, history=RunHistory(self._audit))
        spec = RunSpec.model_validate({"min_clients": clients})
        run = Run(
            id=RUN_ID,
            state=RunState.RUNNING,
            spec=spec,
            num_rounds=spec.num_rounds,
            created_at=time.time(),
        )
        book.add(run)
        self.results = RoundTracker(run.id, book, self._link.note, read, NumberedRounds())
        return self.results


@contextmanager
def bench_link() -> Iterator[BenchLink]:
    """A link, while the block lasts."""
    with TemporaryDirectory(prefix="fedloom-bench-") as folder:
        link = BenchLink(Path(folder))
        try:
            yield link
        finally:
            link.stop()


def members(clients: int, port: int, folder: Path) -> Sequence[tuple[str, int, Path]]:
    """The arguments of `echo_client` for a crew of so many, at a link that is in this folder."""
    return [(f"client-{number}", port, folder) for number in range(1, clients + 1)]


def member(name: str, port: int, folder: Path) -> Membership:
    """A client at a link that is in this folder."""
    return Membership(Address("127.0.0.1", port), folder, key=KeyPair.make())


def echo_client(pipe: Connection, name: str, port: int, folder: Path) -> None:
    """A client as `client.main` starts it, with the echo in place of the built-in ClientApp."""
    configure_logging(name)
    runtime = Runtime(BuiltInApp(echo.app), {}, None)
    runtime.start()
    identity = ClientIdentity(name, "mnist", ("cnn",), platform.node(), "cpu")
    with suppress(asyncio.CancelledError):
        asyncio.run(
            serve_until_closed(Link(member(name, port, folder), identity, runtime, lambda _: None), pipe)
        )


async def serve_until_closed(link: Link, pipe: Connection) -> None:
    """Serve the link until the benchmark closes the pipe."""
    serving = asyncio.ensure_future(link.run())
    asyncio.get_running_loop().add_reader(pipe.fileno(), serving.cancel)
    await serving
