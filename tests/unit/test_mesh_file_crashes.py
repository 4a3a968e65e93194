"""A process that is killed at any step of its work leaves the old file or the new one, and goes on then."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mesh.files.index import Index
from mesh.files.parts import Part
from mesh.files.tree import Tree
from tests.support.file_nodes import FileNode, exchange, set_time

STEPS: list[tuple[type, str]] = [
    (Index, "begin"),
    (Index, "put"),
    (Index, "end"),
    (Tree, "take"),
    (Tree, "put"),
    (Tree, "create"),
    (Part, "store"),
    (Part, "seal"),
    (Part, "forget_marks"),
]


class Killed(BaseException):
    """The process ends here. No `except Exception` sees it."""


def kill_at(patch: pytest.MonkeyPatch, place: int) -> Callable[[], bool]:
    """Kill at this of all steps: each has one place before it and one after it. Returns whether it has come
    to that."""
    places = count()
    is_killed = False

    def pass_place() -> None:
        nonlocal is_killed
        if next(places) == place:
            is_killed = True
            raise Killed

    for kind, name in STEPS:
        step = getattr(kind, name)

        def stepped(*arguments: Any, _step: Callable[..., Any] = step, **named: Any) -> Any:
            pass_place()
            result = _step(*arguments, **named)
            pass_place()
            return result

        patch.setattr(kind, name, functools.wraps(step)(stepped))
    return lambda: is_killed


def kill_everywhere(base: Path, prepare: Callable[[FileNode, FileNode], None]) -> int:
    """Have a node killed at each step of following another; returns at how many. After each kill, it starts
    anew, and both come to the same."""
    for place in count():
        (folder := base / str(place)).mkdir()
        ada, ben = FileNode(folder, 0), FileNode(folder, 1)
        prepare(ada, ben)
        before = ben.files()
        with pytest.MonkeyPatch.context() as patch:
            is_killed = kill_at(patch, place)
            with suppress(Killed):
                ben.follow([ada])
        ben.restart()
        for name in before.keys() & ada.files().keys():
            assert ben.files()[name] in (before[name], ada.files()[name]), f"killed at {place}"
        wanted = ada.files()
        exchange([ada, ben])
        assert wanted.items() <= ada.files().items(), f"killed at {place}: Ada has lost something"
        assert ada.files() == ben.files(), f"killed at {place}"
        kept = [*ben.files().values(), *ben.old_versions()]
        assert all(data in kept for data in before.values()), f"killed at {place}: Ben has lost something"
        for node in (ada, ben):
            node.close()
        if not is_killed():
            return place
    raise AssertionError


def test_while_a_file_is_replaced(tmp_path: Path) -> None:
    def prepare(ada: FileNode, ben: FileNode) -> None:
        ada.write("a", "old")
        exchange([ada, ben])
        ada.write("a", b"new" * 100_000)
        ada.folder.scan()
        ben.hear(ada)

    assert kill_everywhere(tmp_path, prepare) > 15


def test_while_a_file_is_renamed_and_another_one_is_new(tmp_path: Path) -> None:
    def prepare(ada: FileNode, ben: FileNode) -> None:
        ada.write("folder/a", "old")
        exchange([ada, ben])
        (ada.root / "folder/a").rename(ada.root / "b")
        ada.write("c", "new")
        ada.folder.scan()
        ben.hear(ada)

    assert kill_everywhere(tmp_path, prepare) > 15


def test_while_a_conflict_is_settled(tmp_path: Path) -> None:
    def prepare(ada: FileNode, ben: FileNode) -> None:
        ada.write("a", "old")
        exchange([ada, ben])
        ada.write("a", "Ada's")
        ben.write("a", "Ben's")
        set_time(ada.root / "a", 2_000_000_000)
        set_time(ben.root / "a", 1_000_000_000)
        ada.folder.scan()
        ben.folder.scan()
        ben.hear(ada)

    assert kill_everywhere(tmp_path, prepare) > 15


def test_a_file_that_has_come_in_part_goes_on_where_it_was(tmp_path: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("a", b"x" * 600_000)
    ada.folder.scan()
    ben.folder.scan()
    ben.hear(ada)
    content = ada.folder.index.files["a"].entry.content
    assert content is not None
    part = ben.folder.begin(content)
    part.store(1, b"x" * (256 << 10))
    ben.restart()

    part = ben.folder.begin(content)
    assert part.have == {1}
    ben.folder.end(part)
    for node in (ada, ben):
        node.close()


def test_a_part_that_the_disk_has_damaged_comes_again(tmp_path: Path) -> None:
    """As after a power cut that has kept the marks and lost the data."""
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1)
    ada.write("a", b"x" * 300_000)
    ada.folder.scan()
    ben.folder.scan()
    ben.hear(ada)
    content = ada.folder.index.files["a"].entry.content
    assert content is not None
    part = ben.folder.begin(content)
    for place in range(content.chunks):
        part.store(place, b"wrong"[:1] * 4)
    ben.folder.end(part)

    failed = ben.follow([])
    assert failed == {"a": "what lies on the disk is not what came: it comes again"}
    assert ben.files() == {}
    ben.follow([ada])

    assert ben.files() == ada.files()
    for node in (ada, ben):
        node.close()
