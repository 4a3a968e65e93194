"""A client's node in the mesh, beside its link: it listens, knows the others, and learns on with them."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from client.link_measure import NO_LINK, LinkMeasure
from client.membership import Membership
from client.offline.actions import NodeActions
from client.offline.history import History
from client.offline.kept_assignment import KeptAssignment
from client.offline.learning import OfflineLearning
from client.offline.memory import RunMemory, run_name
from client.offline.models_folder import MODELS, models_folder, settings_of
from client.offline.now import Rates, now_frame
from client.offline.report import but_for_latency, report
from client.offline.shared_models import SharedModels
from client.offline.status import ClientStatus, RunStanding, ServerStanding
from client.offline.trainer import BuiltInTrainer
from client.runtime import Place, Runtime
from client.settings import ClientSettings, MeshOptions
from client.site.policy import Policy
from mesh.commands.table import attending
from mesh.discovery.interfaces import default_address, host_on
from mesh.gossip import GossipSettings
from mesh.holder import Patience
from mesh.running import NodeSettings, RunningNode, running_node
from mesh.syncing.folders import SharedFolders
from mesh.trust.folder import FolderUnusable
from mesh.trust.store import RosterOutdated
from shared.address import Address
from shared.errors import WireError
from shared.mesh_progress import MeshProgress
from shared.proto.link_pb2 import Assignment, MeshNow, MeshReport
from shared.run_spec import RunSpec
from shared.security.keys import BadSignature
from shared.security.roster import RosterInvalid

SETTLE_S = 1.0
"""For so long changes of the network are collected before the server is told."""

NOW_EVERY_S = 2.0
"""So often, and not sooner, the server is told what changes all the time."""

PATIENCE = Patience(answer_s=2.0, fetch_s=60.0, settle_s=6.0)
"""Shorter than where no server waits for what was learned."""

log = logging.getLogger(__name__)


class ClientNode:
    """As `client.meshed.Meshed` has it. In the event loop."""

    def __init__(
        self,
        node: RunningNode,
        learning: OfflineLearning,
        memory: RunMemory,
        membership: Membership,
        policy: Policy,
        folders: SharedFolders,
        models: SharedModels | None,
    ) -> None:
        self.history = History()
        self._node = node
        self._learning = learning
        self._memory = memory
        self._membership = membership
        self._policy = policy
        self._folders = folders
        self.actions = NodeActions(node)
        """What people at the client's page may do."""
        self._rates = Rates(time.monotonic)
        self._models = models
        self._kept = None if models is None else KeptAssignment(node.folder)
        self._changed = asyncio.Event()
        self._told = b""
        self._server = ServerStanding(str(membership.address), connected=False, since=time.time())
        self._link: LinkMeasure | None = None
        """To the server; None: there is none."""
        node.network.watch(self._changed.set)
        learning.rounds.watch(self._changed.set)

    def look(self) -> None:
        """What is remembered of the run may have changed."""
        self._learning.look()
        if self._models is not None:
            self._models.look()
        self._changed.set()

    def kept_assignment(self) -> Assignment | None:
        """The client's place in a run that was not over when it ended; None: there is none, or it is not
        kept."""
        return None if self._kept is None else self._kept.load()

    def report(self) -> MeshReport:
        """As Meshed has it."""
        told = report(
            self._node.addresses,
            self._node.network.peers(),
            self._learning.progress,
            self._learning.rounds.all(),
            self._node.members.blocked(),
        )
        self._told = but_for_latency(told)
        return told

    def now(self) -> MeshNow:
        """As Meshed has it."""
        node = self._node
        return now_frame(node.network.peers(), self._rates.newest, self._folders.views(), node.refusals())

    def status(self) -> ClientStatus:
        """The node as it is now, for people."""
        return ClientStatus(
            client=self._node.settings.name,
            time=time.time(),
            server=replace(self._server, link=NO_LINK if self._link is None else self._link.view()),
            learning=self._learning.is_learning,
            run=_run(self._memory),
            mesh=self._node.network.status(),
            rounds=self._learning.rounds.all(),
            blocked=self._node.members.blocked(),
            refused=self._node.refusals(),
            rates=self._rates.newest,
            folders=self._folders.views(),
            vouched=self._node.members.is_listed,
            invitation=self.actions.invitation,
            joining=self.actions.joining,
        )

    def connected(self, measure: LinkMeasure) -> None:
        """As Meshed has it."""
        self._link = measure
        self._server = replace(self._server, connected=True, since=time.time())
        self._learning.connected()

    def disconnected(self) -> None:
        """As Meshed has it."""
        self._link = None
        if self._server.connected:
            self._server = replace(self._server, connected=False, since=time.time())
        self._learning.disconnected()

    def assigned(self, assignment: Assignment) -> None:
        """As Meshed has it."""
        if self._kept is not None:
            self._kept.keep(assignment)

    def run_over(self) -> None:
        """As Meshed has it."""
        self._memory.run_over()
        if self._kept is not None:
            self._kept.forget()

    def roster(self, signed: bytes) -> None:
        """As Meshed has it; a site that pairs its peers itself does not take it."""
        if not self._policy.mesh_roster:
            return
        try:
            self._node.members.take_roster(signed, self._membership.server_keys())
        except (RosterInvalid, BadSignature) as error:
            raise WireError(f"the server sent a roster of the mesh that is none: {error}") from error
        except (RosterOutdated, FolderUnusable) as error:
            log.warning("the server's roster of the mesh is not taken: %s", error)

    async def tell_changes(self, tell: Callable[[], None]) -> None:
        """Have `tell` called some time after something else than a latency has changed of what `report` says,
        until this is cancelled."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(SETTLE_S)
            self._changed.clear()
            before = self._told
            self.report()
            if self._told != before:
                tell()

    async def tell_now(self, tell: Callable[[], None]) -> None:
        """Have `tell` called every NOW_EVERY_S with what `now` says then, if that is not what it was, until
        this is cancelled."""
        told = MeshNow()
        while True:
            await asyncio.sleep(NOW_EVERY_S)
            self._rates.measure(self._node.network.traffics())
            if self._link is not None:
                self._link.measure()
            if (now := self.now()) != told:
                told = now
                tell()


@asynccontextmanager
async def client_node(
    settings: ClientSettings,
    options: MeshOptions,
    membership: Membership,
    memory: RunMemory,
    runtime: Runtime,
) -> AsyncIterator[ClientNode]:
    """Be a node, which shares folders and answers `python -m mesh`. Raises what `running_node` raises."""
    as_node = NodeSettings(
        name=settings.client_id,
        home=settings.home,
        host=await asyncio.to_thread(_host, options, membership.address),
        port=options.port,
        join=options.join,
        interfaces=options.interfaces,
        servers=tuple(membership.server_keys()) if settings.policy.mesh_roster else (),
    )

    def trainer_for(place: Place, first_round: int) -> BuiltInTrainer:
        return BuiltInTrainer(place, first_round, memory.proximal_mu)

    async with AsyncExitStack() as running:
        node = await running.enter_async_context(running_node(as_node))
        folders = await running.enter_async_context(attending(node, site=None))
        log.info("is in the mesh, at %s", node.network.address)
        models = None
        if options.folder is not None:
            path = running.enter_context(models_folder(options.folder))
            models = SharedModels(
                path, node.network, memory, membership.server_keys, lambda: folders.changed(MODELS)
            )
            folders.share(settings_of(path), models)
        learning = OfflineLearning(
            node.network,
            memory,
            settings.policy,
            trainer_for,
            runtime.call,
            membership.server_keys,
            options.after_s,
            GossipSettings(patience=PATIENCE, clipping=settings.policy.mesh_clipping_radius),
            on_round=partial(_keep, node.folder),
        )
        meshed = ClientNode(node, learning, memory, membership, settings.policy, folders, models)
        memory.on_change(_in_loop(meshed.look))
        tasks = [asyncio.create_task(learning.run())]
        if models is not None:
            tasks.append(asyncio.create_task(models.run()))
        for task in tasks:
            task.add_done_callback(_say_what_failed)
        try:
            yield meshed
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _run(memory: RunMemory) -> RunStanding | None:
    if (place := memory.place) is None:
        return None
    newest = memory.newest
    return RunStanding(
        id=run_name(place),
        num_rounds=RunSpec.from_run_config(place.run_config).num_rounds,
        base_round=None if newest is None else newest.base.round,
    )


def _say_what_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("this client learns without its server no longer", exc_info=error)


def _keep(folder: Path, progress: MeshProgress) -> None:
    try:
        progress.save(folder)
    except OSError as error:
        log.warning("how far the learning is cannot be written to %s: %s", folder, error)


def _host(options: MeshOptions, server: Address) -> str:
    """Where to listen: on the interface that was chosen, or that of the way to the server. So a client of a
    server on the same machine is not reached from elsewhere."""
    if options.interfaces:
        return host_on(options.interfaces)
    return _address_towards(server) or default_address() or "127.0.0.1"


def _address_towards(server: Address) -> str | None:
    """This machine's address on the way there, to which nothing is sent; None: there is no way at present."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(server)
            return str(asking.getsockname()[0])
        except OSError:
            return None


def _in_loop(function: Callable[[], None]) -> Callable[[], None]:
    """The same from any thread."""
    loop = asyncio.get_running_loop()

    def call() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(function)

    return call
