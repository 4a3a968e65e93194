"""The parts of what a client does without its server: memory, history, the runtime's turn, flags."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from client.cli import parse
from client.offline.history import MAX_LINES, History
from client.offline.memory import RunMemory
from client.offline.report import but_for_latency, report
from client.offline.runtime_trainer import RuntimeTrainer
from client.runtime import Place
from client.settings import MESH_AFTER_S, MeshOptions
from mesh.learning.arrays import Arrays
from mesh.learning.trainer import Evaluated, Trained
from mesh.node import PeerState, PeerView
from shared.address import Address
from shared.errors import Cancelled
from shared.mesh_progress import MeshProgress
from shared.proto.link_pb2 import LogLine
from shared.run_spec import RunSpec
from tests.support.sealing import SERVER, a_key
from tests.support.signed_models import RUN_ID, a_signed_model

ME = ["--client-id", "client-1"]
LIMIT_S = 10.0


def a_place(run_id: int = RUN_ID) -> Place:
    return Place(run_id, {}, RunSpec().to_run_config(), threads=1)


def test_the_newest_model_is_kept_by_its_servers_turn_and_round() -> None:
    memory = RunMemory()
    memory.placed(a_place())
    generations = (1 << 32, 2 << 32)
    for generation, server_round in ((generations[0], 6), (generations[1], 4), (generations[1], 3)):
        memory.saw(
            a_signed_model(a_key(SERVER), a_key("a"), generation=generation, server_round=server_round)
        )

    newest = memory.newest
    assert newest is not None
    assert (newest.base.generation, newest.base.round) == (generations[1], 3)


def test_a_model_of_another_run_is_not() -> None:
    memory = RunMemory()
    memory.placed(a_place())

    memory.saw(a_signed_model(a_key(SERVER), a_key("a"), run_id=RUN_ID + 1))

    assert memory.newest is None


def test_a_place_in_another_run_ends_what_belongs_to_the_one_before() -> None:
    memory = RunMemory()
    memory.placed(a_place())
    memory.saw(a_signed_model(a_key(SERVER), a_key("a")))
    memory.placed(a_place(RUN_ID + 1))

    assert memory.newest is None


def test_history_keeps_the_newest_lines_and_says_what_is_missing() -> None:
    history = History(clock=lambda: 3_661.0)
    for number in range(MAX_LINES + 3):
        history.add(LogLine(level="info", logger="x", message=f"line {number}"))

    lines = history.take()

    assert "3 earlier lines" in lines[0].message
    assert lines[1].message == "[01:01:01 UTC] line 3"
    assert lines[-1].message.endswith(f"line {MAX_LINES + 2}")
    assert history.take() == []


class Never:
    """A trainer that is not to be asked."""

    def samples(self) -> int:
        raise AssertionError

    def train(self, model: Arrays, mesh_round: int, should_stop: Callable[[], bool]) -> Trained:
        raise AssertionError

    def evaluate(self, model: Arrays) -> Evaluated | None:
        raise AssertionError


def test_what_waits_for_the_runtime_in_vain_is_given_up_and_never_done() -> None:
    queued: list[Callable[[], None]] = []
    trainer = RuntimeTrainer(Never(), queued.append)
    raised: list[BaseException] = []

    def train() -> None:
        try:
            trainer.train({}, 1, lambda: False)
        except Cancelled as error:
            raised.append(error)

    thread = threading.Thread(target=train)
    thread.start()
    trainer.give_up()
    thread.join(LIMIT_S)

    assert len(raised) == 1
    assert trainer.evaluate({}) is None
    for work in queued:
        work()  # when the runtime comes to it


def test_what_a_training_raises_is_raised_where_it_was_asked_for() -> None:
    trainer = RuntimeTrainer(Never(), lambda work: work())

    with pytest.raises(AssertionError):
        trainer.samples()


def test_progress_is_read_back_and_nothing_else(tmp_path: Path) -> None:
    progress = MeshProgress(run="00000007", base_round=3, rounds=2, accuracy=0.5)
    progress.save(tmp_path)

    assert MeshProgress.load(tmp_path) == progress
    assert MeshProgress.load(tmp_path / "nowhere") is None
    (tmp_path / "progress.json").write_text("{}")
    assert MeshProgress.load(tmp_path) is None


def test_without_the_flag_a_client_is_not_in_the_mesh() -> None:
    assert parse(ME).mesh is None
    assert parse([*ME, "--enable-mesh"]).mesh == MeshOptions(0, MESH_AFTER_S, (), ())


def test_the_flags_of_the_mesh_reach_their_settings() -> None:
    flags = "--mesh-port 7 --mesh-after 2.5 --mesh-join a.example:5 --mesh-interface lo"

    assert parse([*ME, "--enable-mesh", *flags.split()]).mesh == MeshOptions(
        7, 2.5, (Address("a.example", 5),), ("lo",)
    )


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--mesh-port", "7"], "--mesh-port needs --enable-mesh"),
        (["--enable-mesh", "--mesh-port", "70000"], "not a port"),
        (["--enable-mesh", "--mesh-after", "-1"], "not a number from 0"),
        (["--enable-mesh", "--mesh-join", "nobody"], "HOST:PORT"),
    ],
)
def test_flags_of_the_mesh_that_cannot_be_are_named(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse([*ME, *flags])

    assert words in capsys.readouterr().err


def test_a_latency_alone_is_no_news_for_the_server() -> None:
    def told(latency_s: float, state: PeerState) -> bytes:
        peer = PeerView(a_key("b").public.id, "b", state, 1, latency_s)
        return but_for_latency(report([Address("127.0.0.1", 5)], [peer], None))

    assert told(0.1, PeerState.ONLINE) == told(0.2, PeerState.ONLINE) != told(0.1, PeerState.STALE)
