"""A run as JSON, CSV and TensorBoard event files, read back by those who read such files."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from app.exporting.document import RunDocument
from app.exporting.files import ExportFile, zipped
from app.exporting.formats import ExportFormat, export_files
from app.records import ClientRound, Round
from tests.support.exports import (
    REASON,
    STARTED,
    a_finished_run,
    a_run_of_an_app,
    contents,
    scalars,
    unzipped,
)
from tests.support.records import a_run

NAME = f"events.out.tfevents.{int(STARTED - 10)}.fedloom"


def exported(export_format: ExportFormat) -> dict[str, bytes]:
    return contents(export_files(export_format, *a_finished_run()))


def rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode(), newline=""), strict=True))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The folder that TensorBoard is pointed to."""
    for path, content in exported(ExportFormat.TENSORBOARD).items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(content)
    return tmp_path / "tensorboard"


def test_the_json_document_holds_the_records() -> None:
    run, rounds = a_finished_run()

    [(path, content)] = exported(ExportFormat.JSON).items()

    assert path == "run.json"
    document = RunDocument.model_validate_json(content)
    assert (document.format, document.version) == ("fedloom-run", 1)
    assert document.run == run
    assert document.rounds == tuple(rounds)


def test_a_run_without_rounds_is_a_document_and_tables_and_event_files() -> None:
    run = a_run()
    [content] = contents(export_files(ExportFormat.JSON, run, [])).values()
    assert RunDocument.model_validate_json(content).rounds == ()
    assert all(rows(table) == [] for table in contents(export_files(ExportFormat.CSV, run, [])).values())
    assert len(contents(export_files(ExportFormat.TENSORBOARD, run, []))) == 2


def test_the_table_of_rounds_has_a_line_for_each() -> None:
    run, rounds = a_finished_run()

    table = rows(exported(ExportFormat.CSV)["rounds.csv"])

    assert [row["round"] for row in table] == ["0", "1", "2", "3"]
    assert {row["run_id"] for row in table} == {run.id}
    assert [row["complete"] for row in table] == ["true", "true", "true", "false"]
    for row, round_ in zip(table, rounds, strict=True):
        for name in ("train_loss", "loss", "accuracy", "client_loss", "client_accuracy", "duration_s"):
            value = getattr(round_, name)
            assert row[name] == ("" if value is None else repr(value))
    assert (table[1]["class_accuracy.cat"], table[1]["class_accuracy.dog, big"]) == ("0.5", "")
    assert (table[2]["class_accuracy.cat"], table[2]["class_accuracy.dog, big"]) == ("1.0", "0.5")


def test_times_are_there_as_a_number_and_in_words() -> None:
    table = rows(exported(ExportFormat.CSV)["rounds.csv"])

    assert table[1]["started_at_utc"] == "2025-11-13T02:13:21.250Z"
    assert (table[1]["ended_at"], table[1]["ended_at_utc"]) == ("1763000003.25", "2025-11-13T02:13:23.250Z")
    for row in table:
        assert datetime.fromisoformat(row["started_at_utc"]).timestamp() == float(row["started_at"])
    assert (table[3]["ended_at"], table[3]["ended_at_utc"]) == ("", "")


def test_the_table_of_clients_has_a_line_for_each_client_in_each_round() -> None:
    table = rows(exported(ExportFormat.CSV)["clients.csv"])

    assert [(row["round"], row["client"]) for row in table] == [
        ("1", "client-1"),
        ("1", "client-2"),
        ("2", "client-1"),
        ("2", "client-2"),
        ("3", "client-1"),
    ]
    assert {name: table[0][name] for name in ("train_loss", "samples", "train_s", "late", "error")} == {
        "train_loss": "1.5",
        "samples": "10",
        "train_s": "0.75",
        "late": "false",
        "error": "",
    }
    assert (table[1]["late"], table[1]["error"]) == ("true", REASON)
    assert [table[2][f"metrics.{name}"] for name in ("=rmse", "auc", "f1")] == ["0.001", "", "0.5"]


def test_every_field_of_the_records_is_in_a_table() -> None:
    """One that is added to them must get in, too; confusion matrices are in the document only."""
    tables = {name: rows(table)[0] for name, table in exported(ExportFormat.CSV).items()}
    assert set(Round.model_fields) - set(tables["rounds.csv"]) == {
        "class_accuracy",
        "confusion",
        "metrics",
        "per_client",
    }
    assert set(ClientRound.model_fields) - set(tables["clients.csv"]) == {"metrics", "stages"}


def test_the_numbers_of_an_app_have_a_column_and_a_tag_for_each_stage() -> None:
    run, rounds = a_run_of_an_app()

    table = contents(export_files(ExportFormat.CSV, run, rounds))
    [of_round], [of_client] = rows(table["rounds.csv"]), rows(table["clients.csv"])

    assert of_round["label"] == "0"
    assert {name: of_round[name] for name in of_round if name.startswith("metrics.")} == {
        "metrics.evaluate.auc": "0.75",
        "metrics.server.auc": "0.875",
        "metrics.train.auc": "0.25",
    }
    assert (of_client["metrics.auc"], of_client["stages.train.auc"], of_client["stages.evaluate.auc"]) == (
        "0.75",
        "0.25",
        "0.75",
    )


def test_event_files_have_the_numbers_of_an_app_by_stage(tmp_path: Path) -> None:
    for path, content in contents(export_files(ExportFormat.TENSORBOARD, *a_run_of_an_app())).items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(content)

    shown = {
        folder: {tag: value for tag, [(_, _, value)] in scalars(tmp_path / "tensorboard" / folder).items()}
        for folder in ("global", "clients-mean", "client/client-1")
    }
    both = {"metrics/train/auc": 0.25, "metrics/evaluate/auc": 0.75}
    assert shown["global"].items() >= {"metrics/server/auc": 0.875}.items()
    assert shown["clients-mean"] == both
    assert shown["client/client-1"] == both


def test_no_text_from_a_client_is_a_formula_in_a_spreadsheet() -> None:
    table = rows(exported(ExportFormat.CSV)["clients.csv"])
    assert table[3]["error"] == "'=1+1"
    assert not any(name.startswith(("=", "+", "-", "@")) for name in table[0])


def test_lines_end_as_rfc_4180_has_it() -> None:
    for table in exported(ExportFormat.CSV).values():
        assert table.endswith(b"\r\n")
        assert len(list(csv.reader(io.StringIO(table.decode(), newline="")))) > 3


def test_classes_without_names_have_numbers() -> None:
    run, rounds = a_finished_run()
    nameless = run.model_copy(update={"classes": ()})
    table = rows(contents(export_files(ExportFormat.CSV, nameless, rounds))["rounds.csv"])
    assert (table[2]["class_accuracy.0"], table[2]["class_accuracy.1"]) == ("1.0", "0.5")


def test_tensorboard_finds_the_global_model_with_the_time_at_which_each_round_ended(logs: Path) -> None:
    found = scalars(logs / "global")

    ends = [STARTED + 0.5, STARTED + 3, STARTED + 7]
    assert found["accuracy"] == list(zip([0, 1, 2], ends, [0.5, 0.625, 0.75], strict=True))
    assert found["loss"] == list(zip([0, 1, 2], ends, [2.5, 1.25, 0.25], strict=True))
    assert found["round/duration_s"] == list(zip([0, 1, 2], ends, [0.5, 2.0, 4.0], strict=True))
    assert found["class_accuracy/cat"] == [(1, ends[1], 0.5), (2, ends[2], 1.0)]
    assert found["class_accuracy/dog, big"] == [(2, ends[2], 0.5)]


def test_tensorboard_finds_each_client_and_their_mean_under_the_same_tags(logs: Path) -> None:
    """The same tag in several folders is one chart with a curve for each."""
    mean, client = scalars(logs / "clients-mean"), scalars(logs / "client" / "client-1")

    end = STARTED + 3
    for found in (mean, client):
        for tag, value in {"accuracy": 0.6, "loss": 1.75, "train_loss": 1.5}.items():
            assert found[tag][0] == pytest.approx((1, end, value))
    assert client["client/samples"] == [(1, end, 10)]
    assert client["metrics/f1"] == [(2, STARTED + 7, 0.5)]
    assert scalars(logs / "client" / "client-2")["metrics/auc"] == [(2, STARTED + 7, 1.0)]


def test_tensorboard_gets_one_file_a_folder_and_no_round_that_is_not_complete(logs: Path) -> None:
    files = sorted(path.relative_to(logs).as_posix() for path in logs.rglob("*") if path.is_file())
    assert files == [
        f"client/client-1/{NAME}",
        f"client/client-2/{NAME}",
        f"clients-mean/{NAME}",
        f"global/{NAME}",
    ]
    steps = {
        step
        for folder in logs.rglob("*")
        if folder.is_dir()
        for tag in scalars(folder).values()
        for step, *_ in tag
    }
    assert steps == {0, 1, 2}


@pytest.mark.parametrize("export_format", ExportFormat)
def test_the_same_run_gives_the_same_bytes_whoever_answered_first(export_format: ExportFormat) -> None:
    run, rounds = a_finished_run()
    others_first = [
        round_.model_copy(update={"per_client": dict(reversed(round_.per_client.items()))})
        for round_ in rounds
    ]
    assert contents(export_files(export_format, run, others_first)) == exported(export_format)


@pytest.mark.parametrize("export_format", ExportFormat)
def test_an_archive_holds_the_files(export_format: ExportFormat) -> None:
    run, rounds = a_finished_run()
    archive = b"".join(zipped(export_files(export_format, run, rounds), run.created_at))
    assert unzipped(archive) == exported(export_format)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {entry.date_time for entry in opened.infolist()} == {(2025, 11, 13, 2, 13, 10)}


def test_an_archive_is_made_while_it_is_read() -> None:
    """Of a long run it is never in memory as a whole, nor are the files in it."""
    made = 0

    def content() -> Iterator[bytes]:
        nonlocal made
        for number in range(2_000):
            made = number
            yield hashlib.sha512(str(number).encode()).digest() * 2

    pieces = zipped([ExportFile("noise", content())], 0x7FFFFFFF)
    sizes = []
    while made < 1_000:
        sizes.append(len(next(pieces)))
    assert sum(sizes) > 30_000
    assert max(sizes) < 40_000


@pytest.mark.parametrize("created_at", [-1e30, -1.0, 0.0, 315_532_799.0, 4_354_819_199.0, 1e15, 1e300])
@pytest.mark.parametrize("export_format", ExportFormat)
def test_a_clock_that_is_far_off_spoils_no_export(export_format: ExportFormat, created_at: float) -> None:
    run = a_run(created_at=created_at)
    rounds = [Round(round=1, complete=True, started_at=created_at, duration_s=1.0)]

    names = unzipped(b"".join(zipped(export_files(export_format, run, rounds), run.created_at)))

    assert names
