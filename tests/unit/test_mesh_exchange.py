"""Peer exchange: members tell where members are; nobody is introduced, or learns whom a node trusts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.discovery.exchange import ANSWERED_EACH_S, MAX_TOLD, TOPIC, PeerExchange, blinded, known_of
from mesh.node import MAX_BODY_BYTES, Received
from mesh.protocol.counts import Reason
from shared.address import Address
from shared.canonical import canonical
from shared.security.key_id import KeyId
from tests.support.mesh import Air, AirMesh, KnownMembers, a_key

ANA, BEN, CAT, EVE = map(a_key, range(1, 5))
AT_CAT = Address("10.0.0.7", 5060)
SALT = bytes(16)


async def settled() -> None:
    """Let all go on that can."""
    for _ in range(50):
        await asyncio.sleep(0)


class Node:
    """One that takes part in the exchange, in the air of a test."""

    def __init__(self, air: Air, me: KeyId, *trusted: KeyId) -> None:
        self.members = KnownMembers()
        for key in trusted:
            self.members.add(key)
        self.mesh = AirMesh(air, me, self.members)
        self.now = 0.0
        self.asking: list[asyncio.Future[None]] = []
        self.exchange = PeerExchange(self.mesh, self.members, random.Random(0), lambda: self.now)

    def knows_of(self, key: KeyId) -> tuple[Address, ...]:
        return self.members.members[key].addresses


def in_the_air(*said: Callable[[Air, Node, Node], Any]) -> tuple[Air, Node, Node]:
    """Ana and Ben reach each other, and Cat is away; Ben knows where. `said`: what happens then."""

    async def play() -> tuple[Air, Node, Node]:
        air = Air()
        ana, ben = Node(air, ANA, BEN, CAT), Node(air, BEN, ANA, CAT)
        ben.members.found(CAT, AT_CAT)
        running = [asyncio.ensure_future(node.exchange.run()) for node in (ana, ben)]
        await settled()
        for each in said:
            each(air, ana, ben)
            await settled()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return air, ana, ben

    return asyncio.run(play())


def ask_once_more(_air: Air, ana: Node, _ben: Node) -> None:
    """Ben has answered a moment ago, and so leaves this question open."""
    ana.asking.append(asyncio.ensure_future(ana.exchange.ask()))


class TestExchange:
    def test_a_member_tells_where_another_one_is_that_both_trust(self) -> None:
        _, ana, _ = in_the_air()

        assert ana.knows_of(CAT) == (AT_CAT,)

    def test_whom_a_node_trusts_is_told_to_nobody(self) -> None:
        air, _, ben = in_the_air(lambda air, ana, ben: ben.members.add(EVE, Address("10.0.0.66", 1)))

        told = b"".join(body for *_, body in air.sent)
        assert told
        for key in (CAT, EVE):
            assert str(key).encode() not in told
            assert key.digest.hex().encode() not in told
        assert b"10.0.0.66" not in told, "nobody has asked for Eve"
        assert ben.knows_of(EVE)

    def test_two_questions_for_the_same_member_are_not_alike(self) -> None:
        assert blinded(SALT, CAT) != blinded(bytes(15) + b"x", CAT)

    def test_who_appears_is_asked_at_once(self) -> None:
        async def play() -> tuple[Address, ...]:
            air = Air()
            ana = Node(air, ANA, BEN, CAT)
            running = [asyncio.ensure_future(ana.exchange.run())]
            await settled()
            ben = Node(air, BEN, ANA, CAT)
            ben.members.found(CAT, AT_CAT)
            running.append(asyncio.ensure_future(ben.exchange.run()))
            await settled()
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            return ana.knows_of(CAT)

        assert asyncio.run(play()) == (AT_CAT,)

    @pytest.mark.parametrize(
        ("found", "reason"),
        [
            ({blinded(SALT, EVE): ["10.0.0.66:1"]}, Reason.PEERS_NOT_ASKED),
            ({blinded(SALT, CAT): ["10.0.0.66:1"]}, Reason.PEERS_NOT_ASKED),
            ({EVE.digest.hex(): ["10.0.0.66:1"]}, Reason.PEERS_NOT_ASKED),
            ({"x": 5}, Reason.PEERS_NOT_ASKED),
            ([], Reason.MALFORMED),
            (5, Reason.MALFORMED),
        ],
    )
    def test_nobody_can_introduce_another(self, found: Any, reason: Reason) -> None:
        """Ben, who was asked, tells of a stranger, or with a salt of his own, or something that is no
        answer."""

        def introduce(_air: Air, ana: Node, _ben: Node) -> None:
            ana.mesh.receive(Received(BEN, TOPIC, canonical({"found": found})))

        _, ana, _ = in_the_air(ask_once_more, introduce)

        assert set(ana.members.members) == {BEN, CAT}
        assert ana.knows_of(CAT) == (AT_CAT,)
        assert ana.mesh.counts.dropped_of(BEN) == {reason: 1}

    def test_an_answer_that_brings_another_along_is_not_taken(self) -> None:
        def tell(_air: Air, ana: Node, _ben: Node) -> None:
            [wanted] = ana.exchange._questions[-1].wanted
            found = {wanted: ["10.0.0.66:1"], blinded(SALT, EVE): ["10.0.0.66:1"]}
            ana.mesh.receive(Received(BEN, TOPIC, canonical({"found": found})))

        _, ana, _ = in_the_air(ask_once_more, tell)

        assert ana.knows_of(CAT) == (AT_CAT,)
        assert ana.mesh.counts.dropped_of(BEN) == {Reason.PEERS_NOT_ASKED: 1}

    def test_an_answer_counts_that_comes_after_the_next_question(self) -> None:
        """As where somebody has appeared meanwhile."""
        wanted: list[str] = []

        def note(_air: Air, ana: Node, _ben: Node) -> None:
            wanted.extend(ana.exchange._questions[-1].wanted)

        def answer_late(_air: Air, ana: Node, _ben: Node) -> None:
            ana.mesh.receive(Received(BEN, TOPIC, canonical({"found": {wanted[0]: ["10.0.0.8:1"]}})))

        _, ana, _ = in_the_air(ask_once_more, note, ask_once_more, answer_late)

        assert ana.knows_of(CAT) == (AT_CAT, Address("10.0.0.8", 1))
        assert ana.mesh.counts.dropped == {}

    def test_who_was_not_asked_has_nothing_to_tell(self) -> None:
        def tell(_air: Air, ana: Node, _ben: Node) -> None:
            ana.members.add(EVE)
            [wanted] = ana.exchange._questions[-1].wanted
            answer = canonical({"found": {wanted: ["10.0.0.66:1"]}})
            ana.mesh.receive(Received(EVE, TOPIC, answer))
            ana.mesh.receive(Received(BEN, TOPIC, answer))  # a second time

        _, ana, _ = in_the_air(tell)

        assert ana.knows_of(CAT) == (AT_CAT,)
        for key in (EVE, BEN):
            assert ana.mesh.counts.dropped_of(key) == {Reason.PEERS_NOT_ASKED: 1}

    def test_a_member_that_asks_without_end_is_answered_now_and_then(self) -> None:
        question = canonical({"salt": SALT.hex(), "wanted": [blinded(SALT, CAT)]})

        def ask(air: Air, _ana: Node, ben: Node) -> None:
            ben.now = 1_000.0
            air.sent.clear()
            for _ in range(5):
                ben.mesh.receive(Received(ANA, TOPIC, question))

        def later(_air: Air, _ana: Node, ben: Node) -> None:
            ben.now += ANSWERED_EACH_S
            ben.mesh.receive(Received(ANA, TOPIC, question))

        assert len(in_the_air(ask)[0].sent) == 1
        assert len(in_the_air(ask, later)[0].sent) == 2

    @given(
        st.binary(max_size=100)
        | st.dictionaries(st.sampled_from(["salt", "wanted", "found"]), st.text()).map(canonical)
    )
    def test_whatever_a_member_sends_does_no_harm(self, body: bytes) -> None:
        _, ana, _ = in_the_air(lambda air, ana, ben: ana.mesh.receive(Received(BEN, TOPIC, body)))

        assert ana.knows_of(CAT) == (AT_CAT,)

    def test_an_answer_fits_into_a_message(self) -> None:
        members = KnownMembers()
        keys = [KeyId(number.to_bytes(32)) for number in range(1_000)]
        for key in keys:
            members.add(key, *(Address(f"{'x' * 60}.example.org", port) for port in range(1, 9)))

        found = known_of(SALT, {blinded(SALT, key) for key in keys}, members.all(), ANA)

        assert 0 < len(found) <= MAX_TOLD
        assert len(canonical({"found": found})) <= MAX_BODY_BYTES
