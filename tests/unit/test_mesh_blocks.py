"""For whom a server does not vouch in the mesh: kept before it counts, and never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.federation.link.mesh_blocks import BLOCKED, BlockRefused, BlocksUnusable, MeshBlocks
from app.records import MeshBlock


def block(number: int) -> MeshBlock:
    return MeshBlock(key=f"K{number}", client=f"client-{number}", by="ana", time=float(number), reason="")


def test_who_is_blocked_stays_so_over_a_restart_until_it_is_taken_back(tmp_path: Path) -> None:
    blocks = MeshBlocks(tmp_path / BLOCKED)
    blocks.add(block(1))
    blocks.add(block(2))

    again = MeshBlocks(tmp_path / BLOCKED)
    assert again.all() == [block(2), block(1)]
    assert again.remove("K1") == block(1)
    assert [again.has(key) for key in ("K1", "K2")] == [False, True]
    assert MeshBlocks(tmp_path / BLOCKED).all() == [block(2)]
    assert (tmp_path / BLOCKED).stat().st_mode & 0o777 == 0o600


def test_nobody_is_blocked_or_unblocked_twice() -> None:
    blocks = MeshBlocks(None)
    blocks.add(block(1))

    with pytest.raises(BlockRefused, match="client-1 is blocked in the mesh already"):
        blocks.add(block(1))
    with pytest.raises(BlockRefused, match="not blocked"):
        blocks.remove("K2")


@pytest.mark.parametrize("content", ["", "{}", '[{"key": 1}]', "[1]", "\xff"])
def test_a_list_that_cannot_be_read_lets_nobody_in(tmp_path: Path, content: str) -> None:
    file = tmp_path / BLOCKED
    file.write_text(content, encoding="latin-1")
    file.chmod(0o600)

    with pytest.raises(BlocksUnusable, match="to vouch for all clients again, remove it"):
        MeshBlocks(file)


def test_what_cannot_be_kept_does_not_count(tmp_path: Path) -> None:
    blocks = MeshBlocks(tmp_path / "folder" / BLOCKED)
    (tmp_path / "folder").write_text("no folder")

    with pytest.raises(BlocksUnusable, match="Nothing was changed"):
        blocks.add(block(1))
    assert not blocks.has("K1")
