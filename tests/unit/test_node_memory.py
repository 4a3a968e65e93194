"""What a node keeps over its restarts."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh import node_memory
from mesh.node_memory import EPOCH, SEEN, MemoryUnusable, NodeMemory
from mesh.protocol.replay import Seen
from shared.security.key_id import KeyId

A, B = KeyId(b"a" * 32), KeyId(b"b" * 32)


def test_each_start_has_a_higher_epoch_also_when_the_clock_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = []
    for time in (1_700_000_000.0, 1_700_000_000.0, 5.0, 1_800_000_000.0):
        monkeypatch.setattr("time.time", lambda time=time: time)
        with NodeMemory(tmp_path) as memory:
            epochs.append(memory.epoch)

    assert epochs == [1_700_000_000, 1_700_000_001, 1_700_000_002, 1_800_000_000]


def test_what_was_taken_is_known_to_the_next_start(tmp_path: Path) -> None:
    with NodeMemory(tmp_path) as memory:
        memory.remember(A, Seen(3, 7))
        memory.remember(B, Seen(1, 1))
        memory.remember(A, Seen(3, 9))
        memory.remember(A, Seen(3, 8))  # it came by another way

    for _ in range(2):
        with NodeMemory(tmp_path) as memory:
            assert memory.seen == {A: Seen(3, 9), B: Seen(1, 1)}


def test_it_is_on_the_disk_at_once(tmp_path: Path) -> None:
    """A process that is killed writes nothing more."""
    with NodeMemory(tmp_path) as memory:
        memory.remember(A, Seen(3, 7))
        (tmp_path / "copy").mkdir()
        (tmp_path / "copy" / SEEN).write_bytes((tmp_path / SEEN).read_bytes())

    with NodeMemory(tmp_path / "copy") as memory:
        assert memory.seen == {A: Seen(3, 7)}


@given(cut=st.integers(0, 300))
def test_a_file_that_was_cut_is_read_as_far_as_it_goes(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("node")
    with NodeMemory(folder) as memory:
        for sequence in range(1, 5):
            memory.remember(A, Seen(1, sequence))
    data = (folder / SEEN).read_bytes()
    (folder / SEEN).write_bytes(data[: max(0, len(data) - cut)])

    with NodeMemory(folder) as memory:
        whole = max(0, len(data) - cut) // (len(data) // 4)
        assert memory.seen == ({A: Seen(1, whole)} if whole else {})


def test_the_file_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_memory, "MAX_SEEN_BYTES", 1_000)
    with NodeMemory(tmp_path) as memory:
        for sequence in range(1, 200):
            memory.remember(A, Seen(1, sequence))
            memory.remember(A, Seen(1, 1))
            assert (tmp_path / SEEN).stat().st_size < 1_100

    with NodeMemory(tmp_path) as memory:
        assert memory.seen == {A: Seen(1, 199)}


def test_on_a_full_disk_the_node_goes_on_says_so_and_keeps_all_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with NodeMemory(tmp_path) as memory:
        with monkeypatch.context() as full:
            full.setattr(node_memory, "write_whole", _full)
            memory._file.close()
            memory._file = open(os.devnull, "rb", buffering=0)  # noqa: SIM115, PTH123 - cannot be written
            memory.remember(A, Seen(1, 1))
            memory.remember(A, Seen(1, 2))
        memory.remember(B, Seen(1, 3))

    assert caplog.text.count("cannot be kept") == 1
    with NodeMemory(tmp_path) as memory:
        assert memory.seen == {A: Seen(1, 2), B: Seen(1, 3)}


def _full(path: Path, data: bytes) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_two_processes_are_not_one_node(tmp_path: Path) -> None:
    with NodeMemory(tmp_path), pytest.raises(MemoryUnusable, match="Another process"):
        NodeMemory(tmp_path)

    NodeMemory(tmp_path).release()


@pytest.mark.parametrize("text", ["", "seven", "-1", "9" * 30])
def test_an_epoch_that_cannot_be_read_is_not_guessed(tmp_path: Path, text: str) -> None:
    (tmp_path / EPOCH).write_text(text, encoding="ascii")

    with pytest.raises(MemoryUnusable, match="holds no number"):
        NodeMemory(tmp_path)

    (tmp_path / EPOCH).unlink()
    NodeMemory(tmp_path).release()  # the lock was let go


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(MemoryUnusable, match="cannot be used"):
        NodeMemory(tmp_path / "file" / "node")
