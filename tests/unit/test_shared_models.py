"""The folder of a server's models: what the server has not signed never lies there, and the newest do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from client.offline.memory import RunMemory
from client.offline.models_folder import models_folder
from client.offline.shared_models import KEPT, SUFFIX, SharedModels
from client.offline.signed_model import SignedModel
from client.runtime import Place
from mesh.files.checking import REFUSED, FileRefused
from mesh.files.entry import Entry
from mesh.files.states import FileCondition, RefusedCount
from mesh.files.version import Version
from mesh.node import Content
from shared.errors import SettingsInvalid
from shared.security.keys import KeyPair
from tests.support.in_loop import in_loop
from tests.support.mesh_in_memory import MemoryNetwork
from tests.support.signed_models import GENERATION_HERE, RUN_ID, a_signed_model
from tests.support.sync_nodes import SyncNode, until

SERVER, CLIENT, STRANGER = KeyPair.make(), KeyPair.make(), KeyPair.make()
OTHER_RUN = 8


def memory_of_a_client(run_id: int = RUN_ID) -> RunMemory:
    memory = RunMemory()
    memory.placed(Place(run_id, {}, {}, threads=1))
    return memory


def a_model(server_round: int, server: KeyPair = SERVER, run_id: int = RUN_ID) -> SignedModel:
    """The global model after a round, as it came to some client with the message for the next."""
    return a_signed_model(server, CLIENT, server_round=server_round + 1, run_id=run_id)


def models_in(folder: Path, memory: RunMemory | None = None, name: str = "me") -> SharedModels:
    return SharedModels(
        folder,
        MemoryNetwork().node(name),
        memory or memory_of_a_client(),
        lambda: [SERVER.public.id],
        lambda: None,
    )


def rounds_in(folder: Path) -> list[int]:
    """After which rounds the models are that lie there, verified."""
    return sorted(
        SignedModel.parse(path.read_bytes(), [SERVER.public.id]).base.round
        for path in folder.glob(f"*{SUFFIX}")
    )


def has_alone(folder: Path, rounds: list[int]) -> bool:
    """Whether these are there, and no others; also while files come and go."""
    try:
        return rounds_in(folder) == rounds
    except FileNotFoundError:
        return False


def an_entry(name: str, size: int = 100) -> Entry:
    writer = "ABCDEFG-0123456789abcdef"
    return Entry(name, Version.of({writer: 1}), writer, 1, Content(bytes(32), size))


@in_loop
async def test_the_newest_are_written_as_they_come_and_no_more_are_kept(tmp_path: Path) -> None:
    memory = memory_of_a_client()
    models = models_in(tmp_path, memory)
    memory.on_change(models.look)
    running = asyncio.create_task(models.run())
    for number in range(6):
        memory.saw(a_model(number))
        await until(lambda number=number: number in rounds_in(tmp_path), f"round {number} is written")  # type: ignore[misc]
    running.cancel()

    assert rounds_in(tmp_path) == [3, 4, 5]


@in_loop
async def test_what_others_never_saw_is_removed_once_their_newer_models_are_there(tmp_path: Path) -> None:
    """As a client has it that wrote models and was cut off before it could tell."""
    names = ("Ada", "Eve")
    network = MemoryNetwork()
    ada, eve = (SyncNode(network, tmp_path, name, names) for name in names)
    models = models_in(ada.root)
    for number in range(KEPT):
        models._write(a_model(number))
        eve.write(f"model-EVEEVEE-{number}{SUFFIX}", a_model(KEPT + number).encoded())
    running = asyncio.create_task(models.run())
    for node, check in ((ada, models), (eve, None)):
        node.start(check=check)
    try:
        for node in (ada, eve):
            await until(partial(has_alone, node.root, [3, 4, 5]), f"{node.name} has the newest alone")
    finally:
        running.cancel()
        for node in (ada, eve):
            await node.stop()


def test_old_models_that_cannot_be_removed_are_said_once_and_those_of_an_unknown_run_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    memory = memory_of_a_client()
    models = models_in(tmp_path, memory)
    for number in range(KEPT):
        models._write(a_model(number))
    name = f"model-ABCDEFG-0{SUFFIX}"
    models.require_genuine(an_entry(name), a_model(9).encoded())
    (tmp_path / name).write_bytes(a_model(9).encoded())
    memory.run_over()
    assert models._tidy()
    assert rounds_in(tmp_path) == [0, 1, 2, 9]

    memory.placed(Place(RUN_ID, {}, {}, threads=1))

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refused)
        assert not models._tidy()
        assert not models._tidy()
    assert caplog.text.count("old models cannot be removed") == 1
    assert models._tidy()
    assert rounds_in(tmp_path) == [1, 2, 9]


def test_a_client_that_is_cut_off_in_an_old_run_removes_no_model_of_the_next(tmp_path: Path) -> None:
    models = models_in(tmp_path, memory_of_a_client())
    for number in range(KEPT):
        models._write(a_model(number))
    name = f"model-ABCDEFG-0{SUFFIX}"
    newer = a_model(0, run_id=RUN_ID + 1)
    models.require_genuine(an_entry(name), newer.encoded())
    (tmp_path / name).write_bytes(newer.encoded())

    assert models._tidy()

    assert (tmp_path / name).exists()
    assert len(rounds_in(tmp_path)) == KEPT + 1


@in_loop
async def test_a_client_that_starts_anew_has_the_newest_of_its_folder(tmp_path: Path) -> None:
    before = models_in(tmp_path)
    for number in (2, 3, 4):
        await asyncio.to_thread(before._write, a_model(number))
    memory = memory_of_a_client()
    running = asyncio.create_task(models_in(tmp_path, memory).run())
    await until(lambda: memory.newest is not None and memory.newest.base.round == 4, "it has the newest")
    running.cancel()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
        lambda data: data + b"x",
        lambda data: b"",
        lambda data: a_model(9, STRANGER).encoded(),
    ],
    ids=["other weights", "another head", "more", "nothing", "another server's"],
)
def test_what_the_server_has_not_signed_is_refused_and_never_read(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    memory = memory_of_a_client()
    models = models_in(tmp_path, memory)
    data = spoil(a_model(9).encoded())

    with pytest.raises(FileRefused, match="signed"):
        models.require_genuine(an_entry("model-ABCDEFG-0.fedmodel"), data)
    (tmp_path / "model-ABCDEFG-0.fedmodel").write_bytes(data)
    models._read_once()
    assert memory.newest is None


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "model-ABCDEFG-9.fedmodel", "x/model-ABCDEFG-0.fedmodel", "model-abcdefg-0.fedmodel"],
)
def test_nothing_else_belongs_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileRefused, match="another name"):
        models_in(tmp_path).require_expected(an_entry(name))
    with pytest.raises(FileRefused, match="larger"):
        models_in(tmp_path).require_expected(an_entry("model-ABCDEFG-0.fedmodel", 3 << 30))
    models_in(tmp_path).require_expected(an_entry("model-ABCDEFG-0.fedmodel"))


def test_an_older_model_of_the_server_replaces_no_newer_one(tmp_path: Path) -> None:
    models = models_in(tmp_path)
    entry = an_entry("model-ABCDEFG-0.fedmodel")
    models.require_genuine(entry, a_model(6).encoded())

    for older in (a_model(3), a_model(30, run_id=OTHER_RUN)):
        with pytest.raises(FileRefused, match="older"):
            models.require_genuine(entry, older.encoded())
    models.require_genuine(entry, a_model(7).encoded())


def test_others_delete_none_of_the_newest(tmp_path: Path) -> None:
    models = models_in(tmp_path)
    for number in range(KEPT):
        models._write(a_model(number))
    oldest, *_, newest = sorted(path.name for path in tmp_path.glob(f"*{SUFFIX}"))
    with pytest.raises(FileRefused, match="newest"):
        models.require_dispensable(newest)
    (tmp_path / oldest).unlink()
    models.require_dispensable(oldest)


def test_a_folder_without_room_is_said_once_and_tried_with_the_next_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    models = models_in(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("client.offline.shared_models.publish", full)
        models._write(a_model(1))
        models._write(a_model(2))
    assert caplog.text.count("cannot be written") == 1
    models._write(a_model(3))
    assert rounds_in(tmp_path) == [3]


def test_a_folder_is_one_clients_at_a_time_and_one_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    with models_folder(tmp_path / "new" / "models") as path:
        assert path.is_dir()
        with pytest.raises(SettingsInvalid, match="Another client has"), models_folder(path):
            pass
    with models_folder(path):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsInvalid, match="cannot be kept in"), models_folder(tmp_path / "file"):
        pass


@in_loop
async def test_a_forged_model_of_a_peer_is_refused_counted_and_shown_and_the_real_one_comes(
    tmp_path: Path,
) -> None:
    names = ("Ada", "Eve")
    network = MemoryNetwork()
    ada, eve = (SyncNode(network, tmp_path, name, names) for name in names)
    memory = memory_of_a_client()
    ada.start(check=models_in(ada.root, memory))
    eve.start()
    try:
        forged = a_model(9, STRANGER).encoded()
        eve.write("model-EVEEVEE-0.fedmodel", forged)
        eve.write("notes.txt", "spam")
        eve.write("model-EVEEVEE-1.fedmodel", a_model(4).encoded())
        await until(lambda: memory.newest is not None, "the real one comes")
        both = (RefusedCount(REFUSED, 2),)
        await until(lambda: ada.sync.view().refused == both, "both others are counted")

        assert memory.newest is not None
        assert memory.newest.base.generation == GENERATION_HERE
        await until(lambda: ada.files().keys() == {"model-EVEEVEE-1.fedmodel"}, "it alone is visible")

        def blocked() -> dict[str, str]:
            return {
                state.name: state.why
                for state in ada.sync.view().not_in_sync
                if state.condition is FileCondition.BLOCKED
            }

        await until(lambda: len(blocked()) == 2, "both are shown")
        assert "signed" in blocked()["model-EVEEVEE-0.fedmodel"]
        assert "another name" in blocked()["notes.txt"]

        (eve.root / "model-EVEEVEE-1.fedmodel").unlink()
        eve.write("model-EVEEVEE-2.fedmodel", a_model(5).encoded())
        await until(lambda: len(ada.files()) == 2, "the next comes")
        assert rounds_in(ada.root) == [4, 5], "what Eve has deleted stays"
    finally:
        for node in (ada, eve):
            with suppress(asyncio.CancelledError):
                await node.stop()
