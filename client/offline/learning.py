"""OfflineLearning: a client's node in the mesh, which learns on when the server is away.

It runs in the client's event loop, beside the link. What it trains with belongs to the runtime's thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace

from client.offline.episode import ClientTrainer, Episode, Progress
from client.offline.fallback import Fallback, Step
from client.offline.memory import Learned, RunMemory, order_of, run_name
from client.offline.newest import NewestModel
from client.offline.objection import objection
from client.offline.rounds import MeshRounds
from client.offline.signed_model import SignedModel
from client.runtime import Place
from client.site.policy import Policy
from mesh.gossip import GossipSettings
from mesh.learning.merge import Contribution
from mesh.node import Mesh
from shared.errors import FedLoomError
from shared.mesh_progress import MeshProgress
from shared.run_spec import RunSpec
from shared.security.key_id import KeyId

DOUBT_S = 60.0
"""How long a server that is there again may take to go on with its run."""

HAND_OVER_S = 30.0
"""How long what was learned from one model waits for the server, before it is given up for a newer model that
others have from it."""

log = logging.getLogger(__name__)


class OfflineLearning:
    """Of one client."""

    def __init__(
        self,
        mesh: Mesh,
        memory: RunMemory,
        policy: Policy,
        trainer_for: Callable[[Place, int], ClientTrainer],
        queue: Callable[[Callable[[], None]], None],
        servers: Callable[[], Collection[KeyId]],
        after_s: float,
        settings: GossipSettings | None = None,
        on_round: Callable[[MeshProgress], None] = lambda progress: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`trainer_for`: makes the trainer for a place in a run, and the number of rounds before its first.

        `queue`: as RuntimeTrainer has it. `servers`: the keys that the server may have. `after_s`: how long
        it has to be away. `on_round` is told of each mesh round.
        """
        self._mesh = mesh
        self._memory = memory
        self._policy = policy
        self._trainer_for = trainer_for
        self._queue = queue
        self._settings = settings
        self._on_round = on_round
        self._clock = clock
        self._fallback = Fallback(after_s, clock())
        self.rounds = MeshRounds()
        self._newest = NewestModel(mesh, memory, servers)
        self._episode: Episode | None = None
        self._changed = asyncio.Event()
        self._learned_from: SignedModel | None = None
        self._connected_at = clock()
        self._superseded: tuple[int, float] | None = None
        """The contribution since which there is a newer model, and when that was seen."""
        self._said = ""
        self._told: tuple[SignedModel | None, frozenset[KeyId]] = (None, frozenset())
        """Of which model, and whom, since the server went."""
        mesh.watch(self.look)

    # what happens, in the event loop

    def connected(self) -> None:
        """There is a connection to the server."""
        self._connected_at = self._clock()
        self._told = (None, frozenset())
        self._fallback.back()
        self.look()

    def disconnected(self) -> None:
        """It is gone. A run of which the server has known nothing all the time is over."""
        if self._memory.is_in_doubt and self._clock() - self._connected_at > DOUBT_S:
            self._memory.run_over()
        self._fallback.lost(self._clock())
        self.look()

    def look(self) -> None:
        """Something may have changed."""
        self._changed.set()

    @property
    def is_learning(self) -> bool:
        """Whether it learns without the server now."""
        return self._episode is not None

    @property
    def progress(self) -> Progress | None:
        """What the server does not have yet; more may be added while the client still learns."""
        if self._episode is not None and (progress := self._episode.progress) is not None:
            return progress
        if (learned := self._memory.learned) is not None:
            return Progress(learned.number, learned.contribution.base, learned.contribution.mesh_rounds)
        return None

    async def run(self) -> None:
        """Learn whenever that is called for, until this is cancelled."""
        try:
            while True:
                self._changed.clear()
                await self._tell_of_model()
                left = self._seconds_left()
                match self._fallback.step(
                    self._clock(), can_learn=self._can_learn(), is_outdated=self._is_outdated()
                ):
                    case Step.BEGIN:
                        self._begin()
                    case Step.END if self._episode is not None:
                        self._episode.stop()
                await self._wait(left)
        finally:
            self._newest.close()
            if self._episode is not None:
                await self._episode.give_up()

    def _seconds_left(self) -> float | None:
        """Until there may be something to do although nothing has changed; None: there will not."""
        if self._fallback.is_learning:
            return None
        return self._fallback.seconds_left(self._clock()) or self._hand_over_left() or None

    async def _wait(self, limit_s: float | None) -> None:
        """Until something has changed, or for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._changed.wait()

    async def _tell_of_model(self) -> None:
        """While the server is away, all hear which model this client has: then, when it has a newer one, and
        when somebody has come."""
        if not self._fallback.is_away:
            return
        there = frozenset(peer.key for peer in self._mesh.peers() if peer.hops is not None)
        model, told = self._told
        newest = self._memory.newest
        self._told = (newest, there)
        if newest is not None and there and (newest is not model or not there <= told):
            await self._newest.tell()

    def _can_learn(self) -> bool:
        place, newest = self._memory.place, self._memory.newest
        if place is None or newest is None or self._memory.is_paused or self._hand_over_left():
            return False
        words = objection(place, self._policy, has_passed=self._memory.has_passed)
        if words is not None and self._fallback.seconds_left(self._clock()) == 0.0:
            self._say_once(f"run {run_name(place)} does not go on without the server: {words}")
        return words is None and _rounds_left(place, newest, self._before(newest)) > 0

    def _hand_over_left(self) -> float:
        """For how many seconds what was learned still waits for the server: others have a newer model of it,
        so it is there, and the way to it may be in a moment."""
        learned, newest = self._memory.learned, self._memory.newest
        if learned is None or newest is None or self._before(newest) is not None:
            return 0.0
        if self._superseded is None or self._superseded[0] != learned.number:
            self._superseded = learned.number, self._clock()
        return max(self._superseded[1] + HAND_OVER_S - self._clock(), 0.0)

    def _before(self, model: SignedModel) -> Contribution | None:
        """What this client has learned from the same model, and the server did not take. The model may have
        come again since, in another turn of the server's."""
        learned = self._memory.learned
        if learned is None:
            return None
        is_same = replace(learned.contribution.base, generation=model.base.generation) == model.base
        return learned.contribution if is_same else None

    def _is_outdated(self) -> bool:
        before, newest = self._learned_from, self._memory.newest
        return before is not None and newest is not None and order_of(newest) > order_of(before)

    def _say_once(self, words: str) -> None:
        if words != self._said:
            self._said = words
            log.warning("%s", words)

    # one time of learning

    def _begin(self) -> None:
        place, model = self._memory.place, self._memory.newest
        assert place is not None
        assert model is not None
        before = self._before(model)
        trainer = self._trainer_for(place, model.base.round + (before.mesh_rounds if before else 0))
        self._learned_from = model
        try:
            self._episode = Episode(
                self._mesh,
                model,
                before,
                trainer,
                self._queue,
                self._settings,
                self._on_round,
                self.rounds,
            )
        except FedLoomError as error:
            log.error("run %s does not go on without the server: %s", run_name(place), error)
            self._fallback.ended()
            return
        rounds = _rounds_left(place, model, before)
        log.warning(
            "the server is away: run %s goes on over the mesh after round %d, for up to %d rounds",
            run_name(place),
            model.base.round,
            rounds,
        )
        self._memory.begins()
        self._episode.start(rounds, self._ended)

    def _ended(self, learned: Learned | None) -> None:
        """The learning is over, by itself or as it was told."""
        self._episode = None
        self._memory.ended(learned)
        self._fallback.ended()
        self.look()


def _rounds_left(place: Place, model: SignedModel, before: Contribution | None) -> int:
    """No more than the run would have gone with its server."""
    done = model.base.round + (0 if before is None else before.mesh_rounds)
    return RunSpec.from_run_config(place.run_config).num_rounds - done
