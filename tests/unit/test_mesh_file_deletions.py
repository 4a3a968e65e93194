"""For how long a shared folder remembers that a file was deleted, and what comes of that."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mesh.files.folder import DELETIONS_KEPT_DAYS
from tests.support.file_nodes import FileNode, exchange, file_nodes

DAY_NS = 86_400 * 1_000_000_000

Pass = Callable[[float], None]


@pytest.fixture
def days_pass(monkeypatch: pytest.MonkeyPatch) -> Pass:
    """So many days go by, by the clocks of all."""
    clock = time.time_ns
    passed = 0

    def later(days: float) -> None:
        nonlocal passed
        passed += round(days * DAY_NS)

    monkeypatch.setattr(time, "time_ns", lambda: clock() + passed)
    return later


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[FileNode, ...]]:
    with file_nodes(tmp_path, 3) as nodes:
        yield nodes


def deleted_while_the_third_is_away(nodes: tuple[FileNode, ...]) -> None:
    nodes[0].write("old", "gone soon")
    nodes[0].write("kept", "stays")
    exchange(nodes)
    (nodes[0].root / "old").unlink()
    exchange(nodes[:2])


def remembered(node: FileNode) -> set[str]:
    return {name for name, local in node.folder.index.files.items() if local.entry.is_deleted}


def test_a_file_does_not_come_back_from_a_node_that_was_away_for_nearly_as_long(
    nodes: tuple[FileNode, ...], days_pass: Pass
) -> None:
    deleted_while_the_third_is_away(nodes)
    days_pass(DELETIONS_KEPT_DAYS - 1)
    exchange(nodes[:2])

    exchange(nodes)

    assert [node.files() for node in nodes] == [{"kept": b"stays"}] * 3
    assert nodes[2].old_versions() == [b"gone soon"]


def test_a_deletion_is_forgotten_by_all_in_the_end_and_nobody_tells_of_it_again(
    nodes: tuple[FileNode, ...], days_pass: Pass
) -> None:
    deleted_while_the_third_is_away(nodes)
    days_pass(DELETIONS_KEPT_DAYS / 2)
    exchange(nodes)  # the third hears of it late
    days_pass(DELETIONS_KEPT_DAYS / 2 + 1)
    exchange(nodes)
    assert [remembered(node) for node in nodes] == [set(), set(), {"old"}]

    days_pass(DELETIONS_KEPT_DAYS / 2)
    exchange(nodes)

    assert [remembered(node) for node in nodes] == [set()] * 3
    assert [node.files() for node in nodes] == [{"kept": b"stays"}] * 3


def test_what_comes_back_from_a_node_that_was_away_for_longer_is_a_file_as_any_other(
    nodes: tuple[FileNode, ...], days_pass: Pass
) -> None:
    deleted_while_the_third_is_away(nodes)
    days_pass(DELETIONS_KEPT_DAYS + 1)
    for node in nodes[:2]:
        node.folder.scan()
        assert remembered(node) == set()
        assert node.folder.plan().wanted == [], "nobody waits for what the one who is away had"
        node.restart()
        node.folder.know({other.id: other.key.public for other in nodes if other is not node})
        assert node.folder.plan().wanted == [], "nor after a restart"

    exchange(nodes)

    assert [node.files() for node in nodes] == [{"kept": b"stays", "old": b"gone soon"}] * 3
    (nodes[1].root / "old").unlink()
    exchange(nodes)
    assert [node.files() for node in nodes] == [{"kept": b"stays"}] * 3


def test_a_node_whose_clock_is_behind_has_its_deletions_remembered_all_the_same(
    nodes: tuple[FileNode, ...], days_pass: Pass
) -> None:
    nodes[0].write("old", "gone soon")
    exchange(nodes)
    days_pass(-10 * DELETIONS_KEPT_DAYS)
    (nodes[0].root / "old").unlink()
    nodes[0].folder.scan()
    days_pass(10 * DELETIONS_KEPT_DAYS)

    exchange(nodes[:2])
    exchange(nodes)

    assert [node.files() for node in nodes] == [{}] * 3


def test_an_index_of_before_remembers_its_deletions_from_now_on(
    nodes: tuple[FileNode, ...], days_pass: Pass, tmp_path: Path
) -> None:
    deleted_while_the_third_is_away(nodes)
    nodes[0].close()
    with sqlite3.connect(tmp_path / "home0/papers.sqlite") as database:
        database.execute("DROP TABLE deletions")
    days_pass(DELETIONS_KEPT_DAYS + 1)

    nodes[0].restart()
    nodes[0].folder.scan()
    assert remembered(nodes[0]) == {"old"}

    days_pass(DELETIONS_KEPT_DAYS + 1)
    nodes[0].folder.scan()
    assert remembered(nodes[0]) == set()
