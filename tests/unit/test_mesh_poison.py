"""What a member sends is not believed: each poisoned share is refused and counted, or its pull is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.gossip import Gossip, GossipSettings, Learned
from mesh.learning.arrays import Arrays, ModelInvalid, clipped_around, decoded, distance, encoded
from mesh.learning.base import Base
from mesh.learning.checks import MAX_NORM_RATIO, ModelCheck, Refused
from mesh.learning.messages import SHARE, Answer, Ask, Message, MessageInvalid, News, Parting, Share
from mesh.learning.transfers import Outcome
from tests.support.in_loop import in_loop
from tests.support.mesh_gossip import BASE, QUICK, Crew, Rogue, until
from tests.support.mesh_in_memory import MemoryNetwork
from tests.support.mesh_trainers import Drawn, a_model

OWN = 4.0
"""The honest node's model while the rogue sends, and where its training leads."""


@dataclass
class Meeting:
    """An honest node that trains while a rogue peer sends it things."""

    node: Gossip
    rogue: Rogue
    crew: Crew
    trainer: Drawn
    running: asyncio.Task[Learned]

    async def send(self, model: Arrays | bytes, mass: float = 5.0, base: Base = BASE) -> Outcome:
        return await self.rogue.send(self.crew.meshes["a"].me, model, mass=mass, base=base)

    async def outcome(self) -> Learned:
        """What the node has after the training that is going on."""
        self.trainer.gate.set()
        return await self.running


@asynccontextmanager
async def meeting(settings: GossipSettings = QUICK) -> AsyncIterator[Meeting]:
    network = MemoryNetwork()
    trainer = Drawn(OWN)
    trainer.gate.clear()
    rogue = Rogue(network.node("rogue"))
    crew = Crew(network, {"a": trainer}, replace(settings, patience_s=0.1), model=a_model(OWN, OWN))
    running = asyncio.create_task(crew.nodes["a"].run(1))
    await until(lambda: crew.meshes["a"].me in rogue.sessions, "the rogue has heard of the node")
    rogue.join()
    await until(lambda: crew.nodes["a"].peers == 1, "the node has heard of the rogue")
    try:
        yield Meeting(crew.nodes["a"], rogue, crew, trainer, running)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def like(first: float, second: float) -> Arrays:
    return a_model(first, second)


POISON: dict[str, tuple[Arrays | bytes, Outcome | None]] = {
    "not a number": (like(np.nan, 1), Outcome.NOT_FINITE),
    "infinite": (like(1, np.inf), Outcome.NOT_FINITE),
    "huge": (like(1e30, 0), Outcome.NORM),
    "so large that its square is infinite": (like(1e300, 1e300), Outcome.NORM),
    "another shape of as many bytes": ({"w": np.ones((2, 1))}, None),
    "another name": ({"v": np.ones(2)}, Outcome.ARRAYS),
    "whole numbers": ({"w": np.ones(2, np.int64)}, Outcome.ARRAYS),
    "more values": ({"w": np.ones(3)}, Outcome.SIZE),
    "one array more": ({"w": np.ones(2), "x": np.ones(1)}, Outcome.SIZE),
    "no model": (b"\xff" * len(encoded(like(1, 1))), Outcome.UNREADABLE),
    "a pickle": (b"cos\nsystem\n(S'true'\ntR.".ljust(len(encoded(like(1, 1))), b"."), Outcome.UNREADABLE),
}


@pytest.mark.parametrize("what", POISON)
@in_loop
async def test_a_poisoned_model_is_refused_for_its_reason_and_counted(what: str) -> None:
    model, expected = POISON[what]
    async with meeting() as met:
        outcome = await met.send(model)
        learned = await met.outcome()
        assert outcome in ({expected} if expected else {Outcome.ARRAYS, Outcome.SIZE})
        assert met.crew.rounds["a"][-1].refused == {outcome: 1}
        assert learned.contribution.model["w"] == pytest.approx([OWN, OWN])
        assert learned.contribution.mass == 10


@pytest.mark.parametrize("mass", [20.1, 1e9, 1e12])
@in_loop
async def test_nobody_sends_more_mass_than_all_together_have(mass: float) -> None:
    async with meeting() as met:
        assert await met.send(like(1, 1), mass=mass) is Outcome.MASS
        assert await met.send(like(OWN, OWN), mass=19.9) is Outcome.TAKEN


@pytest.mark.parametrize(
    "base", [Base("run", 1, 2, bytes(32)), Base("run", 2, 3, bytes(32)), Base("x", 1, 3, bytes(32))]
)
@in_loop
async def test_a_share_of_another_base_is_refused(base: Base) -> None:
    async with meeting() as met:
        assert await met.send(like(1, 1), base=base) is Outcome.OTHER_BASE


@in_loop
async def test_content_that_is_not_there_is_refused() -> None:
    async with meeting() as met:
        met.rogue.mesh.offer = _offers_nothing(met.rogue)  # type: ignore[method-assign]
        assert await met.send(like(1, 1)) is Outcome.UNAVAILABLE


@in_loop
async def test_who_sends_without_end_fills_no_memory() -> None:
    async with meeting() as met:
        outcomes = [await met.send(like(OWN, OWN), mass=0.1) for _ in range(12)]
        assert outcomes == [Outcome.TAKEN] * 8 + [Outcome.BUSY] * 4


@in_loop
async def test_a_share_is_taken_once_whatever_its_sender_repeats() -> None:
    async with meeting() as met:
        to = met.crew.meshes["a"].me
        assert await met.rogue.send(to, like(OWN, OWN), mass=5, number=7) is Outcome.TAKEN
        assert await met.rogue.send(to, like(OWN, OWN), mass=5, number=7) is Outcome.TAKEN
        assert await met.rogue.send(to, like(OWN, OWN), mass=5, number=6) is Outcome.GONE
        assert (await met.outcome()).contribution.mass == 15


@in_loop
async def test_messages_that_are_none_are_counted_and_do_no_harm() -> None:
    async with meeting() as met:
        for body in (b"", b"{}", b"\xff", b"[" * 1_000, b'{"news":1}'):
            await met.rogue.mesh.send(met.crew.meshes["a"].me, SHARE, body)
        await met.outcome()
        assert met.crew.rounds["a"][-1].refused == {Outcome.UNREADABLE: 5}


@in_loop
async def test_what_is_poisoned_is_counted_by_whose_it_was() -> None:
    async with meeting() as met:
        await met.send(like(np.nan, 1))
        await met.send(like(1e30, 0))
        await met.rogue.mesh.send(met.crew.meshes["a"].me, SHARE, b"nonsense")
        await met.outcome()

        counted = met.crew.meshes["a"].refused_models
        assert counted.of(met.rogue.mesh.me) == {
            Outcome.NOT_FINITE: 1,
            Outcome.NORM: 1,
            Outcome.UNREADABLE: 1,
        }
        assert counted.total == counted.of(met.rogue.mesh.me)


@in_loop
async def test_what_says_how_it_was_with_the_receiver_is_held_against_nobody() -> None:
    async with meeting() as met:
        outcomes = {await met.send(like(OWN, OWN), mass=0.1) for _ in range(12)}
        assert Outcome.BUSY in outcomes
        assert met.crew.meshes["a"].refused_models.total == {}


@pytest.mark.parametrize(("clipping", "most"), [(0.1, 0.1 / 3), (0.5, 0.5 / 3)])
@in_loop
async def test_clipping_bounds_how_far_a_poisoned_model_pulls(clipping: float, most: float) -> None:
    """A third of the mass is the rogue's: 5 of 15."""
    async with meeting(replace(QUICK, clipping=clipping)) as met:
        assert await met.send(like(-9 * OWN, 9 * OWN)) is Outcome.TAKEN
        model = (await met.outcome()).contribution.model
        own = like(OWN, OWN)
        assert distance(own, model) / np.linalg.norm(own["w"]) == pytest.approx(most)
        assert met.crew.rounds["a"][-1].clipped == 1


@in_loop
async def test_without_clipping_it_pulls_by_its_mass() -> None:
    async with meeting() as met:
        await met.send(like(-2 * OWN, OWN))
        assert (await met.outcome()).contribution.model["w"] == pytest.approx([0, OWN])


def _offers_nothing(rogue: Rogue):  # type: ignore[no-untyped-def]
    offer = rogue.mesh.offer

    async def withdrawn(source, size):  # type: ignore[no-untyped-def]
        content = await offer(source, size)
        rogue.mesh.withdraw(content)
        return content

    return withdrawn


@given(st.binary(max_size=400))
def test_any_bytes_are_a_model_or_refused_in_words(data: bytes) -> None:
    with suppress(ModelInvalid):
        assert isinstance(decoded(data), dict)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_a_model_in_which_bytes_were_changed_is_read_or_refused_and_never_of_another_kind(
    noise: bytes, place: int
) -> None:
    data = bytearray(encoded({"a": np.ones((3, 2), np.float32), "b": np.zeros(4)}))
    data[place : place + len(noise)] = noise[: max(len(data) - place, 0)]
    like: Arrays = {"a": np.ones((3, 2), np.float32), "b": np.ones(4)}
    with suppress(Refused):
        model = ModelCheck(like).require_usable(bytes(data), like)
        assert {name: (values.shape, values.dtype) for name, values in model.items()} == {
            "a": ((3, 2), np.dtype("float32")),
            "b": ((4,), np.dtype("float64")),
        }
        assert all(np.isfinite(values).all() for values in model.values())


@pytest.mark.parametrize("kind", [News, Share, Answer, Ask, Parting])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused_in_words(kind: type[Message], data: bytes) -> None:
    with pytest.raises(MessageInvalid, match=kind.__name__):
        kind.parse(data)


def test_a_message_is_what_was_sent() -> None:
    parting = Parting(session="0" * 32, to_session="f" * 32, number=0, is_leaving=True)
    assert Parting.parse(parting.encoded()) == parting


@pytest.mark.parametrize(
    "body",
    [
        b'{"number":1,"session":"' + b"0" * 32 + b'","to_session":"' + b"0" * 31 + b'G"}',
        b'{"number":true,"session":"' + b"0" * 32 + b'","to_session":"' + b"0" * 32 + b'"}',
        b'{"number":-1,"session":"' + b"0" * 32 + b'","to_session":"' + b"0" * 32 + b'"}',
        b'{"more":1,"number":1,"session":"' + b"0" * 32 + b'","to_session":"' + b"0" * 32 + b'"}',
        b'{"number": 1,"session":"' + b"0" * 32 + b'","to_session":"' + b"0" * 32 + b'"}',
    ],
)
def test_a_message_is_strict(body: bytes) -> None:
    with pytest.raises(MessageInvalid):
        Ask.parse(body)
    Ask.parse(b'{"number":1,"session":"' + b"0" * 32 + b'","to_session":"' + b"0" * 32 + b'"}')


def test_the_norm_of_a_model_is_compared_with_ones_own_and_small_ones_pass() -> None:
    own = like(3, 4)
    check = ModelCheck(own)
    check.require_usable(encoded(like(0, 5 * MAX_NORM_RATIO)), own)
    check.require_usable(encoded(like(0, 0)), own)
    with pytest.raises(Refused) as refused:
        check.require_usable(encoded(like(0, 5.01 * MAX_NORM_RATIO)), own)
    assert refused.value.why is Outcome.NORM


@pytest.mark.parametrize("model", [{}, {"w": np.ones(2, np.int32)}, {"w": np.ones(2, bool)}])
def test_a_model_that_cannot_be_averaged_is_said_to_be_so(model: Arrays) -> None:
    with pytest.raises(ModelInvalid):
        ModelCheck(model)


@given(st.floats(0, 10), st.floats(-50, 50), st.floats(-50, 50))
def test_what_is_clipped_is_at_most_so_far_and_on_the_way(radius: float, x: float, y: float) -> None:
    centre = like(1, 2)
    clipped = clipped_around(centre, like(x, y), radius)
    assert distance(centre, clipped) <= radius + 1e-9
    full = distance(centre, like(x, y))
    assert distance(clipped, like(x, y)) == pytest.approx(max(full - radius, 0), abs=1e-9)
