"""What a node has not taken in the mesh: one list of it, told to the server and shown in words."""

from __future__ import annotations

import pytest

from app.federation.link.mesh_reports import now_of
from app.records.mesh import MAX_REFUSALS
from client.offline.now import now_frame
from mesh.learning.transfers import FAULTS
from mesh.protocol.counts import Reason
from mesh.protocol.mesh_pb2 import Refusal as Code
from mesh.refusals import CONNECTION, MODEL, NO_REFUSALS, WORDS, Refusal, refusals
from mesh.refused_models import RefusedModels
from mesh.status import MeshStatus, PeerStatus
from mesh.trust.open_invitations import Refusal as InvitationRefusal
from shared.errors import WireError
from shared.proto.link_pb2 import MeshNow, MeshRefusal
from shared.security.key_id import KeyId
from tests.support.mesh import a_key

BEN = a_key(2)


def a_peer(key: KeyId, dropped: dict[str, int], models: dict[str, int]) -> PeerStatus:
    return PeerStatus(str(key), "ben", "paired", "online", 1, 0.1, 0.5, [], 1, 1, dropped, models)


def a_status(
    dropped: dict[str, int], peers: list[PeerStatus], refused: dict[str, int], models: dict[str, int]
) -> MeshStatus:
    return MeshStatus(
        key=str(a_key(1)),
        name="ana",
        epoch=1,
        listening=[],
        peers=peers,
        links=[],
        one_sided=[],
        dropped=dropped,
        refused=refused,
        refused_models=models,
        duplicates=9,
        sent_bytes=0,
        received_bytes=0,
    )


class TestOneList:
    def test_it_names_whom_it_came_by_where_that_is_known(self) -> None:
        peer = a_peer(BEN, {"replay": 2}, {"norm": 1})
        status = a_status({"replay": 5, "rate": 4}, [peer], {"stranger": 7}, {"norm": 1})

        assert refusals(status, {"used-token": 1}) == [
            Refusal(None, "connection-stranger", 7),
            Refusal(None, "rate", 4),
            Refusal(None, "replay", 3),
            Refusal(str(BEN), "replay", 2),
            Refusal(None, "used-token", 1),
            Refusal(str(BEN), "model-norm", 1),
        ]

    def test_what_could_not_be_passed_on_is_nobodys_fault(self) -> None:
        assert refusals(a_status({"no-route": 3, "queue-full": 2}, [], {}, {}), {}) == []

    def test_all_that_there_can_be_has_words(self) -> None:
        codes = {reason.value for reason in Reason} - {reason.value for reason in NO_REFUSALS}
        codes |= {reason.value for reason in InvitationRefusal}
        codes |= {f"{MODEL}{outcome}" for outcome in FAULTS}
        connections = {"too-many", "no-hello"} | {
            name.lower().replace("_", "-")
            for name in Code.DESCRIPTOR.enum_types_by_name["Code"].values_by_name
            if name not in ("NONE", "SUPERSEDED")
        }
        codes |= {f"{CONNECTION}{reason}" for reason in connections}

        assert codes == WORDS.keys() - {"other"}


class TestModels:
    def test_sums_are_over_all_senders(self) -> None:
        counts = RefusedModels()
        for sender in (a_key(1), a_key(2), a_key(2)):
            counts.count(sender, "norm")

        assert (counts.total, counts.of(a_key(2))) == ({"norm": 3}, {"norm": 2})


class TestToldToTheServer:
    def test_it_comes_as_it_was_said(self) -> None:
        told = now_frame((), {}, (), [Refusal(str(BEN), "bad-signature", 12), Refusal(None, "rate", 3)])

        found = now_of(told, 100.0).refused

        assert [(each.key, each.reason, each.count) for each in found] == [
            (str(BEN), "bad-signature", 12),
            (None, "rate", 3),
        ]
        assert found[0].words == "a forged message: its signature is wrong"

    def test_a_reason_that_is_not_known_here_is_another_one(self) -> None:
        (refusal,) = now_of(MeshNow(refused=[MeshRefusal(reason="<b>new", count=1)]), 1.0).refused

        assert refusal.reason == "other"

    @pytest.mark.parametrize(
        "refused",
        [
            [MeshRefusal(reason="rate", count=0)],
            [MeshRefusal(reason="rate", count=1 << 60)],
            [MeshRefusal(reason="rate", count=1, key=b"short")],
            [MeshRefusal(reason="rate", count=1)] * (MAX_REFUSALS + 1),
        ],
    )
    def test_what_cannot_be_is_refused(self, refused: list[MeshRefusal]) -> None:
        with pytest.raises(WireError, match="mesh"):
            now_of(MeshNow(refused=refused), 1.0)

    def test_a_node_that_has_refused_very_much_tells_the_most_frequent(self) -> None:
        much = [Refusal(None, "rate", 10_000 - number) for number in range(2 * MAX_REFUSALS)]

        counts = [each.count for each in now_of(now_frame((), {}, (), much), 1.0).refused]

        assert counts == [10_000 - number for number in range(MAX_REFUSALS)]
