"""Disks that are full, and files that are larger than memory should be."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.files.failures import NoRoom
from mesh.files.folder import RESERVE_BYTES
from mesh.node import CHUNK_BYTES
from tests.support.file_nodes import FileNode, exchange
from tests.support.small_disk import SmallDisk, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "node1", megabytes=24) as disk:
        yield disk


def test_a_file_that_has_no_room_says_so_before_it_comes(tmp_path: Path, disk: SmallDisk) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("large", bytes(RESERVE_BYTES))
    ada.write("small", "x")
    ada.folder.scan()
    ben.folder.scan()
    ben.hear(ada)
    content = ada.folder.index.files["large"].entry.content
    assert content is not None

    with pytest.raises(NoRoom, match="it needs 16 MiB on the disk"):
        ben.folder.begin(content)

    for node in (ada, ben):
        node.close()


def test_a_disk_that_fills_while_a_file_comes_loses_nothing(
    tmp_path: Path, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesh.files.folder.RESERVE_BYTES", 0)
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("a", "old")
    exchange([ada, ben])
    ada.write("a", b"new " * 500_000)
    ada.folder.scan()
    ben.hear(ada)
    with monkeypatch.context() as patch:
        patch.setattr("mesh.files.tree.Tree.room", lambda _: 1 << 40)  # it is taken while the file comes
        disk.fill()
        with pytest.raises(OSError, match="No space left"):
            ben.follow([ada])
    assert ben.read("a") == "old"

    disk.free()
    ben.folder.scan()
    exchange([ada, ben])

    assert ben.files() == ada.files()
    assert ben.old_versions() == [b"old"]
    for node in (ada, ben):
        node.close()


def test_a_disk_that_may_not_be_written_loses_nothing(tmp_path: Path, disk: SmallDisk) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("a", "old")
    exchange([ada, ben])
    (ada.root / "a").unlink()
    ada.folder.scan()
    ben.hear(ada)
    disk.make_read_only()

    failed = ben.follow([ada])
    assert "Read-only" in failed["a"]
    assert ben.read("a") == "old"
    disk.make_read_only(False)
    exchange([ada, ben])

    assert ben.files() == {}
    for node in (ada, ben):
        node.close()


def test_a_gigabyte_passes_in_a_few_megabytes_of_memory(tmp_path: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("large", "begins")
    with (ada.root / "large").open("r+b") as file:
        file.truncate(1 << 30)
        file.seek((1 << 30) - 3)
        file.write(b"end")
    tracemalloc.start()
    try:
        ada.folder.scan()
        ben.folder.scan()
        ben.hear(ada)
        ben.follow([ada])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    copy = ben.root / "large"
    assert copy.stat().st_size == 1 << 30
    assert copy.stat().st_blocks * 512 < 64 * CHUNK_BYTES, "holes take no room"
    with copy.open("rb") as file:
        assert file.read(6) == b"begins"
        file.seek(-3, 2)
        assert file.read() == b"end"
    assert peak < 16 << 20
    for node in (ada, ben):
        node.close()
