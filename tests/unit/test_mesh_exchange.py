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
        "found",
        [
            {blinded(SALT, EVE): ["10.0.0.66:1"]},
            {blinded(SALT, CAT): ["10.0.0.66:1"]},
            {EVE.digest.hex(): ["10.0.0.66:1"]},
            {},
            [],
            {"x": 5},
            5,
        ],
    )
    def test_nobody_can_introduce_another(self, found: Any) -> None:
        """Ben tells of a stranger, or with a salt of his own, or something that is no answer."""

        def introduce(_air: Air, ana: Node, _ben: Node) -> None:
            ana.mesh.receive(Received(BEN, TOPIC, canonical({"found": found})))

        _, ana, _ = in_the_air(introduce)

        assert set(ana.members.members) == {BEN, CAT}
        assert ana.knows_of(CAT) == (AT_CAT,)

    def test_who_was_not_asked_has_nothing_to_tell(self) -> None:
        def tell(_air: Air, ana: Node, _ben: Node) -> None:
            ana.members.add(EVE)
            [wanted] = ana.exchange._wanted
            answer = canonical({"found": {wanted: ["10.0.0.66:1"]}})
            ana.mesh.receive(Received(EVE, TOPIC, answer))
            ana.mesh.receive(Received(BEN, TOPIC, answer))  # a second time

        _, ana, _ = in_the_air(tell)

        assert ana.knows_of(CAT) == (AT_CAT,)

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
