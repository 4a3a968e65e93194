"""What clients report of the mesh: taken as it was said, refused where it cannot be, and shown over REST."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from flask import g
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from app.api.mesh import mesh_api
from app.api.openapi import create_openapi_app
from app.auth.identity import By, Credential, Identity
from app.auth.roles import Role
from app.event_bus import EventBus
from app.federation.link.admission import objection
from app.federation.link.clients import ClientRegistry
from app.federation.link.mesh_blocks import MeshBlocks
from app.federation.link.mesh_reports import mesh_of, now_of, story_of
from app.records import MeshFolder, MeshRound
from app.records.mesh import MAX_AVERAGED_WITH, MAX_MESH_ROUNDS
from client.offline.now import Rates, now_frame
from client.offline.report import report
from client.offline.rounds import MAX_ROUNDS, MeshRounds
from mesh.connection import Traffic
from mesh.files.states import FileCondition, FileState, FolderView, RefusedCount
from mesh.gossip import MeshRound as DoneRound
from mesh.learning.base import Base
from mesh.learning.trainer import Evaluated
from mesh.node import PeerState, PeerView
from shared.errors import WireError
from shared.proto.link_pb2 import MeshBlocked, MeshReport
from shared.proto.link_pb2 import MeshFolder as FolderFrame
from shared.proto.link_pb2 import MeshNow as NowFrame
from shared.proto.link_pb2 import MeshRound as RoundFrame
from shared.proto.link_pb2 import MeshWay as WayFrame
from shared.wire import PROTOCOL_VERSION
from tests.support.mesh import a_key
from tests.support.records import A_KEY, a_hello

BASE = Base("7f3a9c01", 1, 3, bytes(32))


def a_round(number: int, *, loss: float | None = 0.5, accuracy: float | None = 0.9) -> DoneRound:
    return DoneRound(
        mesh_round=number,
        loss=loss,
        sent_to=(),
        averaged_with=(a_key(2), a_key(3), a_key(2)),
        divergence=None if accuracy is None else 0.01,
        clipped=0,
        evaluated=None if accuracy is None else Evaluated(accuracy, 0.4, 10),
        peers=2,
        mass=1.0,
        refused={},
    )


def gone(*done: DoneRound, before: int = 0) -> MeshRounds:
    rounds = MeshRounds(clock=lambda: 100.0)
    for each in done:
        rounds.add(BASE, before, each)
    return rounds


def test_a_round_comes_to_the_server_as_the_client_has_gone_it() -> None:
    rounds = gone(a_round(1), a_round(2, loss=None, accuracy=None), before=4)

    told = story_of(report([], [], None, rounds.all(), {a_key(9): "mallory"}))

    keys = (str(a_key(2)), str(a_key(3)))
    common: dict[str, Any] = {"run_id": "7f3a9c01", "base_round": 3, "time": 100.0, "averaged_with": keys}
    assert told.rounds == (
        MeshRound(number=5, loss=0.5, accuracy=0.9, divergence=0.01, **common),
        MeshRound(number=6, loss=None, accuracy=None, divergence=None, **common),
    )
    assert [(each.key, each.name) for each in told.blocked] == [(str(a_key(9)), "mallory")]


def test_a_client_keeps_the_newest_and_says_when_there_is_one_more() -> None:
    rounds, seen = MeshRounds(), []
    rounds.watch(lambda: seen.append(len(rounds.all())))

    for number in range(1, MAX_ROUNDS + 3):
        rounds.add(BASE, 0, a_round(number))

    assert [rounds.all()[0].number, rounds.all()[-1].number] == [3, MAX_ROUNDS + 2]
    assert seen[:2] == [1, 2]
    assert len(story_of(report([], [], None, rounds.all())).rounds) == MAX_MESH_ROUNDS


A_FRAME = RoundFrame(run_id=1, base_round=1, number=1, time=1.0, averaged_with=[bytes(32)])


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 0},
        {"base_round": 2**32 - 1},
        {"time": math.inf},
        {"accuracy": math.nan},
        {"divergence": -math.inf},
        {"averaged_with": [b"short"]},
        {"averaged_with": [bytes(32)] * (MAX_AVERAGED_WITH + 1)},
    ],
)
def test_a_round_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"run_id": 1, "base_round": 1, "number": 1, "time": 1.0, **changes}
    story_of(MeshReport(rounds=[A_FRAME]))

    with pytest.raises(WireError):
        story_of(MeshReport(rounds=[RoundFrame(**fields)]))


@pytest.mark.parametrize(
    "told",
    [
        MeshReport(rounds=[A_FRAME] * (MAX_MESH_ROUNDS + 1)),
        MeshReport(blocked=[MeshBlocked(key=bytes(32))] * 1_001),
        MeshReport(blocked=[MeshBlocked(key=b"short")]),
    ],
)
def test_and_nobody_comes_in_with_more_than_is_taken(told: MeshReport) -> None:
    assert objection(a_hello(protocol=PROTOCOL_VERSION, mesh=MeshReport(rounds=[A_FRAME]))) is None

    assert "says of the mesh" in (objection(a_hello(protocol=PROTOCOL_VERSION, mesh=told)) or "")


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        told = MeshReport.FromString(data)
    except DecodeError:
        return
    try:
        mesh, story = mesh_of(told), story_of(told)
    except WireError:
        return
    assert mesh.rounds == len(story.rounds)


VIEW = FolderView(
    id="reports",
    path="/srv/reports",
    receive_only=True,
    in_sync=1,
    files=3,
    conflicts=("a.conflict",),
    not_in_sync=(
        FileState("b", FileCondition.COMING, 1, 4),
        FileState("c", FileCondition.COMING, 2, 6),
        FileState("d", FileCondition.WAITING, why="others come first"),
    ),
    refused=(RefusedCount("x", 2), RefusedCount("y", 3)),
    bytes=5_000,
    peers=1,
    alike=2,
)


def test_what_changes_all_the_time_comes_as_numbers_without_names_of_files() -> None:
    near = PeerView(a_key(2), "b", PeerState.ONLINE, 1, 0.25)
    far = PeerView(a_key(3), "c", PeerState.ONLINE, 2, None)
    gone = PeerView(a_key(4), "d", PeerState.OFFLINE, None, None)
    frame = now_frame([near, far, gone], {near.key: (1200.0, 30.0)}, [VIEW])

    now = now_of(NowFrame.FromString(frame.SerializeToString()), 7.0)

    assert [(way.key, way.latency_s, way.sent_per_s, way.received_per_s) for way in now.ways] == [
        (str(near.key), 0.25, 1200.0, 30.0),
        (str(far.key), None, None, None),
    ]
    (folder,) = now.folders
    assert folder == MeshFolder(
        id="reports",
        receive_only=True,
        files=3,
        in_sync=1,
        bytes=5_000,
        conflicts=1,
        coming=2,
        chunks=3,
        of_chunks=10,
        refused=5,
        peers=1,
        alike=1,  # a member that has left since is not counted
        failed=False,
    )
    assert b"srv" not in frame.SerializeToString()


@pytest.mark.parametrize(
    "told",
    [
        NowFrame(ways=[WayFrame(key=b"short")]),
        NowFrame(ways=[WayFrame(key=bytes(32), latency_s=-1.0)]),
        NowFrame(ways=[WayFrame(key=bytes(32), sent_per_s=math.inf)]),
        NowFrame(folders=[FolderFrame(id="../up")]),
        NowFrame(folders=[FolderFrame(id="a", files=1, in_sync=2)]),
        NowFrame(folders=[FolderFrame(id="a", bytes=1 << 63)]),
        NowFrame(folders=[FolderFrame(id="a")] * 101),
    ],
)
def test_what_cannot_be_is_refused(told: NowFrame) -> None:
    with pytest.raises(WireError):
        now_of(told, 7.0)


def test_rates_are_of_the_time_since_they_were_measured_last() -> None:
    clock = [0.0]
    rates, peer = Rates(lambda: clock[0]), a_key(2)
    for at, traffic, expected in (
        (2.0, Traffic(200, 20), (100.0, 10.0)),
        (4.0, Traffic(200, 40), (0.0, 10.0)),
        (6.0, Traffic(50, 10), (25.0, 5.0)),  # a new link
    ):
        clock[0] = at
        rates.measure({peer: traffic})
        assert rates.newest == {peer: expected}
    rates.measure({})
    assert rates.newest == {}


def test_the_mesh_is_shown_with_what_is_too_much_for_each_event() -> None:
    registry = ClientRegistry(EventBus())
    registry.connected(a_hello("client-2"), A_KEY)
    registry.connected(a_hello("client-1", mesh=MeshReport(rounds=[A_FRAME])), A_KEY)
    flask_app = create_openapi_app("app")
    flask_app.extensions["fedloom"] = SimpleNamespace(
        registry=registry, link=SimpleNamespace(mesh_blocks=MeshBlocks(None))
    )
    flask_app.register_api(mesh_api)

    @flask_app.before_request
    def sent_by_the_owner() -> None:
        g.identity = Identity(Role.VIEWER, By.OWNER, None, Credential(By.OWNER))

    (node,) = flask_app.test_client().get("/api/v1/mesh").get_json()["nodes"]

    assert (node["id"], node["key"], node["mesh"]["rounds"]) == ("client-1", A_KEY, 1)
    assert [each["number"] for each in node["story"]["rounds"]] == [1]

    registry.meshes("client-1", report([], [], None, gone(a_round(1), a_round(2)).all()))

    (node,) = flask_app.test_client().get("/api/v1/mesh").get_json()["nodes"]
    assert [each["number"] for each in node["story"]["rounds"]] == [1, 2]
    assert registry.known("client-1").mesh is not None
