"""`python -m client.ledger` tells what was spent and what is left, and writes all of it to files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from client.ledger.__main__ import main
from client.ledger.ledger import Ledger, ledger_file
from client.ledger.spending import Spending
from client.site.policy import Budget
from tests.support.ledgers import expense, share

DELTA = 1e-5


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("FEDLOOM_HOME", str(folder))
    return folder


def spend(home: Path, budget: Budget | None = None) -> float:
    """Two rounds of client-1 in a run, one of client-2 in another; returns what that comes to."""
    one = Ledger(home, "digits", "client-1", budget, clock=lambda: 1_800_000_000)
    other = Ledger(home, "digits", "client-2", budget, clock=lambda: 1_800_000_060)
    for number in (1, 2):
        one.enter(expense(number, run="0000000a"))
    other.enter(expense(1, run="0000000b", share=share(1, "2 parts")))
    return Spending(entry.expense for entry in one.entries()).epsilon(DELTA)


def output(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(arguments) == code
    printed = capsys.readouterr()
    return printed.err if code else printed.out


def test_of_nothing_it_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys) == f"Nothing has been spent by the clients of {home}.\n"


def test_each_data_set_is_shown_with_its_runs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    epsilon = spend(home)
    of_first = Spending(expense(number) for number in (1, 2)).epsilon(DELTA)

    whole, first, second = output(capsys, "show").splitlines()

    assert whole == f"digits: epsilon {epsilon:.2f} is spent at delta 1e-05, by 3 updates"
    assert first.startswith("  run 0000000a  until 20")
    assert first.endswith(f"epsilon {of_first:.2f}  2 updates in 2 rounds by client-1")
    assert second.endswith("1 update in 1 round by client-2")


def test_what_is_left_is_told_by_the_policy(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    epsilon = spend(home)
    policy = home / "client.toml"
    policy.write_text("privacy_budget.digits = 20.0\nprivacy_delta = 1e-5\n")
    policy.chmod(0o600)

    said = f"digits: epsilon {epsilon:.2f} of 20.00 is spent at delta 1e-05, {20 - epsilon:.2f} left"

    assert said in output(capsys)


def test_without_a_policy_the_budget_is_that_under_which_was_spent_last(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(home, Budget(50.0, DELTA))

    assert " of 50.00 is spent at delta 1e-05, " in output(capsys)


def test_as_csv_it_has_a_row_for_each_entry(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(home)
    file = tmp_path / "ledger.csv"

    assert output(capsys, "export", str(file)) == f"{file}\n"

    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [(row["client"], row["run"], row["round"]) for row in rows] == [
        ("client-1", "0000000a", "1"),
        ("client-1", "0000000a", "2"),
        ("client-2", "0000000b", "1"),
    ]
    assert rows[0]["time"] == "2027-01-15T08:00:00.000+00:00"
    assert float(rows[0]["noise_multiplier"]) == 1.0


def test_as_json_it_has_what_it_comes_to_as_well(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    epsilon = spend(home, Budget(50.0, DELTA))
    file = tmp_path / "ledger.json"

    output(capsys, "export", str(file))

    written = json.loads(file.read_text())
    [of_digits] = written["data_sets"]
    assert written["accountant"] == "RDP"
    assert of_digits["epsilon"] == epsilon
    assert of_digits["left"] == 50.0 - epsilon
    assert [run["run"] for run in of_digits["runs"]] == ["0000000a", "0000000b"]
    assert [entry["client"] for entry in of_digits["entries"]] == ["client-1", "client-1", "client-2"]


def test_a_file_without_a_format_is_refused_in_words(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = output(capsys, "export", str(tmp_path / "ledger.txt"), code=1)

    assert said == "error: ledger.txt ends neither in .json nor in .csv, by which the format is chosen.\n"


def test_a_file_that_cannot_be_written_is_named(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    said = output(capsys, "export", str(tmp_path / "file" / "ledger.csv"), code=1)

    assert said.startswith(f"error: {tmp_path}/file/ledger.csv cannot be written: Not a directory.")


def test_a_ledger_that_is_damaged_does_not_hide_the_others(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spend(home)
    Ledger(home, "mnist", "client-1").enter(expense(1))
    Ledger(home, "mnist", "client-1").enter(expense(2))
    file = ledger_file(home, "mnist")
    file.write_bytes(file.read_bytes().replace(b"client-1", b"client-9", 1))

    assert main([]) == 1

    printed = capsys.readouterr()
    assert printed.out.startswith("digits: epsilon ")
    assert f"error: The privacy ledger {file} is damaged: line 2" in printed.err
