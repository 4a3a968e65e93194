"""No name leads out of a shared folder, whatever links lie in it or are put there meanwhile."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.files.ignore import IgnoreRules, IgnoreRulesInvalid
from mesh.files.tree import FolderUnusable, Tree
from mesh.files.walk import Found, NotShared, walk
from tests.support.file_nodes import FileNode, exchange

NO_WAY = "Not a directory|Too many levels of symbolic links|no plain file"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("secret")
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    (tmp_path / "shared").mkdir()
    with Tree(tmp_path / "shared") as tree:
        yield tree


def test_no_call_follows_a_link_to_a_folder(tree: Tree, outside: Path) -> None:
    (tree.root / "link").symlink_to(outside)
    (tree.root / "mine").write_text("mine")

    with pytest.raises(OSError, match=NO_WAY):
        tree.open("link/secret")
    with pytest.raises(OSError, match=NO_WAY):
        tree.create("link/new")
    with pytest.raises(OSError, match=NO_WAY):
        tree.put("mine", "link/new")
    with pytest.raises(OSError, match=NO_WAY):
        tree.take("mine", "link/secret")
    with pytest.raises(OSError, match=NO_WAY):
        tree.remove("link/secret")
    assert tree.status("link/secret") is None
    assert {path.name for path in outside.iterdir()} == {"secret"}
    assert (outside / "secret").read_text() == "secret"


def test_no_call_follows_a_link_to_a_file(tree: Tree, outside: Path) -> None:
    (tree.root / "link").symlink_to(outside / "secret")
    with pytest.raises(OSError, match=NO_WAY):
        tree.open("link")
    with pytest.raises(OSError, match=NO_WAY):
        tree.create("link")
    assert tree.stat("link") is None


def test_pipes_and_devices_are_not_opened(tree: Tree) -> None:
    os.mkfifo(tree.root / "pipe")
    with pytest.raises(OSError, match=NO_WAY):
        tree.open("pipe")  # and it does not wait for a writer


def test_a_file_is_never_put_in_place_of_another(tree: Tree) -> None:
    (tree.root / "a").write_text("a")
    (tree.root / "b").write_text("b")
    with pytest.raises(FileExistsError):
        tree.put("a", "b")
    assert (tree.root / "b").read_text() == "b"


def test_a_file_system_without_hard_links_is_enough(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    (tree.root / "a").write_text("a")
    tree.put("a", "folder/b")
    assert (tree.root / "folder/b").read_text() == "a"
    (tree.root / "a").write_text("again")
    with pytest.raises(FileExistsError):
        tree.put("a", "folder/b")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderUnusable, match=r"cannot be opened.*move it back.*Nothing counts as deleted"):
        Tree(tmp_path / "nowhere")


def test_a_walk_says_what_is_not_shared_and_why(tree: Tree, outside: Path) -> None:
    (tree.root / "good").write_text("x")
    (tree.root / "link").symlink_to(outside)
    (tree.root / "con.txt").write_text("x")
    os.mkfifo(tree.root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tree.root / "socket"))
    (tree.root / "caf\u0065\u0301").write_text("x")
    Path(os.fsdecode(os.fsencode(tree.root) + b"/\xff")).write_text("x")

    found = list(walk(tree, IgnoreRules(), lambda: None))

    assert [item.name for item in found if isinstance(item, Found)] == ["good"]
    why = {item.name: item.why for item in found if isinstance(item, NotShared)}
    assert why["link"] == "it is a link"
    assert why["pipe"] == why["socket"] == "it is no plain file"
    assert "device on Windows" in why["con.txt"]
    assert "NFC" in why["caf\u0065\u0301"]
    assert "Unicode" in why["\\xff"]


def test_ignored_files_and_folders_are_not_walked(tree: Tree) -> None:
    for name in ("build/deep/x", "a.tmp", "keep.tmp", "b"):
        (tree.root / name).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / name).write_text("x")
    (tree.root / ".fedloomignore").write_text("build/\n*.tmp\n!keep.tmp\n# a remark\n")
    found = walk(tree, IgnoreRules.read(tree), lambda: None)
    assert {item.name for item in found} == {"keep.tmp", "b"}


@pytest.mark.parametrize("rules", [b"!", b"\xff", b"x" * (1 << 20) + b"x"])
def test_rules_that_cannot_be_read_share_nothing(tree: Tree, rules: bytes) -> None:
    (tree.root / ".fedloomignore").write_bytes(rules)
    with pytest.raises(IgnoreRulesInvalid):
        IgnoreRules.read(tree)


def test_rules_behind_a_link_share_nothing(tree: Tree, outside: Path) -> None:
    (tree.root / ".fedloomignore").symlink_to(outside / "secret")
    with pytest.raises(IgnoreRulesInvalid):
        IgnoreRules.read(tree)


def test_a_folder_that_became_a_link_while_a_file_came_leads_nowhere(tmp_path: Path, outside: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("folder/secret", "from Ada")
    ada.folder.scan()
    ben.folder.scan()
    ben.hear(ada)
    (ben.root / "folder").symlink_to(outside)

    with pytest.raises(OSError, match=NO_WAY):
        ben.follow([ada])

    assert (outside / "secret").read_text() == "secret"
    assert {path.name for path in outside.iterdir()} == {"secret"}
    for node in (ada, ben):
        node.close()


def test_a_link_in_the_place_of_a_file_is_kept_beside_it(tmp_path: Path, outside: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("a", "from Ada")
    ada.folder.scan()
    ben.folder.scan()
    ben.hear(ada)
    (ben.root / "a").symlink_to(outside / "secret")

    ben.follow([ada])

    assert (ben.root / "a").read_text() == "from Ada"
    assert not (ben.root / "a").is_symlink()
    assert (outside / "secret").read_text() == "secret"
    assert any(path.is_symlink() for path in ben.root.iterdir())
    for node in (ada, ben):
        node.close()


def test_a_file_that_became_a_link_is_not_given_to_others(tmp_path: Path, outside: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("a", "secret")
    exchange([ada])
    (ada.root / "a").unlink()
    (ada.root / "a").symlink_to(outside / "secret")
    ben.folder.scan()
    ben.hear(ada)

    ben.follow([ada])

    assert ben.files() == {}
    for node in (ada, ben):
        node.close()
