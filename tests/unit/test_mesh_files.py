"""A folder that several nodes share: all come to the same files, and nothing that was written is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.file_nodes import FileNode, exchange, file_nodes, set_time


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[FileNode, ...]]:
    with file_nodes(tmp_path, 3) as nodes:
        yield nodes


def test_what_one_writes_all_have(nodes: tuple[FileNode, ...]) -> None:
    nodes[0].write("notes/today.txt", "rain")
    nodes[1].write("empty", "")

    exchange(nodes)

    assert (
        nodes[0].files() == nodes[1].files() == nodes[2].files() == {"notes/today.txt": b"rain", "empty": b""}
    )


def test_a_change_replaces_the_file_and_the_old_version_is_kept(nodes: tuple[FileNode, ...]) -> None:
    nodes[0].write("a", "first")
    exchange(nodes)

    nodes[1].write("a", "second")
    exchange(nodes)

    assert [node.read("a") for node in nodes] == ["second"] * 3
    assert nodes[0].old_versions() == nodes[2].old_versions() == [b"first"]


def test_what_two_change_at_once_lies_side_by_side_everywhere(nodes: tuple[FileNode, ...]) -> None:
    nodes[0].write("plan.txt", "both know this")
    exchange(nodes)
    nodes[0].write("plan.txt", "mine")
    nodes[1].write("plan.txt", "yours")
    set_time(nodes[0].root / "plan.txt", 1_000_000_000)
    set_time(nodes[1].root / "plan.txt", 1_100_000_000)

    exchange(nodes)

    device = str(nodes[0].id)[:7]
    copy = f"plan.sync-conflict-20010909-014640-{device}.txt"
    for node in nodes:
        assert node.files() == {"plan.txt": b"yours", copy: b"mine"}


def test_a_file_that_was_deleted_does_not_come_back_from_a_node_that_was_away(
    nodes: tuple[FileNode, ...],
) -> None:
    nodes[0].write("folder/old", "gone soon")
    exchange(nodes)
    (nodes[0].root / "folder/old").unlink()
    exchange(nodes[:2])

    exchange(nodes)

    assert [node.files() for node in nodes] == [{}] * 3
    assert not (nodes[2].root / "folder").exists()
    assert nodes[2].old_versions() == [b"gone soon"]
