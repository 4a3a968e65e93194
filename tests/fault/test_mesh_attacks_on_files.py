"""A member that lies about a folder that real nodes share: nothing that it sends gets out of the folder, or
is seen in it, and the others' files come as before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mesh.files.manifest import MAX_FILE_BYTES, MAX_MANIFEST_BYTES
from mesh.files.messages import Kind, Message, topic_of
from mesh.node import CHUNK_BYTES, Content
from mesh.protocol import mesh_pb2
from mesh.protocol.envelope import Envelope
from mesh.syncing.hearing import BAD, OLDER, TOO_LARGE
from mesh.syncing.talk import MALFORMED
from shared.security.keys import KeyPair
from tests.support.attacked_nodes import Attacked, attacked_nodes, dropped_of, require_dropped, require_serves
from tests.support.hostile_member import HostileMember
from tests.support.lying_manifest import entry_of, manifest_by
from tests.support.mesh_crew import share, told, tree, wait_until_alike
from tests.support.mesh_nodes import MeshNode
from tests.support.waiting import wait_until

FOLDER = "notes"
TOPIC = topic_of(FOLDER)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """Both share a folder with all their members."""
    with attacked_nodes(tmp_path_factory.mktemp("attacked")) as attacked:
        folders = [share(node, FOLDER) for node in (attacked.ana, attacked.ben)]
        (folders[0] / "plan.txt").write_text("the plan")
        wait_until_alike(folders, ("plan.txt",))
        yield attacked


@pytest.fixture
def mallory(attacked: Attacked) -> Iterator[HostileMember]:
    """A member of Ana's, linked with her; another one in each test."""
    with attacked.enemy(f"mallory-{len(told(attacked.ana, 'peers')['peers'])}") as mallory:
        yield mallory.enter()


def folder_of(node: MeshNode) -> Path:
    return node.home / FOLDER


def announce(mallory: HostileMember, manifest: bytes, sequence: int = 1) -> None:
    """Say that it has this manifest, and give it."""
    message = Message(Kind.MANIFEST, mallory.offer(manifest), sequence)
    mallory.put(mallory.direct(message.to_bytes(), TOPIC))


def refused(node: MeshNode, sender: str) -> dict[str, int]:
    """What of somebody's was refused, by reason."""
    [view] = told(node, "sync-status")["folders"]
    return {each["why"]: each["count"] for each in view["refused"] if each["sender"] == sender}


def require_refused(attacked: Attacked, mallory: HostileMember, why: str, count: int = 1) -> None:
    """It is counted under its name, shown, said once; and the folder is what it was."""
    ana = attacked.ana
    wait_until(
        lambda: refused(ana, mallory.name).get(why, 0) >= count,
        f"{count} of {mallory.name} are refused: {why}",
    )
    words = f"what {mallory.name} says about the folder {FOLDER} is not taken: {why}"
    ana.wait_for_output(words)
    assert ana.count(words) == 1
    assert f"{why} ({mallory.name})" in ana.ask("sync", "status")
    require_folder_goes_on(attacked, mallory)


def require_folder_goes_on(attacked: Attacked, mallory: HostileMember) -> None:
    """What Ben writes comes, and nothing else."""
    (folder_of(attacked.ben) / "plan.txt").write_text(f"the plan after {mallory.name}")
    before = {*tree(folder_of(attacked.ben))}
    alike = wait_until_alike([folder_of(node) for node in (attacked.ana, attacked.ben)], ("plan.txt",))
    assert alike.keys() == before
    require_serves(attacked.ana, attacked.ben)


WAYS_OUT: dict[str, dict[str, Any]] = {
    "above the folder": {"name": "../outside"},
    "above, from within": {"name": "a/../../outside"},
    "absolute": {"name": "/tmp/outside"},
    "of Windows": {"name": "..\\outside"},
    "a drive": {"name": "C:outside"},
    "a device of Windows": {"name": "con"},
    "with a device's name": {"name": "a/nul.txt"},
    "what FedLoom keeps there": {"name": ".fedloom/folder"},
    "its rules": {"name": ".fedloomignore"},
    "with a zero": {"name": "a\0b"},
    "of no normal form": {"name": "e\u0301"},
    "turned round": {"name": "exe.\u202etxt"},
    "a link": {"link": "/etc/passwd"},
    "a link for a type": {"type": "symlink"},
    "a device": {"device": [1, 3]},
    "of no size": {"size": -1},
    "endless": {"size": MAX_FILE_BYTES + 1},
}


@pytest.mark.parametrize("what", WAYS_OUT)
def test_no_entry_leads_out_of_the_folder_or_is_anything_but_a_file(
    what: str, attacked: Attacked, mallory: HostileMember
) -> None:
    """Mallory would give the file, too."""
    data = b"evil"
    good = entry_of("good.txt", mallory.offer(data), mallory.id)
    _give(mallory)
    outside = {*attacked.ana.home.iterdir()}

    bad = {**good, "name": "bad.txt", **WAYS_OUT[what]}
    entries = sorted([good, bad], key=lambda entry: str(entry["name"]))
    announce(mallory, manifest_by(mallory.key, FOLDER, entries))

    require_refused(attacked, mallory, BAD)
    assert {*attacked.ana.home.iterdir()} == outside
    for path in attacked.ana.home.rglob("*"):
        assert not path.is_symlink()
        assert not path.is_block_device()
        assert not path.is_char_device()
    assert not Path("/tmp/outside").exists()


def test_a_link_in_a_folder_is_not_followed_by_what_another_sends(
    attacked: Attacked, mallory: HostileMember, tmp_path: Path
) -> None:
    """Ana herself has put one there; a member names a file behind it."""
    target = tmp_path / "private"
    target.mkdir()
    way = folder_of(attacked.ana) / "way"
    way.symlink_to(target)
    data = b"evil"
    entry = entry_of("way/evil.txt", mallory.offer(data), mallory.id)
    _give(mallory)

    announce(mallory, manifest_by(mallory.key, FOLDER, [entry]))

    def is_blocked() -> bool:
        [view] = told(attacked.ana, "sync-status")["folders"]
        whys = [each["why"] for each in view["not_in_sync"] if each["name"] == "way/evil.txt"]
        return whys == ["a link or a file that is not shared is on its way: rename that"]

    wait_until(is_blocked, "it is said that the file cannot come")
    assert list(target.iterdir()) == []
    way.unlink()
    announce(mallory, manifest_by(mallory.key, FOLDER, [], sequence=2), 2)
    require_serves(attacked.ana, attacked.ben)


@pytest.mark.parametrize(
    "lie",
    [
        lambda key: b"no manifest",
        lambda key: manifest_by(KeyPair.make(), FOLDER, []),
        lambda key: manifest_by(key, "papers", []),
    ],
    ids=["none", "another's", "of another folder"],
)
def test_what_is_no_manifest_of_its_own_is_refused(
    lie: Callable[[KeyPair], bytes], attacked: Attacked, mallory: HostileMember
) -> None:
    for number in (1, 2, 3):
        announce(mallory, lie(mallory.key), number)
        wait_until(partial(_are_refused, attacked, mallory, number), "it is refused")

    require_refused(attacked, mallory, BAD, 3)


def _are_refused(attacked: Attacked, mallory: HostileMember, number: int) -> bool:
    return refused(attacked.ana, mallory.name).get(BAD, 0) >= number


def test_a_manifest_that_was_recorded_does_not_come_back(attacked: Attacked, mallory: HostileMember) -> None:
    old, new = (manifest_by(mallory.key, FOLDER, [], sequence=number) for number in (1, 5))
    given: list[bytes] = []
    mallory.alter_chunk = lambda chunk: given.append(chunk.data)
    announce(mallory, new, 5)
    wait_until(lambda: new in given, "Ana fetches the newer one")
    announce(mallory, old, 9)

    require_refused(attacked, mallory, OLDER)


def test_a_manifest_that_would_fill_memory_is_not_fetched(attacked: Attacked, mallory: HostileMember) -> None:
    huge = Message(Kind.MANIFEST, Content(bytes(32), MAX_MANIFEST_BYTES + 1), 1)
    mallory.put(mallory.direct(huge.to_bytes(), TOPIC))

    require_refused(attacked, mallory, TOO_LARGE)


def test_what_is_no_message_is_counted(attacked: Attacked, mallory: HostileMember) -> None:
    mallory.put(*(mallory.direct(bytes([number]) * 20, TOPIC) for number in range(20)))

    require_refused(attacked, mallory, MALFORMED, 20)


def tampered(chunk: mesh_pb2.Chunk) -> None:
    chunk.data = chunk.data[:-1] + bytes([chunk.data[-1] ^ 1])


def shortened(chunk: mesh_pb2.Chunk) -> None:
    chunk.data = chunk.data[:-1]


def of_another_place(chunk: mesh_pb2.Chunk) -> None:
    chunk.proof.reverse()


@pytest.mark.parametrize("lie", [tampered, shortened, of_another_place])
def test_a_wrong_chunk_is_never_seen_and_the_file_comes_from_another(
    lie: Callable[[mesh_pb2.Chunk], None], attacked: Attacked, mallory: HostileMember
) -> None:
    """Mallory says to have a file that Ben writes a little later."""
    name, data = f"{lie.__name__}.bin", os.urandom(5 * CHUNK_BYTES)
    entry = entry_of(name, mallory.offer(data), mallory.id)
    announced = manifest_by(mallory.key, FOLDER, [entry])
    _give(mallory)
    announce(mallory, announced)
    # The manifest itself is of one chunk, and true.
    mallory.alter_chunk = lambda chunk: lie(chunk) if len(chunk.proof) > 0 else None

    require_dropped(attacked.ana, mallory.name, "wrong-chunk")
    assert name not in tree(folder_of(attacked.ana))
    (folder_of(attacked.ben) / name).write_bytes(data)

    wait_until(lambda: tree(folder_of(attacked.ana)).get(name) == data, "it comes from Ben", 120.0)
    assert not dropped_of(attacked.ana, "ben").get("wrong-chunk")
    require_folder_goes_on(attacked, mallory)


def _give(mallory: HostileMember) -> None:
    """Say yes to whoever would like to fetch something."""

    def hear(envelope: Envelope) -> None:
        if envelope.topic == TOPIC and (message := Message.parse(envelope.body)).kind is Kind.WANT:
            have = Message(Kind.HAVE, message.content).to_bytes()
            mallory.answer(mallory.direct(have, TOPIC))

    mallory.on_direct = hear
