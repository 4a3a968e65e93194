"""What trains at a node by itself: a whole client, so that this is the one file of the mesh that knows one.

It looks for it when it is needed: PyTorch takes seconds to load, and most nodes are not asked.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.commands.run import OnRound
from mesh.gossip import MeshRound
from mesh.learning.proposal import AgreedRun
from mesh.running import RunningNode
from shared import paths
from shared.run_spec import RunSpec
from shared.security.key_id import KeyId

if TYPE_CHECKING:
    from client.mesh_runs import MeshRuns
    from client.site.policy import Policy


class SiteOnDemand:
    """The client's part of a node, as `mesh.commands.run.TrainingSite`; loaded when it is first asked."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._runs: MeshRuns | None = None
        self._read: Policy | None = None
        self._watchers: list[OnRound] = []

    def initial_model(self, spec: RunSpec) -> bytes:
        """As Site has it."""
        return self._loaded().initial_model(spec)

    def objection(self, proposer: KeyId, run: str, spec: RunSpec, members: int) -> str | None:
        """As Site has it. A node whose site takes no part loads no PyTorch for that."""
        from client.site.mesh_runs import mesh_objection

        return mesh_objection(self._policy(), str(proposer), run, spec, members)

    async def carry_out(self, agreed: AgreedRun) -> None:
        """As Site has it."""
        runs = await asyncio.to_thread(self._loaded)
        await runs.carry_out(agreed)

    def watch(self, on_round: OnRound) -> Callable[[], None]:
        """As TrainingSite has it."""
        self._watchers.append(on_round)
        return lambda: self._watchers.remove(on_round)

    def model_file(self, run: str) -> Path:
        """As TrainingSite has it."""
        return self._loaded().model_file(run)

    def _loaded(self) -> MeshRuns:
        """Raises PolicyInvalid. Takes seconds the first time."""
        from client.learner import Site
        from client.mesh_runs import MeshRuns, MeshSite

        settings, policy = self._node.settings, self._policy()
        with self._lock:
            if self._runs is None:
                site = MeshSite(
                    Site(paths.data_dir()), policy, settings.home, settings.name, self._node.folder
                )
                self._runs = MeshRuns(self._node.network, site)
                self._runs.watch(self._tell)
            return self._runs

    def _tell(self, agreed: AgreedRun, done: MeshRound) -> None:
        for on_round in tuple(self._watchers):
            on_round(agreed, done)

    def _policy(self) -> Policy:
        """As it was when it was first asked for. Raises PolicyInvalid."""
        from client.site.policy import read_policy

        with self._reading:
            if self._read is None:
                self._read = read_policy(self._node.settings.home)
            return self._read
