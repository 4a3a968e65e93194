"""A run of the mesh takes place among those whose sites agree to it, and nobody else decides for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mesh import agreement
from mesh.agreement import Agreement, NotAgreed
from mesh.learning.messages import MessageInvalid
from mesh.learning.proposal import (
    PROPOSAL,
    REPLY,
    START,
    AgreedRun,
    Proposal,
    Reply,
    Start,
    impossible,
    in_order,
)
from mesh.node import Received
from shared.errors import FedLoomError
from shared.names import StrategyName
from shared.run_spec import RunSpec
from shared.secagg.settings import SecureAggregation
from shared.security.key_id import KeyId
from tests.support.in_loop import in_loop
from tests.support.mesh_gossip import until
from tests.support.mesh_in_memory import Faults, MemoryMesh, MemoryNetwork

SPEC = RunSpec(num_rounds=3, min_clients=2)
MODEL = bytes([7]) * 32


class FakeSite:
    """A site that writes down what it carries out."""

    def __init__(self, why: str | None = None, model: bytes = MODEL) -> None:
        self.why = why
        self.model = model
        self.asked: list[int] = []
        """With how many members."""
        self.done: list[AgreedRun] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.fails = False

    def initial_model(self, spec: RunSpec) -> bytes:
        return self.model

    def objection(self, proposer: KeyId, run: str, spec: RunSpec, members: int) -> str | None:
        self.asked.append(members)
        return self.why

    async def carry_out(self, agreed: AgreedRun) -> None:
        self.done.append(agreed)
        if self.fails:
            raise FedLoomError("the disk is full")
        await self.may_end.wait()


class Sites:
    """Nodes of one network with a site each."""

    def __init__(self, **sites: FakeSite) -> None:
        self.network = MemoryNetwork()
        self.sites = sites
        self.meshes: dict[str, MemoryMesh] = {name: self.network.node(name) for name in sites}
        self.agreements = {name: Agreement(self.meshes[name], site) for name, site in sites.items()}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        for each in self.agreements.values():
            each.open()
        try:
            yield
        finally:
            for each in self.agreements.values():
                await each.close()

    def key(self, name: str) -> KeyId:
        return self.meshes[name].me


@in_loop
async def test_all_whose_sites_agree_take_part_and_know_each_other() -> None:
    sites = Sites(a=FakeSite(), b=FakeSite(), c=FakeSite(why="mesh = off"), d=FakeSite(model=bytes(32)))
    async with sites.open():
        agreed = await sites.agreements["a"].propose(SPEC)
        await until(lambda: sites.sites["b"].done, "b has begun")
    members = in_order({sites.key("a"), sites.key("b")})
    assert agreed.run.members == members
    assert sites.sites["b"].done == [agreed.run]
    assert sorted(agreed.run.part_of(sites.key(name)) for name in "ab") == [0, 1]
    assert agreed.declined[sites.key("c")] == "mesh = off"
    assert "initial model" in agreed.declined[sites.key("d")]
    assert agreed.run.base.digest == MODEL
    assert sites.sites["b"].asked == [4, 2], (
        "at the proposal with all there are, at the start with who takes part"
    )
    assert not sites.sites["c"].done


@in_loop
async def test_a_site_that_would_take_part_only_with_more_does_not_begin() -> None:
    class Cautious(FakeSite):
        def objection(self, proposer: KeyId, run: str, spec: RunSpec, members: int) -> str | None:
            super().objection(proposer, run, spec, members)
            return None if members >= 3 else "minimum_cohort = 3"

    sites = Sites(a=FakeSite(), b=Cautious(), c=FakeSite(why="no"))
    async with sites.open():
        await sites.agreements["a"].propose(SPEC)
        await until(lambda: sites.sites["b"].asked == [3, 2], "b has looked twice")
        await until(lambda: not sites.agreements["b"]._is_busy(), "b is free again")
    assert not sites.sites["b"].done


@in_loop
async def test_with_too_few_the_run_does_not_take_place_and_nobody_stays_reserved() -> None:
    sites = Sites(a=FakeSite(), b=FakeSite(), c=FakeSite(why="no"))
    async with sites.open():
        with pytest.raises(NotAgreed, match="2 of the 3 nodes"):
            await sites.agreements["a"].propose(SPEC.with_changes(min_clients=3))
        agreed = await sites.agreements["b"].propose(SPEC)
        assert sites.key("a") in agreed.run.members
    assert not sites.sites["b"].done


@in_loop
async def test_ones_own_policy_comes_first() -> None:
    sites = Sites(a=FakeSite(why="mesh = off"), b=FakeSite())
    async with sites.open():
        with pytest.raises(NotAgreed, match="mesh = off"):
            await sites.agreements["a"].propose(SPEC)
    assert not sites.sites["b"].asked


@in_loop
async def test_a_node_takes_part_in_one_run_at_a_time() -> None:
    sites = Sites(a=FakeSite(), b=FakeSite(), c=FakeSite())
    sites.sites["b"].may_end.clear()
    async with sites.open():
        await sites.agreements["a"].propose(SPEC)
        await until(lambda: sites.sites["b"].done, "b has begun")
        await until(lambda: not sites.agreements["c"]._is_busy(), "c is done")
        second = await sites.agreements["c"].propose(SPEC)
        assert second.declined == {sites.key("b"): "it takes part in another run"}
        with pytest.raises(NotAgreed, match="already"):
            await sites.agreements["b"].propose(SPEC)


@in_loop
async def test_who_does_not_reply_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "REPLY_S", 0.2)
    sites = Sites(a=FakeSite(), b=FakeSite())
    silent = sites.network.node("silent")
    async with sites.open():
        agreed = await sites.agreements["a"].propose(SPEC)
    assert agreed.declined == {silent.me: "it has not replied"}


@in_loop
@pytest.mark.parametrize("faults", [Faults(loss=0.8), Faults(unsure=0.8)], ids=["lost", "not confirmed"])
async def test_who_is_busy_when_a_run_is_proposed_is_asked_again_and_agrees_once(
    monkeypatch: pytest.MonkeyPatch, faults: Faults
) -> None:
    monkeypatch.setattr(agreement, "AGAIN_S", 0.01)
    sites = Sites(a=FakeSite(), b=FakeSite(), c=FakeSite(), d=FakeSite())
    sites.network.faults = faults
    async with sites.open():
        agreed = await sites.agreements["a"].propose(SPEC)
        await until(lambda: all(sites.sites[name].done for name in "bcd"), "all have begun")
    assert agreed.declined == {}
    assert [sites.sites[name].asked for name in "bcd"] == [[4, 4]] * 3, "at the proposal and at the start"


@in_loop
async def test_nobody_but_the_proposer_starts_a_run_and_only_the_one_that_was_agreed_on() -> None:
    sites = Sites(b=FakeSite())
    proposer, other = sites.network.node("proposer"), sites.network.node("other")
    replies: list[Received] = []
    proposer.on(REPLY, replies.append)
    b = sites.key("b")
    run, another = "0" * 16, "1" * 16
    async with sites.open():
        await proposer.send(b, PROPOSAL, Proposal.of(run, SPEC, MODEL).encoded())
        await until(lambda: replies, "b has replied")
        members = tuple(key.digest.hex() for key in in_order({b, proposer.me, other.me}))
        await other.send(b, START, Start(run=run, members=members).encoded())
        await proposer.send(b, START, Start(run=another, members=members).encoded())
        assert not sites.agreements["b"]._is_running
        await proposer.send(b, START, Start(run=run, members=members).encoded())
        assert sites.agreements["b"]._is_running
        await until(lambda: sites.sites["b"].done, "b has begun")
        await proposer.send(b, START, Start(run=run, members=members).encoded())
    assert len(sites.sites["b"].done) == 1
    assert Reply.parse(replies[0].body).takes_part


@in_loop
async def test_a_run_that_fails_at_one_node_leaves_it_free_for_another() -> None:
    sites = Sites(a=FakeSite(), b=FakeSite())
    sites.sites["b"].fails = True
    async with sites.open():
        await sites.agreements["a"].propose(SPEC)
        await until(lambda: sites.sites["b"].done and not sites.agreements["b"]._is_busy(), "b is free again")
        await sites.agreements["a"].propose(SPEC)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (SPEC, None),
        (SPEC.with_changes(strategy=StrategyName.FEDPROX), None),
        (SPEC.with_changes(strategy=StrategyName.KRUM), "krum"),
        (SPEC.with_changes(strategy=StrategyName.DPFEDAVG_FIXED), "dpfedavg"),
        (SPEC.with_changes(secure_aggregation=SecureAggregation()), "secure aggregation"),
        (RunSpec(app="another"), "Flower app"),
    ],
)
def test_what_the_mesh_cannot_compute_or_must_not_is_no_run_of_it(spec: RunSpec, why: str | None) -> None:
    said = impossible(spec)
    assert (said is None) if why is None else (said is not None and why in said)


def test_a_proposal_carries_the_settings_as_they_are() -> None:
    spec = SPEC.with_changes(lr=0.125, alpha=None, dp={"noise_multiplier": 1.0})
    proposal = Proposal.parse(Proposal.of("0" * 16, spec, MODEL).encoded())
    assert proposal.read_spec() == spec


@pytest.mark.parametrize("spec", ["", "{}x", '{"lr":-1}', '{"unknown":1}', "[]", '{"lr": 1}', "\ud800"])
def test_settings_that_are_none_are_refused_in_words(spec: str) -> None:
    with pytest.raises(MessageInvalid):
        Proposal.model_construct(run="0" * 16, spec=spec, model=MODEL.hex()).read_spec()
