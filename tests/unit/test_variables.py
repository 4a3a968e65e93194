"""Settings that are secret stand in a variable, or in a file that another one names."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.backup import build_parser as backup_parser
from app.settings import parse
from shared.errors import SettingsInvalid
from shared.variables import MAX_CHARACTERS, passed_on, setting

NAME = "FEDLOOM_STORE"
URL = "postgresql://fedloom:secret@postgres/fedloom"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NAME, f"{NAME}_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_nothing_is_set() -> None:
    assert setting(NAME) is None


@pytest.mark.parametrize("empty", [NAME, f"{NAME}_FILE"])
def test_what_is_empty_is_not_set(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(empty, "")

    assert setting(NAME) is None


def test_the_variable_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, URL)

    assert setting(NAME) == URL


def test_the_file_that_a_variable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _in_file(tmp_path, f"{URL}\n".encode(), monkeypatch)

    assert setting(NAME) == URL


def test_a_server_and_its_commands_take_their_store_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _in_file(tmp_path, f"{URL}\n".encode(), monkeypatch)

    assert parse([]).store == URL
    assert backup_parser().parse_args(["to"]).store == URL


def test_both_are_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _in_file(tmp_path, b"there", monkeypatch)
    monkeypatch.setenv(NAME, URL)

    with pytest.raises(SettingsInvalid, match="FEDLOOM_STORE and FEDLOOM_STORE_FILE are both set"):
        setting(NAME)


@pytest.mark.parametrize("content", [b"", b"\n", b"a\nb", b"\xff", b"x" * (MAX_CHARACTERS + 1)])
def test_a_file_that_holds_something_else(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _in_file(tmp_path, content, monkeypatch)

    with pytest.raises(SettingsInvalid, match="FEDLOOM_STORE_FILE: "):
        setting(NAME)


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "missing"))

    with pytest.raises(SettingsInvalid, match=r"missing cannot be read: No such file"):
        setting(NAME)


def _in_file(folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "store-url"
    path.write_bytes(content)
    monkeypatch.setenv(f"{NAME}_FILE", str(path))


def test_what_is_meant_for_one_process_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FEDLOOM_STORE", "FEDLOOM_REDIS_FILE", "FEDLOOM_INVITE", "FEDLOOM_INVITE_FILE"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("FEDLOOM_DATA_DIR", "data")

    environment = passed_on()

    assert "secret" not in environment.values()
    assert environment["FEDLOOM_DATA_DIR"] == "data"
