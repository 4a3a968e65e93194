"""What the server makes of what clients say of the mesh: for whom it vouches, what it shows and keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.mesh import nodes_of
from app.event_bus import EventBus
from app.federation.link import mesh_roster
from app.federation.link.admission import objection
from app.federation.link.clients import ClientRegistry
from app.federation.link.door import Guest
from app.federation.link.mesh_blocks import MeshBlocks
from app.federation.link.mesh_reports import mesh_of, peers_of
from app.federation.link.mesh_roster import ROSTER, MeshRoster
from app.federation.runs.book import RunBook
from app.federation.runs.mesh_book import RunMeshBook
from app.records import ClientMesh, MeshBlock, MeshProgress, RunState
from mesh.learning.base import Base
from shared.errors import WireError
from shared.flower import node_id_of
from shared.proto.link_pb2 import MeshNow, MeshPeer, MeshReport, MeshWay, ServerFrame
from shared.proto.link_pb2 import MeshProgress as ProgressFrame
from shared.run_spec import RunSpec
from shared.security.roster import Roster
from shared.wire import PROTOCOL_VERSION
from tests.support.records import A_KEY, a_hello, a_run
from tests.support.sealing import SERVER, a_key

LIMIT_S = 10.0
PROGRESS = ProgressFrame(run_id=7, contribution=11, generation=1 << 32, base_round=3, rounds=6)


class Session:
    """A connected client, of which is kept what it is sent."""

    def __init__(self, client_id: str, *addresses: str, in_mesh: bool = True) -> None:
        self.client_id = client_id
        mesh = MeshReport(addresses=addresses) if in_mesh else None
        self.hello = a_hello(client_id, mesh=mesh)
        self.guest = Guest(self.hello, a_key(client_id).public)
        self.sent: list[ServerFrame] = []

    def send(self, frames: Any) -> None:
        self.sent += frames

    @property
    def rosters(self) -> list[Roster]:
        return [Roster.verified(frame.roster.signed, [a_key(SERVER).public.id]) for frame in self.sent]


class Server:
    """A server's roster, its clients, and who is a member."""

    def __init__(self, file: Path | None = None) -> None:
        self.sessions: list[Session] = []
        self.revoked: set[str] = set()
        enrolment = SimpleNamespace(is_admitted=lambda name, _: name not in self.revoked)
        self.blocks = MeshBlocks(None)
        self.roster = MeshRoster(a_key(SERVER), enrolment, lambda: self.sessions, self.blocks, file)  # type: ignore[arg-type,return-value]

    def enters(self, session: Session) -> None:
        self.sessions.append(session)
        self.roster.entered(session.guest, session)  # type: ignore[arg-type]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await asyncio.sleep(0.01)

    def run(self, scene: Callable[[], Any]) -> None:
        async def main() -> None:
            signing = asyncio.create_task(self.roster.run())
            try:
                await scene()
            finally:
                signing.cancel()

        asyncio.run(main())


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_roster, "SETTLE_S", 0.0)


def names(roster: Roster) -> set[str]:
    return {member.name for member in roster.members}


def test_the_server_vouches_for_the_clients_in_the_mesh_and_tells_them_alone() -> None:
    server = Server()
    meshed, other, without = Session("a", "127.0.0.1:5"), Session("b"), Session("c", in_mesh=False)

    async def scene() -> None:
        for session in (meshed, other, without):
            server.enters(session)
        await server.until(lambda: bool(other.sent and names(other.rosters[-1]) == {"a", "b"}))

    server.run(scene)
    newest = meshed.rosters[-1]
    (a,) = (member for member in newest.members if member.name == "a")
    assert (a.key.id, list(map(str, a.addresses))) == (a_key("a").public.id, ["127.0.0.1:5"])
    assert without.sent == []


def test_whom_the_server_does_not_vouch_for_is_left_out_until_that_is_taken_back() -> None:
    server = Server()
    first, second = Session("a", "127.0.0.1:5"), Session("b", "127.0.0.1:6")
    key = str(a_key("b").public.id)

    async def scene() -> None:
        for session in (first, second):
            server.enters(session)
        await server.until(lambda: bool(first.sent and names(first.rosters[-1]) == {"a", "b"}))
        server.blocks.add(MeshBlock(key=key, client="b", by="ana", time=1.0, reason=""))
        server.roster.standing_changed()
        await server.until(lambda: names(first.rosters[-1]) == names(second.rosters[-1]) == {"a"})
        server.roster.reported(second, MeshReport(addresses=["127.0.0.1:7"]))  # type: ignore[arg-type]
        server.blocks.remove(key)
        server.roster.standing_changed()
        await server.until(lambda: names(first.rosters[-1]) == {"a", "b"})

    server.run(scene)
    assert [list(map(str, each.addresses)) for each in first.rosters[-1].members if each.name == "b"] == [
        ["127.0.0.1:7"]
    ]


def test_each_roster_is_newer_than_those_before_also_over_restarts(tmp_path: Path) -> None:
    file = tmp_path / ROSTER
    first = Server(file)
    session = Session("a", "127.0.0.1:5")

    async def scene() -> None:
        first.enters(session)
        await first.until(lambda: len(session.sent) == 1)
        first.roster.reported(session, MeshReport(addresses=["127.0.0.1:6"]))  # type: ignore[arg-type]
        await first.until(lambda: len(session.sent) == 2)

    first.run(scene)
    again = Server(file)
    newcomer = Session("b")

    async def later() -> None:
        again.enters(newcomer)
        await again.until(lambda: bool(newcomer.sent))

    again.run(later)
    versions = [roster.version for roster in (*session.rosters, *newcomer.rosters)]
    assert versions[0] < versions[1] < versions[-1]
    assert names(newcomer.rosters[-1]) == {"a", "b"}, "who has not come back yet is still a member"


def test_who_is_revoked_is_taken_off() -> None:
    server = Server()
    good, bad = Session("a"), Session("b")

    async def scene() -> None:
        for session in (good, bad):
            server.enters(session)
        await server.until(lambda: bool(good.sent and len(good.rosters[-1].members) == 2))
        server.revoked.add("b")
        server.roster.standing_changed()
        await server.until(lambda: names(good.rosters[-1]) == {"a"})

    server.run(scene)


def test_a_file_of_somebody_elses_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / ROSTER
    key = a_key("another server")
    file.write_bytes(Roster(key.public.id, 1, 1, ()).signed(key))
    file.chmod(0o600)

    Server(file)

    assert "begins anew" in caplog.text


def test_a_report_is_shown_as_it_is() -> None:
    peer = MeshPeer(key=a_key("b").public.id.digest, state="online", hops=2, latency_s=0.5)
    report = MeshReport(addresses=["[::1]:5"], progress=PROGRESS, peers=[peer])
    mesh, (shown,) = mesh_of(report), peers_of(report)

    assert mesh.addresses == ("[::1]:5",)
    assert mesh.progress == MeshProgress(
        run_id="00000007", contribution=11, generation=1 << 32, base_round=3, rounds=6
    )
    assert mesh.online == 1
    assert (shown.key, shown.hops, shown.latency_s) == (str(a_key("b").public.id), 2, 0.5)


WRONG = [
    MeshReport(addresses=["nowhere"]),
    MeshReport(addresses=["127.0.0.1:5"] * 9),
    MeshReport(peers=[MeshPeer(key=b"short", state="online")]),
    MeshReport(peers=[MeshPeer(key=bytes(32), state="asleep")]),
    MeshReport(peers=[MeshPeer(key=bytes(32), state="online", latency_s=float("nan"))]),
    MeshReport(peers=[MeshPeer(key=bytes(32), state="online")] * 1_001),
    MeshReport(progress=ProgressFrame(run_id=7, contribution=0, generation=1, rounds=1)),
    MeshReport(progress=ProgressFrame(run_id=7, contribution=1 << 60, generation=1, rounds=1)),
    MeshReport(progress=ProgressFrame(run_id=7, contribution=1, generation=1, rounds=0)),
]


@pytest.mark.parametrize("report", WRONG)
def test_what_no_client_says_is_refused_in_a_hello_and_later(report: MeshReport) -> None:
    with pytest.raises(WireError):
        mesh_of(report), peers_of(report)
    said = objection(a_hello("a", protocol=PROTOCOL_VERSION, mesh=report))
    assert said is not None
    assert "the mesh" in said


@given(st.binary(max_size=300))
def test_whatever_bytes_come_as_a_report_are_taken_or_refused(data: bytes) -> None:
    try:
        report = MeshReport.FromString(data)
    except Exception:  # noqa: BLE001 - protobuf's own refusal, which the link has before
        return
    with suppress(WireError):
        assert isinstance(mesh_of(report), ClientMesh)
        assert len(peers_of(report)) == len(report.peers)


class Run:
    """A run in the book of a server, and its record of the mesh."""

    def __init__(self) -> None:
        bus = EventBus()
        self.registry = ClientRegistry(bus)
        run = a_run("00000007", state=RunState.RUNNING, spec=RunSpec(local_epochs=2, batch_size=10))
        self.book = RunBook(bus, [run])
        services = SimpleNamespace(book=self.book, registry=self.registry)
        self.mesh = RunMeshBook(run, None, None, services)  # type: ignore[arg-type]

    def generations(self) -> list[int]:
        mesh = self.book.run("00000007").mesh
        assert mesh is not None
        return [generation.number for generation in mesh.generations]


def test_each_taking_up_of_a_run_is_a_generation_of_its_own() -> None:
    run = Run()

    run.mesh.begin(0)
    run.mesh.begin(3)

    first, second = run.generations()
    assert first < second == run.mesh.generation


def test_progress_is_waited_for_from_those_who_are_there_and_have_some_of_this_run() -> None:
    run = Run()
    for name, mesh in (
        ("a", MeshReport(progress=PROGRESS)),
        ("b", MeshReport()),
        ("c", None),
        ("d", MeshReport(progress=ProgressFrame(run_id=8, contribution=5, generation=1, rounds=1))),
        ("e", MeshReport(progress=PROGRESS)),
    ):
        run.registry.connected(a_hello(name, mesh=mesh), A_KEY)
    run.registry.lost("e")

    assert run.mesh.waiting() == {node_id_of("a"): 11}


def test_a_base_is_known_by_the_generation_whose_server_made_it() -> None:
    run = Run()
    run.mesh.begin(0)
    run.mesh.begin(3)
    first, second = run.generations()

    def since(generation: int, round_: int, done: int = 5) -> int | None:
        progress = run.mesh.since(Base("00000007", generation, round_, b""), done)
        return None if progress is None else progress.rounds

    assert since(first, 2) == 3
    assert since(first, 4) == 2, "its line broke off after round 3"
    assert since(second, 4) == 1
    assert since(second, 6) is None, "this server has not gone so far"
    assert since(second + 1, 4) is None, "another server has made it"
    assert run.mesh.since(Base("00000008", first, 2, b""), 5) is None


def test_clients_are_shown_with_what_they_see_of_each_other() -> None:
    registry = ClientRegistry(EventBus())
    peer = MeshPeer(key=a_key("b").public.id.digest, state="online", hops=1)
    registry.connected(a_hello("a", mesh=MeshReport(addresses=["127.0.0.1:5"])), A_KEY)
    registry.meshes("a", MeshReport(addresses=["127.0.0.1:6"], peers=[peer]))
    registry.connected(a_hello("b"), A_KEY)
    registry.lost("a")

    (node,) = nodes_of(registry)

    assert (node.id, node.connected, node.mesh.addresses) == ("a", False, ("127.0.0.1:6",))
    assert [(each.state, each.hops) for each in node.peers] == [("online", 1)]
    assert node.now is None


def test_what_changes_all_the_time_is_shown_without_being_published() -> None:
    bus = EventBus()
    registry = ClientRegistry(bus)
    key = a_key("b").public.id
    peer = MeshPeer(key=key.digest, state="online", hops=1)
    registry.connected(a_hello("a", mesh=MeshReport(peers=[peer])), A_KEY)
    told = bus.last

    way = MeshWay(key=key.digest, latency_s=0.25, sent_per_s=10.0, received_per_s=0.0)
    registry.meshes_now("a", MeshNow(ways=[way]))

    (node,) = nodes_of(registry)
    assert node.now is not None
    assert [(each.key, each.sent_per_s) for each in node.now.ways] == [(str(key), 10.0)]
    assert [each.latency_s for each in node.peers] == [0.25]
    assert bus.last == told
