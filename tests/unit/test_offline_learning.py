"""OfflineLearning: clients without their server learn on over the mesh, and keep what they learn for it."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from client.offline.keeping_app import KeepingApp
from client.offline.learning import OfflineLearning
from client.offline.memory import RunMemory
from client.runtime import Place
from client.site.policy import Policy
from client.work import Work
from mesh.gossip import GossipSettings
from mesh.holder import Patience
from mesh.learning.arrays import Arrays
from mesh.learning.trainer import Evaluated, Trained
from shared.app_host.serialised import Serialised
from shared.errors import Cancelled
from shared.flower import decode
from shared.mesh_contribution import ContributionMetrics
from shared.run_spec import RunSpec
from tests.support.mesh_in_memory import MemoryMesh, MemoryNetwork
from tests.support.payloads import payload_of
from tests.support.sealing import SERVER, a_key
from tests.support.signed_models import GENERATION_HERE, RUN_ID, a_signed_model, a_work

LIMIT_S = 20.0
SERVERS = [a_key(SERVER).public.id]
SPEC = RunSpec(num_rounds=8)


class Trained32:
    """Goes half of the way to its own optimum in each training, in float32."""

    epsilon: float | None = None
    epsilon_of_run: float | None = None

    def __init__(self, optimum: float) -> None:
        self._optimum = optimum
        self.gate = threading.Event()
        self.gate.set()
        self.waits_after = 1_000
        """So many rounds in one time of learning."""

    def samples(self) -> int:
        return 10

    def train(self, model: Arrays, mesh_round: int, should_stop: Callable[[], bool]) -> Trained:
        while mesh_round > self.waits_after or not self.gate.wait(0.01):
            if should_stop():
                raise Cancelled("the training was given up")
            time.sleep(0.01)
        moved = {name: values + np.float32(0.5) * (self._optimum - values) for name, values in model.items()}
        return Trained(moved, 4, 0.5)

    def evaluate(self, model: Arrays) -> Evaluated | None:
        return None


class RuntimeThread:
    """Calls what is queued, one after the other, as the runtime does."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, work: Callable[[], None]) -> None:
        self._queue.put(work)

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join(LIMIT_S)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            work()


class NoApp:
    """A LocalApp that is asked nothing here."""

    def begin(self, place: Place) -> None: ...

    def answer(self, work: Work) -> Serialised:
        return Serialised(b"the app's")

    def end_run(self) -> None: ...

    def make_ready(self) -> None: ...

    def cancel(self, work: Work) -> None: ...

    def abandon(self) -> None: ...

    def pause(self, paused: bool) -> None: ...

    def close(self) -> None: ...


def a_place(spec: RunSpec = SPEC, run_id: int = RUN_ID) -> Place:
    return Place(run_id, {"partition-id": 0, "num-partitions": 3}, spec.to_run_config(), threads=1)


@dataclass
class Client:
    """A client in the mesh, and what it is made of."""

    name: str
    mesh: MemoryMesh
    memory: RunMemory
    app: KeepingApp
    trainer: Trained32
    runtime: RuntimeThread
    learning: OfflineLearning
    first_rounds: list[int] = field(default_factory=list)

    def hears(self, **message: Any) -> list[Serialised]:
        """Its server sends it a message; returns its replies."""
        work, replies = a_work(a_key(SERVER), a_key(self.name), **message)
        with work.payload:
            replies.append(self.app.answer(work))
        return replies

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        ends = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < ends, f"not so: {what}"
            await asyncio.sleep(0.01)

    async def has_learned(self, rounds: int) -> None:
        await self.until(
            lambda: self.learning.progress is not None and self.learning.progress.rounds >= rounds,
            f"{self.name} has learned in {rounds} rounds",
        )

    async def has_ended(self) -> None:
        await self.until(lambda: self.memory.learned is not None, f"{self.name} keeps what it has learned")

    def contributes(self, **changes: Any) -> tuple[dict[str, list[float]], ContributionMetrics]:
        """What it answers a server that asks for it."""
        (reply,) = self.hears(kind="train.mesh", **{"server_round": 4, **changes})
        message = decode(payload_of(reply))
        assert not message.has_error(), message.error
        arrays = {name: array.numpy().tolist() for name, array in message.content["arrays"].items()}  # type: ignore[union-attr]
        return arrays, ContributionMetrics.from_reply(message)


@asynccontextmanager
async def clients(
    *names: str, policy: Policy | None = None, after_s: float = 0.0
) -> AsyncIterator[list[Client]]:
    """Clients that are connected to their server, and have the model after round 3."""
    network = MemoryNetwork()
    made = []
    for number, name in enumerate(names):
        memory = RunMemory()
        trainer, runtime = Trained32(float(number)), RuntimeThread()
        first_rounds: list[int] = []

        def trainer_for(_: Place, first_round: int, made: Any = (trainer, first_rounds)) -> Trained32:
            made[1].append(first_round)
            return made[0]  # type: ignore[no-any-return]

        mesh = network.node(name)
        learning = OfflineLearning(
            mesh,
            memory,
            policy or Policy(),
            trainer_for,
            runtime.put,
            lambda: SERVERS,
            after_s,
            GossipSettings(patience_s=0.5, patience=Patience(answer_s=0.2, fetch_s=5.0, settle_s=1.0)),
        )
        app = KeepingApp(NoApp(), memory)
        made.append(Client(name, mesh, memory, app, trainer, runtime, learning, first_rounds))
    tasks = [asyncio.create_task(client.learning.run()) for client in made]
    for client in made:
        client.learning.connected()
        client.app.begin(a_place())
        client.hears()
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for client in made:
            client.runtime.close()
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended


def test_clients_without_their_server_learn_until_it_is_back_and_contribute() -> None:
    async def scene() -> None:
        async with clients("a", "b", "c") as all_clients:
            for client in all_clients:
                client.trainer.waits_after = 2
                client.learning.disconnected()
            for client in all_clients:
                await client.has_learned(2)
            for client in all_clients:
                client.learning.connected()
            for client in all_clients:
                await client.has_ended()
                progress = client.learning.progress
                assert progress is not None
                model, told = await asyncio.to_thread(client.contributes)
                assert (told.contribution, told.mesh_rounds) == (progress.number, progress.rounds)
                assert (told.generation, told.base_round) == (GENERATION_HERE, 3)
                assert told.steps > 0
                assert len(model["w"]) == 3
            masses = [client.contributes()[1].mass for client in all_clients]
            assert sum(masses) == pytest.approx(30)
            values = [client.contributes()[0]["w"][0] for client in all_clients]
            assert max(values) - min(values) < 1.0, "they have averaged"

    asyncio.run(scene())


def test_a_contribution_is_kept_until_the_server_says_that_it_has_it() -> None:
    async def scene() -> None:
        async with clients("a", "b") as (client, _):
            client.learning.disconnected()
            await client.has_learned(1)
            client.learning.connected()
            await client.has_ended()
            _, told = client.contributes()

            client.hears(server_round=5)
            assert client.contributes()[1] == told, "the server may have crashed before it kept it"
            client.hears(server_round=5, merged=(told.contribution,))

            assert client.memory.learned is None
            assert client.learning.progress is None

    asyncio.run(scene())


def test_a_server_that_asks_before_all_is_settled_waits_for_that() -> None:
    async def scene() -> None:
        async with clients("a", "b") as all_clients:
            for each in all_clients:
                each.learning.disconnected()
            client = all_clients[0]
            await client.has_learned(1)
            client.trainer.gate.clear()
            asked = asyncio.create_task(asyncio.to_thread(client.contributes))
            client.learning.connected()

            _, told = await asyncio.wait_for(asked, LIMIT_S)

            assert told.mesh_rounds >= 1

    asyncio.run(scene())


def test_no_more_rounds_than_the_run_would_have_gone() -> None:
    async def scene() -> None:
        async with clients("a", "b") as all_clients:
            for client in all_clients:
                client.learning.disconnected()
            for client in all_clients:
                await client.has_ended()
                progress = client.learning.progress
                assert progress is not None
                assert progress.rounds == SPEC.num_rounds - 3
                assert client.first_rounds == [3]

    asyncio.run(scene())


@pytest.mark.parametrize("has_asked", [False, True])
def test_a_server_that_is_lost_again_before_it_has_merged_loses_nothing(has_asked: bool) -> None:
    """Also if it was another one, in its own turn with the run, and has asked for it."""

    async def scene() -> None:
        async with clients("a", "b") as all_clients:
            client = all_clients[0]
            for each in all_clients:
                each.trainer.waits_after = 2
                each.learning.disconnected()
            for each in all_clients:
                await each.has_learned(2)
            for each in all_clients:
                each.learning.connected()
            for each in all_clients:
                await each.has_ended()
                each.trainer.waits_after = 1_000
            before = client.memory.learned
            assert before is not None
            for each in all_clients:
                if has_asked:
                    each.contributes(generation=GENERATION_HERE + (1 << 32))
                each.learning.disconnected()
            await client.until(lambda: client.memory.learned is not before, "it has learned more")
            learned = client.memory.learned
            assert learned is not None
            assert learned.number != before.number
            assert learned.contribution.mesh_rounds == SPEC.num_rounds - 3
            assert learned.contribution.steps > before.contribution.steps
            assert client.first_rounds == [3, 3 + before.contribution.mesh_rounds]

    asyncio.run(scene())


def test_whoever_has_an_older_model_gets_the_newest_from_the_others() -> None:
    async def scene() -> None:
        async with clients("a", "b", after_s=0.2) as (ahead, behind):
            ahead.hears(kind="evaluate", server_round=4, value=9.0)
            await asyncio.sleep(0.05)  # both have been connected for a while
            behind.learning.disconnected()
            ahead.learning.disconnected()

            await behind.until(
                lambda: behind.memory.newest is not None and behind.memory.newest.base.round == 4, "it has it"
            )
            for client in (ahead, behind):
                await client.has_learned(1)
                progress = client.learning.progress
                assert progress is not None
            await behind.until(
                lambda: (now := behind.learning.progress) is not None and now.base.round == 4, "from there"
            )

    asyncio.run(scene())


def test_a_model_that_the_server_has_not_signed_is_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with clients("a", "b", after_s=0.2) as (liar, client):
            forged = a_signed_model(a_key("an impostor"), a_key("a"), server_round=8, value=9.0)
            liar.memory.saw(forged)
            liar.learning.disconnected()
            client.learning.disconnected()
            await client.has_learned(1)
            await client.until(lambda: "is not taken" in caplog.text, "it has looked at it")

            assert client.memory.newest is not None
            assert client.memory.newest.base.round == 3
            assert caplog.text.count("is not taken") == 1, "and takes nothing more from there"

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("spec", "policy", "paused"),
    [
        (RunSpec(secure_aggregation={}, min_clients=3), {}, False),  # type: ignore[arg-type]
        (RunSpec(strategy="dpfedavg-fixed"), {}, False),  # type: ignore[arg-type]
        (SPEC, {"mesh": "off"}, False),
        (SPEC, {"mesh": "dp-only"}, False),
        (SPEC, {"rounds_a_day": 5}, False),
        (SPEC, {}, True),
    ],
)
def test_what_may_not_go_over_the_mesh_does_not(
    spec: RunSpec, policy: dict[str, Any], paused: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with clients("a", "b", policy=Policy(**policy)) as (client, _):
            client.app.begin(a_place(spec))
            client.app.pause(paused)
            client.learning.disconnected()
            if not paused:
                await client.until(lambda: "does not go on without the server" in caplog.text, "it is said")
            await asyncio.sleep(0)
            assert client.first_rounds == []
            assert client.learning.progress is None

    asyncio.run(scene())


def test_nothing_is_left_of_a_run_that_is_over() -> None:
    async def scene() -> None:
        async with clients("a", "b") as (client, _):
            client.learning.disconnected()
            await client.has_learned(1)
            client.learning.connected()
            await client.has_ended()
            client.app.end_run()
            assert client.memory.learned is not None, "a server that is back may say so as well"
            client.memory.run_over()

            assert client.memory.place is None
            assert client.learning.progress is None
            (reply,) = client.hears(kind="train.mesh")
            assert decode(payload_of(reply)).has_error()

    asyncio.run(scene())
