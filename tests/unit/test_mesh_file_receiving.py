"""A folder that only receives: what is changed in it stays there, and is not lost by what comes."""

from __future__ import annotations

from pathlib import Path

from tests.support.file_nodes import FileNode, exchange


def test_a_folder_that_only_receives_tells_nothing_and_loses_nothing(tmp_path: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1, receive_only=True)
    ada.write("a", "first")
    ada.write("b", "first")
    exchange([ada, ben])
    ben.write("a", "changed at Ben's")
    ben.write("added", "at Ben's")
    (ben.root / "b").unlink()
    exchange([ada, ben])
    assert ada.files() == {"a": b"first", "b": b"first"}
    assert ben.files() == {"a": b"changed at Ben's", "added": b"at Ben's"}
    assert {name for name, local in ben.folder.index.files.items() if local.is_own_affair} == {
        "a",
        "added",
        "b",
    }

    ada.write("a", "second")
    ada.write("b", "second")
    exchange([ada, ben])

    assert ada.files() == {"a": b"second", "b": b"second"}
    assert (ben.read("a"), ben.read("b")) == ("second", "second")
    assert ben.copies() == [b"changed at Ben's"]
    for node in (ada, ben):
        node.close()


def test_what_a_folder_that_only_receives_has_already_is_no_conflict(tmp_path: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1, receive_only=True)
    ada.write("a", "same")
    ben.write("a", "same")
    ben.write("mine", "of Ben")
    exchange([ada, ben])
    ben.restart()
    exchange([ada, ben])
    assert ben.files() == {"a": b"same", "mine": b"of Ben"}
    assert ada.files() == {"a": b"same"}
    (ben.root / "mine").unlink()
    exchange([ada, ben])
    assert ben.folder.index.files.keys() == {"a"}
    for node in (ada, ben):
        node.close()


def test_a_folder_that_does_not_only_receive_any_more_tells_what_was_kept_back(tmp_path: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1, receive_only=True)
    ada.write("a", "first")
    ada.write("b", "first")
    exchange([ada, ben])
    ben.write("a", "changed")
    ben.write("added", "new")
    (ben.root / "b").unlink()
    exchange([ada, ben])
    ben.close()
    ben = FileNode(tmp_path, 1)
    exchange([ada, ben])
    assert ada.files() == ben.files() == {"a": b"changed", "added": b"new"}
    for node in (ada, ben):
        node.close()
