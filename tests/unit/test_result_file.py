"""The file for a result: tried first, written whole, and nothing left behind by either."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import main as bench
from shared.result_file import try_to_write, write_whole


@pytest.mark.parametrize("name", ["r.json", "new/folder/r.json"])
def test_a_destination_that_will_do_is_left_as_it_was(name: str, tmp_path: Path) -> None:
    try_to_write(tmp_path / name)

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept_until_the_result_is(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("old")
    try_to_write(tmp_path / "r.json")
    assert (tmp_path / "r.json").read_text() == "old"

    write_whole(tmp_path / "r.json", "new")
    assert (tmp_path / "r.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize("name", [".", "file/r.json", "file/new/r.json", "/proc/nowhere/r.json"])
def test_a_destination_that_will_not_do_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")

    with pytest.raises(OSError, match=r"."):
        try_to_write(tmp_path / name)

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_benchmark_refuses_a_destination_before_it_measures(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench(["round", "--json", "/proc/nowhere/r.json"])

    assert ended.value.code == 2
    assert "--json /proc/nowhere/r.json: nothing can be written there" in capsys.readouterr().err


def test_a_quick_benchmark_does_not_leave_out_repeats_that_were_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        bench(["round", "--quick", "--repeats", "5"])

    assert ended.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err
