"""`python -m app.export`, in this process, on a store that a server could have written."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import app.export
from app.events import event_of
from app.exporting.document import RunDocument
from app.exporting.files import ExportFile
from app.records import RoundUpdate, Run
from app.store.store import Store
from app.store.urls import default_url
from tests.support.exports import STARTED, a_finished_run, scalars
from tests.support.records import a_run

RUN, ROUNDS = a_finished_run()
EVENTS = f"events.out.tfevents.{int(STARTED - 10)}.fedloom"
FILES = [
    "clients.csv",
    "report.html",
    "rounds.csv",
    "run.json",
    f"tensorboard/client/client-1/{EVENTS}",
    f"tensorboard/client/client-2/{EVENTS}",
    f"tensorboard/clients-mean/{EVENTS}",
    f"tensorboard/global/{EVENTS}",
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with a finished run, which a server still has open."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open(default_url(home)) as opened:
        updates = [RoundUpdate(run_id=RUN.id, round=round_) for round_ in ROUNDS]
        keep(opened, RUN, *updates)
        yield opened


def keep(store: Store, *data: Run | RoundUpdate) -> None:
    store.apply([event_of(number, 1.0, record) for number, record in enumerate(data, store.last_seq() + 1)])


def command(home: Path, output: Path, *arguments: str) -> int:
    return app.export.main([*arguments, "--store", default_url(home), "--output", str(output)])


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.usefixtures("store")
def test_all_formats_are_written_into_a_folder_of_the_run(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "folder"
    assert command(home, output, RUN.id) == 0

    assert written(output / RUN.id) == FILES
    said = capsys.readouterr()
    assert sorted(said.out.splitlines()) == [str(output / RUN.id / name) for name in FILES]
    assert said.err == ""
    document = RunDocument.model_validate_json((output / RUN.id / "run.json").read_bytes())
    assert document.run == RUN
    assert document.rounds == tuple(ROUNDS)
    assert [step for step, *_ in scalars(output / RUN.id / "tensorboard" / "global")["accuracy"]] == [0, 1, 2]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--format", "json"], ["run.json"]),
        (
            ["--format", "csv", "--format", "json", "--format", "csv"],
            ["clients.csv", "rounds.csv", "run.json"],
        ),
        (["--format", "json", "--format", "all"], FILES),
    ],
)
def test_formats_can_be_chosen(flags: list[str], expected: list[str], home: Path, tmp_path: Path) -> None:
    assert command(home, tmp_path / "out", RUN.id, *flags) == 0
    assert written(tmp_path / "out" / RUN.id) == expected


def test_a_second_export_replaces_the_first(home: Path, store: Store, tmp_path: Path) -> None:
    assert command(home, tmp_path / "out", RUN.id) == 0
    keep(
        store,
        RoundUpdate(run_id=RUN.id, round=ROUNDS[3].model_copy(update={"complete": True, "duration_s": 1.0})),
    )
    assert command(home, tmp_path / "out", RUN.id) == 0

    assert written(tmp_path / "out" / RUN.id) == FILES
    found = scalars(tmp_path / "out" / RUN.id / "tensorboard" / "client" / "client-1")
    assert [step for step, *_ in found["train_loss"]] == [1, 3]


def test_a_run_that_there_is_not_is_an_error_that_lists_the_newest(
    home: Path, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(store, *(a_run(f"run-{number:02}") for number in range(12)))

    assert command(home, tmp_path / "out", "nonsense") == 1

    said = capsys.readouterr()
    assert said.out == ""
    first, *lines = said.err.splitlines()
    assert first == "error: There is no run 'nonsense'. The newest runs are:"
    assert [line.split()[0] for line in lines] == [f"run-{number:02}" for number in range(11, 1, -1)]
    assert lines[0].endswith("queued, digits, round 0 of 10")
    assert not (tmp_path / "out").exists()


def test_an_empty_store_and_none_at_all_are_told_apart(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(home, tmp_path, RUN.id) == 1
    assert "There is no store at" in capsys.readouterr().err
    assert written(tmp_path) == []

    Store.open(default_url(home)).close()
    assert command(home, tmp_path, RUN.id) == 1
    assert capsys.readouterr().err == f"error: There is no run '{RUN.id}'. The store has no run yet.\n"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("by", ["FEDLOOM_STORE", "FEDLOOM_HOME"])
def test_the_store_is_where_the_server_looks_for_it(
    by: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDLOOM_HOME", str(home if by == "FEDLOOM_HOME" else tmp_path))
    monkeypatch.setenv("FEDLOOM_STORE", default_url(home) if by == "FEDLOOM_STORE" else "")
    assert app.export.main([RUN.id, "--format", "json", "--output", str(tmp_path / "out")]) == 0
    assert written(tmp_path / "out") == [f"{RUN.id}/run.json"]


@pytest.mark.usefixtures("store")
def test_a_folder_that_cannot_be_made_is_an_error_in_words(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("kept")

    assert command(home, tmp_path / "file", RUN.id) == 1

    error = capsys.readouterr().err
    assert error.startswith(f"error: The export is not complete: writing in {tmp_path / 'file'} failed (")
    assert "--output" in error
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.usefixtures("store")
def test_a_disk_that_gets_full_leaves_the_export_before_as_it_was(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(*_: object) -> Iterator[ExportFile]:
        def content() -> Iterator[bytes]:
            yield b"half of it"
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        yield ExportFile("run.json", content())

    assert command(home, tmp_path / "out", RUN.id, "--format", "json") == 0
    before = (tmp_path / "out" / RUN.id / "run.json").read_bytes()
    monkeypatch.setattr("app.export.export_files", half)

    assert command(home, tmp_path / "out", RUN.id, "--format", "json") == 1

    assert "failed (No space left on device)" in capsys.readouterr().err
    assert (tmp_path / "out" / RUN.id / "run.json").read_bytes() == before
    assert written(tmp_path / "out") == [f"{RUN.id}/run.json"]


@pytest.mark.parametrize("arguments", [[], ["a", "--format", "xml"], ["a", "--output"]])
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app.export.main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m app.export" in capsys.readouterr().err
