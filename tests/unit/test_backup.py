"""`python -m app.backup` and `python -m app.restore`, in this process, on what a server could have left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from app.backups import archive, making, sealed
from app.store.checkpoints import CheckpointStore
from app.store.reader import StoreReader
from app.store.store import Store
from app.store.urls import default_url
from tests.support.backups import ROUNDS, RUN, backup, fill, names, restore, write_passphrase
from tests.support.postgres import PostgresServer
from tests.support.stores import a_model

KEY = b"-----BEGIN PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "SCRYPT_N", 2)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server's folder, with what is kept and what is made again."""
    home = tmp_path / "home"
    for name, data in (
        ("keys/server.pem", KEY),
        ("client.toml", b"min_cohort = 3\n"),
        ("invitation", b"fedloom://..."),
        ("server", b"{}"),
        ("spool/reply", b"half a reply"),
        ("data/MNIST/raw/images", b"downloaded"),
        ("keys/.draft-server.pem-x", b"half a key"),
    ):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o600)
    CheckpointStore(home / "checkpoints").save(RUN.id, 2, a_model(1.5), {}, {})
    monkeypatch.setenv("FEDLOOM_HOME", str(home))
    monkeypatch.delenv("FEDLOOM_STORE", raising=False)
    return home


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    """With a run; a server still has it open."""
    with Store.open(default_url(home)) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    return write_passphrase(tmp_path / "passphrase", "correct horse battery")


@pytest.mark.usefixtures("store")
def test_all_that_is_kept_comes_back_and_nothing_that_is_made_again(
    home: Path, tmp_path: Path, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = tmp_path / "b.backup", tmp_path / "restored"

    assert backup(file, passphrase) == 0
    assert restore(file, folder, passphrase) == 0

    said = capsys.readouterr()
    assert "4 files" in said.out
    assert "the audit log in it does not verify: The store has no audit log yet" in said.err
    checkpoint = f"checkpoints/{RUN.id}/round-00002.safetensors"
    assert names(folder) == [checkpoint, "client.toml", "fedloom.db", "keys/server.pem"]
    assert (folder / "keys/server.pem").read_bytes() == KEY
    with StoreReader.open_to_read(default_url(folder)) as restored:
        assert restored.runs() == [RUN]
        assert restored.rounds(RUN.id) == ROUNDS
    CheckpointStore(folder / "checkpoints").load(RUN.id, 2)
    modes = {path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))}
    assert modes == {0}, "nobody else can read it"
    assert file.stat().st_mode & 0o077 == 0
    assert KEY not in file.read_bytes()
    assert [path.name for path in home.glob(".backup-*")] == []


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("place", [0.2, 0.5, 0.99])
@pytest.mark.parametrize("is_cut", [True, False])
def test_of_a_damaged_file_nothing_is_written(
    tmp_path: Path,
    passphrase: Path,
    place: float,
    is_cut: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, folder = tmp_path / "b.backup", tmp_path / "there" / "restored"
    folder.parent.mkdir()
    assert backup(file, passphrase) == 0
    data = bytearray(file.read_bytes())
    at = int(len(data) * place)
    data[at] ^= 1
    file.write_bytes(data[:at] if is_cut else data)

    assert restore(file, folder, passphrase) == 1

    assert "is damaged: it was cut short, or bytes in it have changed." in capsys.readouterr().err
    assert list(folder.parent.iterdir()) == []


@pytest.mark.usefixtures("store")
def test_with_another_passphrase_nothing_is_written(
    tmp_path: Path, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = tmp_path / "b.backup", tmp_path / "restored"
    assert backup(file, passphrase) == 0
    folder.mkdir()

    assert restore(file, folder, write_passphrase(tmp_path / "other", "something quite different")) == 1

    assert "was made with another passphrase" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("store")
def test_nothing_that_is_there_is_written_over(
    tmp_path: Path, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, folder = tmp_path / "b.backup", tmp_path / "restored"
    assert backup(file, passphrase) == 0
    data = file.read_bytes()
    folder.mkdir()
    (folder / "notes").write_text("mine")

    assert backup(file, passphrase) == 1
    assert restore(file, folder, passphrase) == 1

    assert file.read_bytes() == data
    assert names(folder) == ["notes"]
    said = capsys.readouterr().err
    assert "is there already, and is left as it is" in said
    assert "is not empty, so nothing was restored into it" in said


@pytest.mark.usefixtures("store")
def test_a_backup_that_fails_leaves_nothing(
    home: Path,
    tmp_path: Path,
    passphrase: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    monkeypatch.setattr(archive.ArchiveWriter, "close", full_disk)

    assert backup(folder / "b.backup", passphrase) == 1

    assert "No space left on device). Nothing is left of it." in capsys.readouterr().err
    assert list(folder.iterdir()) == []
    assert list(home.glob(".backup-*")) == []


def full_disk(_writer: archive.ArchiveWriter) -> None:
    raise OSError(28, os.strerror(28))


@pytest.mark.usefixtures("home")
def test_a_passphrase_that_can_be_guessed_is_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backup(tmp_path / "b.backup", write_passphrase(tmp_path / "short", "secret")) == 1
    assert "The passphrase has 6 characters, and 12 are the least" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_without_a_store_there_is_no_backup(
    tmp_path: Path, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backup(tmp_path / "b.backup", passphrase) == 1
    assert "no server has kept anything there" in capsys.readouterr().err
    assert not (tmp_path / "b.backup").exists()


@pytest.mark.usefixtures("home")
def test_a_postgresql_comes_back_as_a_file_or_as_a_postgresql(
    tmp_path: Path, passphrase: Path, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    file, url, other = tmp_path / "b.backup", postgres.new_database(), postgres.new_database()
    with Store.open(url) as store:
        fill(store)
        secret = store.secret(RUN.id)
        assert backup(file, passphrase, "--store", url) == 0

    assert restore(file, tmp_path / "file", passphrase) == 0
    assert restore(file, tmp_path / "postgresql", passphrase, "--store", other) == 0
    assert restore(file, tmp_path / "again", passphrase, "--store", other) == 1

    assert "is not empty" in capsys.readouterr().err
    assert not (tmp_path / "again").exists()
    assert not (tmp_path / "postgresql" / "fedloom.db").exists()
    for restored in (default_url(tmp_path / "file"), other):
        with Store.open(restored) as store:
            assert store.runs() == [RUN]
            assert store.rounds(RUN.id) == ROUNDS
            assert store.secret(RUN.id) == secret


@pytest.mark.usefixtures("store")
def test_what_lies_behind_links_is_in_it_as_plain_files(home: Path, tmp_path: Path, passphrase: Path) -> None:
    disk, folder = tmp_path / "disk", tmp_path / "restored"
    (disk / "updates").mkdir(parents=True)
    (disk / "updates" / "r-1").write_bytes(b"an update")
    for name in ("keys", "client.toml", "checkpoints"):
        (home / name).rename(disk / name)
        (home / name).symlink_to(disk / name)
    (home / "updates").symlink_to(disk / "updates")
    (disk / "updates" / "again").symlink_to(disk / "updates")
    (disk / "updates" / "home").symlink_to(home)
    (home / "lost+found").mkdir()

    assert backup(home / "updates" / "b.backup", passphrase) == 0
    assert restore(disk / "updates" / "b.backup", folder, passphrase) == 0

    checkpoint = f"checkpoints/{RUN.id}/round-00002.safetensors"
    assert names(folder) == [checkpoint, "client.toml", "fedloom.db", "keys/server.pem", "updates/r-1"]
    assert (folder / "keys/server.pem").read_bytes() == KEY
    assert not any(path.is_symlink() for path in folder.rglob("*"))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("name", ["keys", "checkpoints", "keys/server.pem"])
@pytest.mark.parametrize(
    ("target", "words"),
    [("/nowhere/at/all", "is a link to /nowhere/at/all, which is not there"), ("", "too many")],
)
def test_a_link_that_leads_nowhere_is_said_and_no_backup_made(
    home: Path,
    tmp_path: Path,
    passphrase: Path,
    name: str,
    target: str,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (home / name).rename(tmp_path / "elsewhere")
    (home / name).symlink_to(target or home / name)

    assert backup(tmp_path / "b.backup", passphrase) == 1

    said = capsys.readouterr().err
    assert str(home / name) in said
    assert words in said.lower()
    assert not (tmp_path / "b.backup").exists()


@pytest.mark.usefixtures("store")
def test_what_a_killed_backup_has_left_is_removed_and_in_no_other(
    home: Path, tmp_path: Path, passphrase: Path
) -> None:
    for left in (home / ".backup-x1y2" / "fedloom.db", home / "keys" / ".backup-x1y2" / "fedloom.db"):
        left.parent.mkdir()
        left.write_bytes(b"a copy")

    assert backup(tmp_path / "b.backup", passphrase) == 0
    assert restore(tmp_path / "b.backup", tmp_path / "restored", passphrase) == 0

    assert not (home / ".backup-x1y2").exists()
    assert [name for name in names(tmp_path / "restored") if "x1y2" in name] == []


@pytest.mark.usefixtures("store")
def test_a_second_backup_at_the_same_time_is_refused(
    home: Path, tmp_path: Path, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = home / ".backup-first" / "fedloom.db"
    copy.parent.mkdir()
    copy.write_bytes(b"being copied")

    with FileLock(home / making.LOCK):
        assert backup(tmp_path / "b.backup", passphrase) == 1

    assert f"Another backup of {home} is being made." in capsys.readouterr().err
    assert copy.read_bytes() == b"being copied"
    assert not (tmp_path / "b.backup").exists()


@pytest.mark.usefixtures("store")
def test_a_file_of_the_name_of_the_digests_comes_back_like_any(
    home: Path, tmp_path: Path, passphrase: Path
) -> None:
    (home / archive.DIGESTS).write_bytes(b"of my own")

    assert backup(tmp_path / "b.backup", passphrase) == 0
    assert restore(tmp_path / "b.backup", tmp_path / "restored", passphrase) == 0

    assert (tmp_path / "restored" / archive.DIGESTS).read_bytes() == b"of my own"
