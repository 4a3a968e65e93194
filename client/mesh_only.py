"""A client that needs no server: a node that takes part in the runs which members of its mesh propose."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack

import torch

from client.mesh_runs import MeshRuns, MeshSite
from client.offline.actions import NodeActions
from client.offline.now import Rates
from client.offline.rounds import MeshRounds
from client.offline.status import ClientStatus, RunStanding
from client.page.server import serving_page
from client.prepared_site import prepared_site
from client.settings import ClientSettings, MeshOptions
from client.site.policy import MeshRule
from mesh.commands.node import DEFAULT_PORT, say_ready
from mesh.commands.table import attending
from mesh.discovery.interfaces import host_on
from mesh.running import NodeSettings, RunningNode, running_node
from mesh.syncing.folders import SharedFolders
from shared.errors import SettingsInvalid
from shared.interrupt import cancel_on_signals

log = logging.getLogger(__name__)


async def serve(settings: ClientSettings, options: MeshOptions) -> None:
    """Be one, until the process is told to end. Raises what `prepared_site` and `running_node` raise, and
    SettingsInvalid."""
    this = asyncio.current_task()
    assert this is not None
    policy = settings.policy
    if policy.mesh is MeshRule.OFF:
        raise SettingsInvalid(
            'The policy of this site has mesh = "off", so that --mesh-only has nothing to do. Change it in '
            "client.toml, or start the client with a server."
        )
    if policy.rules:
        log.info("this site has a policy: %s", policy)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    cancel_on_signals(this)
    try:
        async with AsyncExitStack() as running:
            site, _ = await asyncio.to_thread(prepared_site, settings)
            node = await running.enter_async_context(running_node(_as_node(settings, options)))
            mesh_site = MeshSite(site, policy, settings.home, settings.client_id, node.folder)
            runs = MeshRuns(node.network, mesh_site)
            folders = await running.enter_async_context(attending(node, runs))
            if options.page is not None:
                status = Standing(node, runs, folders)
                running.enter_context(
                    serving_page(options.page, lambda: status.now().to_json(), status.actions.carry_out)
                )
            say_ready(node)
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.info("stopped")


class Standing:
    """What the client shows of itself to the people beside it."""

    def __init__(self, node: RunningNode, runs: MeshRuns, folders: SharedFolders) -> None:
        self._node, self._runs, self._folders = node, runs, folders
        self.actions = NodeActions(node)
        self._rates = Rates(time.monotonic)
        self._rounds = MeshRounds()
        runs.watch(lambda run, done: self._rounds.add(run.base, 0, done))

    def now(self) -> ClientStatus:
        """At this moment."""
        run = self._runs.run
        self._rates.measure(self._node.network.traffics())
        return ClientStatus(
            client=self._node.settings.name,
            time=time.time(),
            server=None,
            learning=self._runs.is_learning,
            run=None if run is None else RunStanding(run.run, run.spec.num_rounds, base_round=0),
            mesh=self._node.network.status(),
            rounds=self._rounds.all(),
            blocked=self._node.members.blocked(),
            refused=self._node.refusals(),
            rates=self._rates.newest,
            folders=self._folders.views(),
            vouched=self._node.members.is_listed,
            invitation=self.actions.invitation,
            joining=self.actions.joining,
        )


def _as_node(settings: ClientSettings, options: MeshOptions) -> NodeSettings:
    """It listens where a node by itself does. Whom a server has vouched for before, it trusts if its site
    does."""
    return NodeSettings(
        name=settings.client_id,
        home=settings.home,
        host=host_on(options.interfaces),
        port=options.port or DEFAULT_PORT,
        join=options.join,
        interfaces=options.interfaces,
        servers=None if settings.policy.mesh_roster else (),
    )
