"""What a client knows of the keys of others: the first is remembered, another is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.known_members import KnownMembers
from shared.secagg.refusal import Refused, Rule
from shared.security.key_id import KeyId

A, B, OTHER = (KeyId(bytes([number]) * 32) for number in range(3))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "members" / "own.json"


def refusal(known: KnownMembers, others: dict[str, KeyId]) -> str:
    with pytest.raises(Refused) as caught:
        known.require_genuine(others)
    assert caught.value.rule is Rule.KEYS
    return str(caught.value)


def test_whoever_is_met_for_the_first_time_is_believed_and_known_from_then_on(path: Path) -> None:
    KnownMembers(path).require_genuine({"a": A})
    KnownMembers(path).require_genuine({"a": A, "b": B})

    words = refusal(KnownMembers(path), {"b": OTHER})
    assert words.startswith(f"b has the key {OTHER.short}…, and had {B.short}… before")
    assert str(path) in words


def test_of_a_list_with_a_wrong_key_nothing_is_remembered(path: Path) -> None:
    KnownMembers(path).require_genuine({"a": A})
    refusal(KnownMembers(path), {"a": OTHER, "b": B})

    KnownMembers(path).require_genuine({"b": OTHER})


def test_who_is_taken_out_of_the_file_is_met_anew(path: Path) -> None:
    KnownMembers(path).require_genuine({"a": A, "b": B})
    lines = [line for line in path.read_text().splitlines() if '"b"' not in line]
    path.write_text("\n".join(lines).replace(",\n}", "\n}"))

    KnownMembers(path).require_genuine({"a": A, "b": OTHER})


def test_a_site_that_lists_keys_takes_part_with_these_alone(path: Path) -> None:
    known = KnownMembers(path, [A, B])

    known.require_genuine({"a": A, "b": B})
    assert "is not among the members of this site's policy" in refusal(known, {"c": OTHER})


def test_a_file_that_cannot_be_read_lets_nobody_pass(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("nonsense")

    assert "cannot be read" in refusal(KnownMembers(path), {"a": A})


def test_where_nothing_can_be_remembered_nobody_passes(path: Path) -> None:
    path.parent.write_text("a file where a folder should be")

    assert "cannot be" in refusal(KnownMembers(path), {"a": A})
