"""Who wants to become a member of a real node's mesh and is not wanted: thieves, and those whom a member
brings along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh.discovery.exchange import TOPIC, blinded
from mesh.handshake import HandshakeFailed
from mesh.protocol.envelope import Envelope, Kinds
from shared.canonical import canonical, from_canonical
from tests.support.attacked_nodes import Attacked, attacked_nodes, require_dropped, require_serves
from tests.support.hostile_member import HostileMember, signed_envelope
from tests.support.mesh_crew import told
from tests.support.mesh_nodes import MeshNode
from tests.support.waiting import wait_until


@pytest.fixture
def attacked(tmp_path: Path) -> Iterator[Attacked]:
    """New ones each time: what they count here is put down to nobody."""
    with attacked_nodes(tmp_path) as attacked:
        yield attacked


@pytest.fixture
def eve(attacked: Attacked) -> Iterator[HostileMember]:
    """Nobody's member."""
    with attacked.enemy("eve") as eve:
        yield eve


@pytest.fixture
def dora(tmp_path: Path) -> Iterator[MeshNode]:
    """Whom Ana means to invite."""
    dora = MeshNode("dora", tmp_path / "dora")
    yield dora
    dora.end()


def names_of(node: MeshNode) -> set[str]:
    """Whom it trusts."""
    return {peer["name"] for peer in told(node, "peers")["peers"]}


def refused_by(node: MeshNode) -> dict[str, int]:
    """By reason."""
    return dict(told(node, "status")["refused"])


def require_stranger(eve: HostileMember, attacked: Attacked) -> None:
    """She gets no link, which is counted and said."""
    before = refused_by(attacked.ana).get("stranger", 0)
    with pytest.raises(HandshakeFailed, match="does not trust yours"):
        eve.link()
    assert refused_by(attacked.ana)["stranger"] == before + 1
    attacked.ana.wait_for_output("refused a connection: stranger, ")
    require_serves(attacked.ana, attacked.ben)


def test_a_thief_who_comes_first_is_seen_by_both_ends_and_is_out_once_unpaired(
    attacked: Attacked, eve: HostileMember, dora: MeshNode
) -> None:
    ana, invitation = attacked.ana, attacked.ana.invite()
    code = eve.join(invitation).code
    eve.link()
    late = dora.attempt("join", invitation)

    assert late.returncode == 1
    assert "Somebody else has used the invitation" in late.stderr
    ana.wait_for_output(rf"paired with eve, key {eve.id.short}….*{code}")
    assert refused_by(ana)["used-token"] == 1
    ana.ask("unpair", "eve")

    wait_until(lambda: not eve.is_linked, "her link is ended")
    assert names_of(ana) == {"ben", "cleo"}
    require_stranger(eve, attacked)


def test_a_member_cannot_introduce_anybody(attacked: Attacked, eve: HostileMember) -> None:
    """It says where Eve is, when it is asked for others and when it is not, and passes on what she says."""
    ana = attacked.ana
    with attacked.enemy("mallory") as mallory:
        answered: list[Envelope] = []

        def introduction(salt: str) -> bytes:
            return canonical({"found": {blinded(bytes.fromhex(salt), eve.id): ["127.0.0.1:9"]}})

        mallory.on_direct = answered.append
        mallory.enter()
        wait_until(
            lambda: [each for each in answered if each.topic == TOPIC], "Ana asks for those who are away"
        )
        question = next(from_canonical(each.body) for each in answered if each.topic == TOPIC)
        for _ in range(3):
            mallory.put(mallory.direct(introduction(question["salt"]), TOPIC))
        mallory.put(mallory.direct(canonical({"wanted": []}), TOPIC), mallory.direct(b"Eve!", TOPIC))
        hers: dict[str, Any] = {
            "kind": Kinds.FLOOD,
            "sender": eve.id.digest,
            "epoch": eve.epoch,
            "topic": "text",
        }
        mallory.put(
            *(signed_envelope(eve.key, sequence=number, body=b"evil", **hers) for number in (1, 2, 3))
        )

        require_dropped(ana, "mallory", "unknown-sender", 3)
        require_dropped(ana, "mallory", "peers-not-asked", 3)
        require_dropped(ana, "mallory", "malformed", 2)
        assert re.search("of mallory: .*peers-not-asked 3", ana.ask("status"))
    assert names_of(ana) == {"ben", "cleo", "mallory"}
    assert "message from eve" not in ana.output
    assert str(eve.id) not in str(told(ana, "status"))
    require_stranger(eve, attacked)
