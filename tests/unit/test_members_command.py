"""`python -m client.members` shows whose keys are remembered, and forgets one."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.known_members import KnownMembers
from client.members import main
from shared.security.key_id import KeyId

OWN, OTHER_OWN, A, B = (KeyId(bytes([number]) * 32) for number in range(4))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def met(home: Path) -> tuple[KnownMembers, KnownMembers]:
    """What two clients of the folder have met."""
    one, other = KnownMembers.of(home, OWN), KnownMembers.of(home, OTHER_OWN)
    one.require_genuine({"a": A, "b": B})
    other.require_genuine({"b": B})
    return one, other


def output(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(arguments) == code
    printed = capsys.readouterr()
    return printed.err if code else printed.out


def test_of_nobody_it_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, "list") == f"The clients of {home} have met no other in a secure aggregation.\n"


@pytest.mark.usefixtures("met")
def test_it_lists_the_keys_that_each_client_remembers(capsys: pytest.CaptureFixture[str]) -> None:
    shown = output(capsys)

    assert shown.splitlines() == [
        f"The client with the key {OWN} has met",
        f"  {A}  a",
        f"  {B}  b",
        f"The client with the key {OTHER_OWN} has met",
        f"  {B}  b",
    ]
    assert output(capsys, "list") == shown


def test_forgetting_is_for_all_clients_of_the_folder(
    met: tuple[KnownMembers, KnownMembers], capsys: pytest.CaptureFixture[str]
) -> None:
    said = output(capsys, "forget", "b").splitlines()

    assert said[:2] == [
        f"Forgotten: b with the key {B}, by the client with the key {own}" for own in (OWN, OTHER_OWN)
    ]
    assert [known.known() for known in met] == [{"a": A}, {}]


@pytest.mark.usefixtures("met")
def test_who_was_not_met_cannot_be_forgotten(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = output(capsys, "forget", "c", code=1)

    assert said.startswith(f"error: No client with its files in {home} has met a client 'c'.")


def test_a_file_that_cannot_be_read_is_named(
    home: Path, met: tuple[KnownMembers, KnownMembers], capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / "members" / f"{OWN}.json"
    path.write_text("nonsense")

    assert f"cannot be read from {path}" in output(capsys, "list", code=1)
    assert f"cannot be read from {path}" in output(capsys, "forget", "b", code=1)
