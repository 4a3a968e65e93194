"""Files for their user's eyes only: whole or not at all, and nothing in their place is taken for them."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.security.files import (
    WRITTEN_WITHIN_S,
    NotOwn,
    make_private_folder,
    read_own,
    remove_drafts,
    write_first,
    write_whole,
)
from tests.support.other_user import needs_root
from tests.support.small_disk import SmallDisk, small_disk

WRITERS = [write_first, write_whole]


@pytest.fixture(autouse=True)
def no_umask() -> Iterator[None]:
    """As whoever has set it to 0 would have it: nothing is private by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        yield disk


@pytest.mark.parametrize("write", WRITERS)
def test_file_and_folders_are_its_users_alone(tmp_path: Path, write: object) -> None:
    path = tmp_path / "home" / "keys" / "key.pem"

    assert callable(write)
    write(path, b"secret")

    assert path.read_bytes() == b"secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)

    make_private_folder(tmp_path / "new")

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_the_first_one_stays_and_a_whole_one_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "file"

    write_first(path, b"1")
    write_first(path, b"2")
    assert path.read_bytes() == b"1"

    write_whole(path, b"3")
    assert path.read_bytes() == b"3"


def test_a_link_to_elsewhere_is_replaced_and_not_followed(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"theirs")
    path = tmp_path / "file"
    path.symlink_to(theirs)

    write_whole(path, b"mine")

    assert theirs.read_bytes() == b"theirs"
    assert not path.is_symlink()


@pytest.mark.parametrize("trouble", ["full", "read only"])
def test_on_a_disk_that_takes_nothing_the_old_one_stays_and_nothing_is_left(
    disk: SmallDisk, trouble: str
) -> None:
    path = disk.folder / "file"
    write_whole(path, b"old")
    if trouble == "full":
        disk.fill()
    else:
        disk.make_read_only()

    with pytest.raises(OSError, match=r"No space left|Read-only"):
        write_whole(path, b"new" * 100_000)

    assert path.read_bytes() == b"old"
    assert {file.name for file in disk.folder.iterdir()} <= {"file", "ballast"}


def test_what_a_writer_that_was_killed_has_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "invitation"
    write_whole(path, b"x")
    long_ago = time.time() - 2 * WRITTEN_WITHIN_S
    for name in ("invitation-abc", "server.pem-abc"):
        draft = tmp_path / f".draft-{name}"
        draft.write_bytes(b"half")
        os.utime(draft, (long_ago, long_ago))
    (tmp_path / ".draft-invitation-now").write_bytes(b"another process writes it")

    remove_drafts(path)

    assert sorted(file.name for file in tmp_path.iterdir()) == [
        ".draft-invitation-now",
        ".draft-server.pem-abc",
        "invitation",
    ]


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_file_is_refused_and_waits_for_nobody(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "key.pem"
    if kind == "pipe":
        os.mkfifo(path, 0o600)
    elif kind == "folder":
        path.mkdir(0o700)
    else:
        path.symlink_to("/dev/zero")

    with pytest.raises((NotOwn, IsADirectoryError)):
        read_own(path, 100)


@needs_root
def test_another_users_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(b"x")
    path.chmod(0o600)
    os.chown(path, 65_534, 65_534)

    with pytest.raises(NotOwn, match="belongs to another user"):
        read_own(path, 100)
