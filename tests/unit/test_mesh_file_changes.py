"""What people do while files come, go, and are kept: nothing of it is lost, and others see it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.files.kept import prune
from mesh.files.tree import Tree
from tests.support.file_nodes import FileNode, exchange, file_nodes, hear, set_time


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[FileNode, ...]]:
    with file_nodes(tmp_path, 2) as nodes:
        yield nodes


def test_a_change_that_no_scan_has_seen_is_kept_beside_what_comes(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("a", "first")
    exchange(pair)
    ada.write("a", "Ada's")
    hear(ben, ada)
    ben.write("a", "Ben's, unseen")

    ben.follow([ada])

    assert ben.read("a") == "Ada's"
    assert ben.copies() == [b"Ben's, unseen"]
    assert ben.folder.must_scan


def test_a_new_file_that_no_scan_has_seen_is_kept_beside_what_comes(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    exchange(pair)
    ada.write("a", "Ada's")
    hear(ben, ada)
    ben.write("a", "Ben's, unseen")

    ben.follow([ada])

    assert ben.read("a") == "Ada's"
    assert ben.copies() == [b"Ben's, unseen"]


def test_a_file_that_no_scan_has_seen_and_that_comes_as_it_is_gets_no_copy(
    pair: tuple[FileNode, ...],
) -> None:
    ada, ben = pair
    exchange(pair)
    ada.write("a", "same")
    hear(ben, ada)
    ben.write("a", "same")
    ben.follow([ada])
    assert ben.files() == {"a": b"same"}


def test_a_file_that_could_not_be_put_back_does_not_pass_for_deleted(
    pair: tuple[FileNode, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = pair
    ada.write("a", "old")
    exchange(pair)
    ada.write("a", "new")
    hear(ben, ada)

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("mesh.files.tree.Tree.put", broken)
        with pytest.raises(OSError, match="Input/output"):
            ben.follow([ada])
        assert ben.files() == {}
        with pytest.raises(OSError, match="Input/output"):
            ben.folder.scan()
    ben.folder.scan()
    assert ben.read("a") == "old"
    exchange(pair)
    assert ada.read("a") == ben.read("a") == "new"


def test_a_change_that_no_scan_has_seen_outlives_a_deletion(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("a", "first")
    exchange(pair)
    (ada.root / "a").unlink()
    hear(ben, ada)
    ben.write("a", "Ben's, unseen")

    ben.follow([ada])
    assert ben.read("a") == "Ben's, unseen"
    exchange(pair)

    assert ada.files() == ben.files() == {"a": b"Ben's, unseen"}


def test_who_wins_a_conflict_first_does_not_take_the_copy_from_the_other(
    pair: tuple[FileNode, ...],
) -> None:
    ada, ben = pair
    ada.write("a", "first")
    exchange(pair)
    ada.write("a", "Ada's")
    ben.write("a", "Ben's")
    set_time(ada.root / "a", 2_000_000_000)
    set_time(ben.root / "a", 1_000_000_000)
    ada.folder.scan()
    hear(ada, ben)  # Ada's wins, and she knows of the other first
    ada.follow([ben])
    hear(ben, ada)
    ben.follow([ada])

    assert ben.read("a") == "Ada's"
    assert ben.copies() == [b"Ben's"]


def test_the_same_file_made_by_both_is_no_conflict(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("a", "same")
    ben.write("a", "same")
    set_time(ben.root / "a", 1_000_000_000)
    exchange(pair)
    assert ada.files() == ben.files() == {"a": b"same"}


def test_a_renamed_file_does_not_travel(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("old", "long content")
    exchange(pair)
    (ada.root / "old").rename(ada.root / "new")
    hear(ben, ada)

    ben.follow([])

    assert ben.files() == {"new": b"long content"}


def test_a_name_that_changes_its_case_alone_is_changed_everywhere(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("readme", "text")
    exchange(pair)
    (ada.root / "readme").rename(ada.root / "README")
    exchange(pair)
    assert ben.files() == {"README": b"text"}


def test_two_names_that_differ_in_case_end_side_by_side_under_safe_names(
    pair: tuple[FileNode, ...],
) -> None:
    ada, ben = pair
    ada.write("readme", "small")
    ben.write("README", "large")
    exchange(pair)
    assert ada.files() == ben.files()
    assert ada.read("README") == "large"
    assert ada.copies() == [b"small"]


def test_a_file_gives_way_to_a_folder_of_its_name(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("a", "file")
    ben.write("a/b", "in a folder")
    exchange(pair)
    assert ada.files() == ben.files()
    assert ada.read("a/b") == "in a folder"
    assert ben.copies() == [b"file"]


def test_folders_spelled_in_two_ways_are_left_to_people(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("Folder/a", "1")
    ben.write("folder/b", "2")
    exchange(pair)
    assert ada.files() == {"Folder/a": b"1"}
    assert "rename" in ada.folder.plan().blocked["folder/b"]


def test_the_right_to_be_run_travels_without_the_file(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("tool", "#!")
    exchange(pair)
    (ada.root / "tool").chmod(0o755)
    hear(ben, ada)
    ben.follow([])
    assert os.access(ben.root / "tool", os.X_OK)
    assert ben.old_versions() == []


def test_ignored_files_neither_come_nor_go(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("a.tmp", "of Ada")
    ada.write("b", "x")
    exchange(pair)
    ben.write(".fedloomignore", "*.tmp")
    (ben.root / "a.tmp").unlink()
    exchange(pair)
    ada.write("a.tmp", "changed")
    ada.write("c.tmp", "new")
    exchange(pair)
    assert ben.files() == {"b": b"x"}
    assert ada.files() == {"a.tmp": b"changed", "b": b"x", "c.tmp": b"new"}


def test_a_file_that_was_ignored_for_a_time_is_not_taken_for_an_older_one(
    pair: tuple[FileNode, ...],
) -> None:
    ada, ben = pair
    for text in ("first", "second", "third"):
        ada.write("a", text)
        exchange(pair)
    ada.write(".fedloomignore", "a")
    exchange(pair)
    ada.restart()
    ada.write("a", "changed while it was ignored")
    (ada.root / ".fedloomignore").unlink()
    exchange(pair)
    assert ada.files() == ben.files() == {"a": b"changed while it was ignored"}


def test_only_the_newest_old_versions_are_kept(tmp_path: Path) -> None:
    ada, ben = FileNode(tmp_path, 0, keep=2), FileNode(tmp_path, 1, keep=2)
    for number in range(5):
        ada.write("folder/a.txt", f"{number}")
        exchange([ada, ben])
    ben.folder.scan()
    assert sorted(ben.old_versions()) == [b"2", b"3"]
    for node in (ada, ben):
        node.close()


def test_old_versions_go_after_their_days(tmp_path: Path) -> None:
    versions = tmp_path / ".fedloom/versions/folder"
    versions.mkdir(parents=True)
    for name in ("a~20200101-000000-000000.txt", "a~20200102-000000-000000-2.txt", "not one of them"):
        (versions / name).write_text("x")
    with Tree(tmp_path) as tree:
        prune(tree, keep=10, days=1, now_ns=1_577_923_201 * 1_000_000_000)  # the second of January 2020
        assert {path.name for path in versions.iterdir()} == {
            "a~20200102-000000-000000-2.txt",
            "not one of them",
        }
        prune(tree, keep=10, days=1, now_ns=time.time_ns())
    assert [path.name for path in versions.iterdir()] == ["not one of them"]


def test_parts_of_files_that_nobody_has_any_more_are_removed(pair: tuple[FileNode, ...]) -> None:
    ada, ben = pair
    ada.write("a", b"x" * 300_000)
    hear(ben, ada)
    content = ada.folder.index.files["a"].entry.content
    assert content is not None
    part = ben.folder.begin(content)
    part.store(0, b"x" * (256 << 10))
    ben.folder.end(part)
    ben.folder.scan()
    parts = ben.root / ".fedloom/parts"
    assert len(list(parts.iterdir())) == 2

    (ada.root / "a").unlink()
    hear(ben, ada)
    ben.folder.scan()

    assert list(parts.iterdir()) == []


def test_a_file_that_is_being_written_waits_for_the_next_scan(
    pair: tuple[FileNode, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = pair
    ada.write("a", "half")
    pread = os.pread

    def pread_while_it_grows(descriptor: int, length: int, start: int) -> bytes:
        with (ada.root / "a").open("a") as file:
            file.write("more")
        return pread(descriptor, length, start)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", pread_while_it_grows)
        ada.folder.scan()
    assert ada.folder.index.files == {}
    assert "being written" in ada.folder.not_shared[0].why

    ada.folder.scan()
    assert ada.folder.index.files.keys() == {"a"}
