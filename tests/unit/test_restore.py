"""`python -m app.restore` writes all or nothing, into the PostgreSQL as into the folder."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from app.backups import restoring, sealed
from app.store.files import sync_folder
from app.store.store import Store
from app.store.urls import default_url
from tests.support.backups import RUN, backup, fill, names, restore, write_passphrase
from tests.support.postgres import PostgresServer


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    return write_passphrase(tmp_path / "passphrase", "correct horse battery")


@pytest.fixture
def file(tmp_path: Path, passphrase: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backup of a server with a key and a run."""
    home, file = tmp_path / "home", tmp_path / "b.backup"
    (home / "keys").mkdir(parents=True)
    (home / "keys" / "server.pem").write_bytes(b"a key")
    monkeypatch.setattr(sealed, "SCRYPT_N", 2)
    monkeypatch.setenv("FEDLOOM_HOME", str(home))
    monkeypatch.delenv("FEDLOOM_STORE", raising=False)
    with Store.open(default_url(home)) as store:
        fill(store)
    assert backup(file, passphrase) == 0
    return file


def a_folder(tmp_path: Path, kind: str) -> Path:
    """Where to restore; all that is in `tmp_path / "place"`."""
    folder, there = tmp_path / "place" / "folder", tmp_path / "place" / "disk"
    folder.parent.mkdir()
    if kind == "link":
        there.mkdir()
        folder.symlink_to(there)
    elif kind == "there":
        folder.mkdir()
    return folder


def failing_to_sync(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full when a folder's names are to be on it."""

    def sync(path: Path) -> None:
        if path == folder:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync_folder(path)

    monkeypatch.setattr(restoring, "sync_folder", sync)


@pytest.mark.parametrize("kind", ["link", "there"])
def test_a_folder_that_is_there_and_empty_stays_the_one_it_is(
    file: Path, passphrase: Path, tmp_path: Path, kind: str
) -> None:
    """A disk may be mounted there: then it can be neither removed nor renamed."""
    folder = a_folder(tmp_path, kind)
    (folder / "lost+found").mkdir()
    before = folder.stat().st_ino

    assert restore(file, folder, passphrase) == 0

    assert (folder.stat().st_ino, folder.is_symlink()) == (before, kind == "link")
    assert sorted(path.name for path in folder.iterdir()) == ["fedloom.db", "keys", "lost+found"]
    assert names(folder) == ["fedloom.db", "keys/server.pem"]


def test_a_link_that_leads_nowhere_is_said(
    file: Path, passphrase: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").symlink_to(tmp_path / "nowhere")

    assert restore(file, tmp_path / "folder", passphrase) == 1

    assert f"is a link to {tmp_path / 'nowhere'}, which is not there" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("kind", ["new", "link", "there"])
def test_when_the_files_cannot_get_their_place_nothing_is_written(
    file: Path,
    passphrase: Path,
    tmp_path: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = a_folder(tmp_path, kind)
    before = sorted((tmp_path / "place").rglob("*"))
    failing_to_sync(folder.parent if kind == "new" else folder, monkeypatch)

    assert restore(file, folder, passphrase) == 1

    assert "(No space left on device). Nothing was written." in capsys.readouterr().err
    assert sorted((tmp_path / "place").rglob("*")) == before


@pytest.mark.parametrize("kind", ["new", "link"])
def test_a_disk_that_is_full_leaves_the_postgresql_empty_and_the_next_try_succeeds(
    file: Path,
    passphrase: Path,
    tmp_path: Path,
    kind: str,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, url = a_folder(tmp_path, kind), postgres.new_database()
    with monkeypatch.context() as full:
        full.setattr(restoring, "_sync", full_disk)
        assert restore(file, folder, passphrase, "--store", url) == 1
    assert "(No space left on device). Nothing was written." in capsys.readouterr().err

    assert restore(file, folder, passphrase, "--store", url) == 0

    assert names(folder) == ["keys/server.pem"]
    with Store.open(url) as store:
        assert store.runs() == [RUN]


def full_disk(_: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("kind", ["new", "there"])
def test_what_fails_after_the_postgresql_is_filled_is_said_and_loses_no_file(
    file: Path,
    passphrase: Path,
    tmp_path: Path,
    kind: str,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, url = a_folder(tmp_path, kind), postgres.new_database()
    failing_to_sync(folder.parent if kind == "new" else folder, monkeypatch)

    assert restore(file, folder, passphrase, "--store", url) == 1

    said = capsys.readouterr().err
    draft = next((tmp_path / "place").rglob(".restore-*")) / "files"
    assert (
        f"The database was restored into the PostgreSQL, but the files could not be moved to {folder}" in said
    )
    assert f"They lie in {draft}, whole: move what is in it to {folder} yourself." in said
    assert (draft / "keys" / "server.pem").read_bytes() == b"a key"
    with Store.open(url) as store:
        assert store.runs() == [RUN]
