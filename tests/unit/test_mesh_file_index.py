"""What a node knows of its folder: where that is damaged, lost, or of another folder, nobody loses a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.files.folder import Folder
from mesh.files.index import IndexUnusable
from mesh.files.tree import FolderUnusable
from tests.support.file_nodes import FileNode, exchange, file_nodes, hear


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[FileNode, ...]]:
    with file_nodes(tmp_path, 2) as nodes:
        yield nodes


def test_a_folder_whose_disk_is_not_mounted_deletes_nothing_elsewhere(tmp_path: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("a", "x")
    exchange([ada, ben])
    ben.close()
    ben.root.rename(tmp_path / "the disk")
    ben.root.mkdir()

    with pytest.raises(FolderUnusable, match="Nothing counts as deleted"):
        ben.restart()
    ben.root.rmdir()
    (tmp_path / "the disk").rename(ben.root)
    ben.restart()
    exchange([ada, ben])

    assert ada.files() == ben.files() == {"a": b"x"}
    for node in (ada, ben):
        node.close()


def test_a_disk_that_vanishes_between_two_scans_deletes_nothing(pair: tuple[FileNode, ...]) -> None:
    ada, _ = pair
    ada.write("a", "x")
    ada.folder.scan()
    for path in (ada.root / ".fedloom/folder", ada.root / "a"):
        path.unlink()
    with pytest.raises(FolderUnusable):
        ada.folder.scan()
    assert not ada.folder.index.files["a"].entry.is_deleted


def test_two_nodes_do_not_share_one_folder(tmp_path: Path) -> None:
    ada = FileNode(tmp_path, 0)
    (ada.root / ".fedloom/folder").write_text("other\n")
    with pytest.raises(FolderUnusable, match="shared as 'other'"):
        ada.folder.scan()
    ada.close()


def test_who_has_lost_the_index_comes_to_the_same_without_conflicts(tmp_path: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("a", "x")
    ben.write("b", "y")
    exchange([ada, ben])
    sequence = ben.folder.index.sequence
    ben.close()
    for path in (tmp_path / "home1").iterdir():
        path.unlink()
    ben.restart()
    ben.write("b", "changed meanwhile")
    exchange([ada, ben])
    assert ben.folder.index.sequence > sequence
    assert ada.files() == ben.files()
    assert b"changed meanwhile" in ada.files().values()
    for node in (ada, ben):
        node.close()


def test_a_damaged_index_is_told_and_not_replaced(tmp_path: Path) -> None:
    ada = FileNode(tmp_path, 0)
    ada.close()
    index = tmp_path / "home0/papers.sqlite"
    index.write_bytes(b"no database at all" * 1_000)
    with pytest.raises(IndexUnusable, match="remove it"):
        ada.restart()
    assert index.read_bytes().startswith(b"no database")


def test_the_index_of_another_folder_is_refused(
    tmp_path: Path,
) -> None:
    ada = FileNode(tmp_path, 0)
    ada.close()
    (tmp_path / "home0/papers.sqlite").rename(tmp_path / "home0/other.sqlite")
    with pytest.raises(IndexUnusable, match="index of the folder papers"):
        Folder(type(ada.folder.settings)("other", ada.root), tmp_path / "home0", ada.key)


def test_an_older_manifest_is_not_taken_also_after_a_restart(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("a", "x")
    ada.folder.scan()
    old = ada.folder.manifest()
    (ada.root / "a").unlink()
    hear(ben, ada)
    ben.restart()
    ben.folder.know({ada.id: ada.key.public})
    with pytest.raises(Exception, match="older than what its author has said"):
        ben.folder.accept(ada.id, ada.key.public, old)
    ben.follow([ada])
    assert ben.files() == {}
