"""A program writes whole files into a shared folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.files.names import NameRefused
from mesh.files.publish import publish
from tests.support.file_nodes import FileNode, exchange
from tests.support.small_disk import small_disk


def test_a_checkpoint_and_its_signature_come_to_others(tmp_path: Path) -> None:
    ada, ben = FileNode(tmp_path, 0), FileNode(tmp_path, 1, receive_only=True)
    for number in range(2):
        publish(
            ada.root, {"run/model.sig": b"signed %d" % number, "run/model.safetensors": b"model %d" % number}
        )
        exchange([ada, ben])
    assert ben.files() == {"run/model.sig": b"signed 1", "run/model.safetensors": b"model 1"}
    assert list((ada.root / ".fedloom/drafts").iterdir()) == []
    for node in (ada, ben):
        node.close()


def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(NameRefused):
        publish(tmp_path, {"good": b"x", "../bad": b"x"})
    assert not (tmp_path / "good").exists()


def test_a_full_disk_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        publish(disk.folder, {"a": b"old"})
        disk.fill()
        with pytest.raises(OSError, match="No space left"):
            publish(disk.folder, {"a": b"new" * 100_000})
        disk.free()
        assert (disk.folder / "a").read_bytes() == b"old"
        assert list((disk.folder / ".fedloom/drafts").iterdir()) == []
