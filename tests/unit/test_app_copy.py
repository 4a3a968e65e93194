"""An app runs from a copy that has exactly the files that were compared; what it writes stays there."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.app_copy import copy as copying
from shared.app_copy import links as linking
from shared.app_copy import make_copy, place_of, where_it_wrote, working_directory, written
from shared.errors import AppInvalid
from shared.flower_app import FlowerApp, read_app
from tests.support.apps import CLIENT_APP, write_app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of an app."""
    return write_app(tmp_path / "an app ü", "pkg")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where its copy belongs."""
    return tmp_path / "home" / "apps" / "made-up" / "server"


def write(path: Path, text: str = "x\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def copied(folder: Path, place: Path) -> Path:
    return make_copy(read_app(folder), place)


def test_the_copy_has_the_bundled_files_as_they_were_when_the_app_was_read(folder: Path, place: Path) -> None:
    app = read_app(folder)
    write(folder / "pkg" / "client_app.py", "changed = True\n")
    write(folder / "pkg" / "new.py")

    copy = make_copy(app, place)

    assert (copy / "pkg" / "client_app.py").read_text(encoding="utf-8") == CLIENT_APP
    assert not (copy / "pkg" / "new.py").exists()
    assert copy == place


def test_what_the_app_writes_does_not_change_its_digest(folder: Path, place: Path) -> None:
    app = read_app(folder)
    copy = make_copy(app, place)
    write(copy / "results.json", "{}")
    write(copy / "pkg" / "generated.py")

    assert read_app(folder).digest == app.digest
    assert make_copy(app, place) == copy
    assert (copy / "results.json").read_text(encoding="utf-8") == "{}"


def test_code_that_nobody_compared_is_gone_before_the_next_run(folder: Path, place: Path) -> None:
    copy = copied(folder, place)
    strange = [
        write(copy / name) for name in ("helper.py", "pkg/extra.py", "new/deep.pyc", "pkg/__pycache__/x.pyc")
    ]
    (copy / "linked.py").symlink_to(folder / "pkg" / "client_app.py")

    copied(folder, place)

    assert not any(path.exists() for path in (*strange, copy / "linked.py"))
    assert sorted(path.name for path in copy.rglob("*.py")) == [
        "__init__.py",
        "client_app.py",
        "server_app.py",
    ]


def test_changed_code_is_restored(folder: Path, place: Path) -> None:
    copy = copied(folder, place)
    write(copy / "pkg" / "client_app.py", "app = None\n")
    (copy / "pkg" / "server_app.py").unlink()

    copied(folder, place)

    assert (copy / "pkg" / "client_app.py").read_text(encoding="utf-8") == CLIENT_APP
    assert (copy / "pkg" / "server_app.py").is_file()


def test_results_that_the_app_wrote_over_a_bundled_file_are_kept_beside_it(folder: Path, place: Path) -> None:
    write(folder / "results.json", "first")
    copy = copied(folder, place)
    write(copy / "results.json", "second")

    copied(folder, place)

    assert (copy / "results.json").read_text(encoding="utf-8") == "first"
    assert (copy / "results.json.changed").read_text(encoding="utf-8") == "second"
    assert written(copy) == ("results.json.changed",)


def test_a_new_version_of_the_app_replaces_the_old_one(folder: Path, place: Path) -> None:
    write(folder / "old" / "conf.yaml")
    write(folder / "data.csv")
    copy = copied(folder, place)
    write(copy / "model.pt")
    shutil.rmtree(folder / "old")
    (folder / "data.csv").unlink()
    write(folder / "conf.yaml", "new")
    write(folder / "pkg" / "client_app.py", "new = 1\n")

    copied(folder, place)

    assert not (copy / "old").exists()
    assert not os.path.lexists(copy / "data.csv")
    assert (copy / "conf.yaml").read_text(encoding="utf-8") == "new"
    assert (copy / "pkg" / "client_app.py").read_text(encoding="utf-8") == "new = 1\n"
    assert written(copy) == ("model.pt",)


def test_data_beside_the_code_is_linked_file_by_file(folder: Path, place: Path) -> None:
    data = write(folder / "data" / "part one" / "ü.csv")
    (folder / "outputs").mkdir()

    copy = copied(folder, place)

    assert (copy / "data" / "part one" / "ü.csv").readlink() == data
    assert not (copy / "data" / "part one").is_symlink()
    assert (copy / "outputs").is_dir()
    write(copy / "data" / "new.csv")
    assert not (folder / "data" / "new.csv").exists(), "folders are the copy's own"


@pytest.mark.parametrize(
    "name",
    [
        "test_pkg.py",
        "pkg/compiled.pyc",
        "pkg/compiled.so",
        ".git/HEAD",
        ".hidden/data.csv",
        ".venv/x.csv",
        "env/pyvenv.cfg",
        "node_modules/x/y.txt",
        "pkg/__pycache__/x.txt",
        ".fedloom/fedloom.db",
    ],
)
def test_neither_code_nor_what_is_not_the_apps_is_linked(folder: Path, place: Path, name: str) -> None:
    write(folder / name)

    assert not os.path.lexists(copied(folder, place) / name)


def test_a_hidden_file_may_hold_settings_and_is_linked(folder: Path, place: Path) -> None:
    write(folder / ".env")

    assert (copied(folder, place) / ".env").is_file()


def test_links_lead_where_they_led(folder: Path, place: Path, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "datasets" / "x.bin").parent
    write(folder / "data" / "a.csv")
    (folder / "outside").symlink_to(elsewhere)
    (folder / "inside").symlink_to("data")
    (folder / "broken").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    (folder / "up").symlink_to("..")

    copy = copied(folder, place)

    assert (copy / "outside" / "x.bin").is_file()
    assert (copy / "inside").readlink() == copy / "data"
    assert not os.path.lexists(copy / "broken")
    assert not os.path.lexists(copy / "loop")
    assert (copy / "up").readlink() == tmp_path


def test_a_folder_with_very_many_files_is_linked_as_a_whole(
    folder: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linking, "MAX_LINKS", 3)
    for number in range(4):
        write(folder / "images" / "train" / f"{number}.jpg")
        write(folder / "pkg" / f"{number}.jpg")
    write(folder / "images" / "train" / "labels.json")
    write(folder / "images" / "README.md")

    copy = copied(folder, place)

    assert (copy / "images" / "train").readlink() == folder / "images" / "train"
    assert not (copy / "images").is_symlink(), "one level up there is little"
    assert not (copy / "pkg").is_symlink(), "code is never linked"
    assert (copy / "pkg" / "3.jpg").is_symlink()
    assert written(copy) == ()


def test_a_folder_that_has_grown_becomes_a_link_and_one_that_shrank_a_folder(
    folder: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        write(folder / "images" / f"{number}.jpg")
    assert not (copied(folder, place) / "images").is_symlink()

    monkeypatch.setattr(linking, "MAX_LINKS", 3)
    assert (copied(folder, place) / "images").is_symlink()

    monkeypatch.setattr(linking, "MAX_LINKS", 4)
    assert not (copied(folder, place) / "images").is_symlink()
    assert len(list((folder / "images").iterdir())) == 4, "nothing was removed through the link"


def test_what_the_app_put_in_place_of_a_folder_of_code_is_not_followed(
    folder: Path, place: Path, tmp_path: Path
) -> None:
    copy = copied(folder, place)
    victim = write(tmp_path / "victim" / "client_app.py", "precious = 1\n")
    shutil.rmtree(copy / "pkg")
    (copy / "pkg").symlink_to(victim.parent)

    copied(folder, place)

    assert victim.read_text(encoding="utf-8") == "precious = 1\n"
    assert (copy / "pkg" / "client_app.py").read_text(encoding="utf-8") == CLIENT_APP


def test_whatever_the_app_puts_in_place_of_its_files_the_next_run_has_them(folder: Path, place: Path) -> None:
    write(folder / "data" / "a.csv")
    write(folder / "conf.yaml")
    copy = copied(folder, place)
    (copy / "conf.yaml").unlink()
    write(copy / "conf.yaml" / "inner.txt")
    (copy / "data" / "a.csv").unlink()
    write(copy / "data" / "a.csv", "its own")
    shutil.rmtree(copy / "pkg")
    write(copy / "pkg")

    copied(folder, place)

    assert (copy / "conf.yaml").read_text(encoding="utf-8") == "x\n"
    assert (copy / "pkg" / "client_app.py").is_file()
    assert (copy / "data" / "a.csv").read_text(encoding="utf-8") == "its own"
    assert written(copy) == ("conf.yaml.changed/inner.txt", "data/a.csv", "pkg.changed")


def test_a_home_in_the_apps_folder_is_neither_bundled_nor_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = folder / "loom"
    monkeypatch.setenv("FEDLOOM_HOME", str(home))
    before = read_app(folder)
    write(home / "settings.json")

    for who in ("server", "client-1"):
        copy = make_copy(read_app(folder), place_of(home, before, who))
        write(copy / "made.json")

    assert read_app(folder).digest == before.digest
    assert not os.path.lexists(copy / "loom")
    monkeypatch.delenv("FEDLOOM_HOME")
    assert read_app(folder).files.keys() - before.files.keys() == {"loom/settings.json"}, "but never a copy"


def test_an_app_in_fedlooms_home_can_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("FEDLOOM_HOME", str(home))
    app = read_app(write_app(home / "mine", "pkg"))

    assert (make_copy(app, place_of(home, app, "server")) / "pkg" / "client_app.py").is_file()


def test_a_copy_cannot_be_given_as_an_app(folder: Path, place: Path) -> None:
    copy = copied(folder, place)

    with pytest.raises(AppInvalid, match="is the copy of a Flower app"):
        read_app(copy)


def test_a_copy_never_lands_on_the_apps_own_folder(folder: Path) -> None:
    app = read_app(folder)

    with pytest.raises(AppInvalid, match="holds its own folder"):
        make_copy(app, folder)
    with pytest.raises(AppInvalid, match="holds its own folder"):
        make_copy(app, folder.parent)


def test_two_processes_do_not_share_a_copy(folder: Path, place: Path) -> None:
    script = (
        "import sys, pathlib\nfrom shared.app_copy import make_copy\nfrom shared.flower_app import read_app\n"
        "print(make_copy(read_app(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2])), flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, folder, place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert Path(other.stdout.readline().strip()) == place

        assert copied(folder, place) == place.with_name("server-2")
        assert copied(folder, place) == place.with_name("server-2"), "this process has it already"
        other.communicate()

    assert copied(folder, place) == place, "the other one has ended"


def test_a_full_disk_is_told_in_words(folder: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    app = read_app(folder)
    monkeypatch.setattr(copying, "_restore", full)

    with pytest.raises(AppInvalid, match=r"made-up cannot be copied to .*No space left.*Make room"):
        make_copy(app, place)


def test_a_place_that_cannot_be_written_is_told_in_words(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "file")

    with pytest.raises(AppInvalid, match=r"cannot be copied.*FEDLOOM_HOME can name another"):
        copied(folder, tmp_path / "file" / "server")


def test_a_folder_that_went_away_while_the_server_ran_is_told_in_words(folder: Path, place: Path) -> None:
    app = read_app(folder)
    shutil.rmtree(folder)

    with pytest.raises(AppInvalid, match="cannot be copied"):
        make_copy(app, place)


@pytest.mark.skipif(os.name != "posix", reason="needs permissions as POSIX has them")
def test_neither_pipes_nor_devices_stop_anything(folder: Path, place: Path) -> None:
    os.mkfifo(folder / "waiting.json")

    copy = copied(folder, place)

    assert not os.path.lexists(copy / "waiting.json")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that takes any bytes as a name")
def test_a_name_that_is_no_text_is_linked(folder: Path, place: Path) -> None:
    name = os.fsdecode(b"caf\xe9 1.csv")
    (folder / name).touch()

    copy = copied(folder, place)

    assert (copy / name).is_symlink()
    assert copied(folder, place) == copy
    assert written(copy) == ()


def test_a_folder_that_cannot_be_written_is_run_all_the_same(folder: Path, place: Path) -> None:
    write(folder / "data" / "a.csv")
    app = read_app(folder)
    for path in (folder / "data", folder):
        path.chmod(0o555)

    copy = make_copy(app, place)
    write(copy / "data" / "new.csv")

    assert written(copy) == ("data/new.csv",)
    for path in (folder, folder / "data"):
        path.chmod(0o755)


def test_half_a_copy_is_made_whole(folder: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "data.csv")
    app = read_app(folder)

    def cut(*_: object) -> None:
        raise OSError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(copying, "_link", cut)
        with pytest.raises(AppInvalid):
            make_copy(app, place)
    copy = make_copy(app, place)

    assert (copy / "data.csv").is_file()
    assert written(copy) == ()


def test_the_app_works_where_fedloom_does_but_never_in_its_own_folder(
    folder: Path, place: Path, tmp_path: Path
) -> None:
    app = read_app(folder)
    copy = make_copy(app, place)

    assert working_directory(app, copy, tmp_path) == tmp_path
    assert working_directory(app, copy, folder) == copy
    assert working_directory(app, copy, folder / "pkg") == copy / "pkg"
    (folder / "later").mkdir()
    assert working_directory(app, copy, folder / "later") == copy / "later"
    assert (copy / "later").is_dir()


def test_what_the_app_wrote_is_named_with_its_place(folder: Path, place: Path) -> None:
    copy = copied(folder, place)
    assert where_it_wrote(copy) is None

    for name in ("a.pt", "b.pt", "runs/c.json", "runs/d.json", "e.py"):
        write(copy / name)
    (copy / "latest").symlink_to("runs")

    assert written(copy) == ("a.pt", "b.pt", "latest", "runs/c.json", "runs/d.json")
    assert where_it_wrote(copy) == (
        f"What the app wrote beside itself is in {copy}: a.pt, b.pt, latest and 2 more."
    )


@pytest.mark.parametrize(
    ("who", "name"), [("client-1", "client-1"), ("a/../b", "a%2F..%2Fb"), ("..", "%2E.")]
)
def test_a_clients_name_never_leads_out_of_the_folder_of_copies(tmp_path: Path, who: str, name: str) -> None:
    app = FlowerApp(tmp_path, "x", "1", "ab", "x:y", "x:z")

    assert place_of(Path("/home"), app, who) == Path("/home/apps/x") / name
