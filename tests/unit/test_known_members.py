"""What a client knows of the keys of others: the first is remembered, another is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from client.known_members import KnownMembers, MembersUnusable
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


def test_of_a_list_with_a_wrong_key_nothing_is_remembered(path: Path) -> None:
    KnownMembers(path).require_genuine({"a": A})
    refusal(KnownMembers(path), {"a": OTHER, "b": B})

    KnownMembers(path).require_genuine({"b": OTHER})


def test_who_is_forgotten_is_met_anew_and_nobody_else(path: Path) -> None:
    known = KnownMembers(path)
    known.require_genuine({"a": A, "b": B})

    assert known.forget("b") == B
    assert known.forget("b") is None

    known.require_genuine({"a": A, "b": OTHER})
    assert "b has the key" in refusal(known, {"b": B})
    assert "a has the key" in refusal(known, {"a": OTHER})


def test_the_refusal_names_the_command_that_forgets(path: Path) -> None:
    KnownMembers(path).require_genuine({"b": B})

    assert "`python -m client.members forget b`" in refusal(KnownMembers(path), {"b": OTHER})


@pytest.mark.parametrize("name", ["", "b`; rm -rf ~`", "--all", "../b", "b\n", "\x1b[2J", "x" * 65])
def test_what_is_no_name_of_a_client_is_not_remembered_and_said_to_nobody(path: Path, name: str) -> None:
    """The server chooses it, and somebody types it."""
    words = refusal(KnownMembers(path), {name: A})

    assert words == "the server calls another client by what is no client's name"
    assert KnownMembers(path).known() == {}


def test_many_that_change_the_file_at_once_lose_nothing(path: Path) -> None:
    names = [f"client-{number}" for number in range(24)]
    KnownMembers(path).require_genuine({f"old-{name}": A for name in names})

    def meet_and_forget(name: str) -> None:
        KnownMembers(path).require_genuine({name: A})
        KnownMembers(path).forget(f"old-{name}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(meet_and_forget, names))

    assert KnownMembers(path).known() == dict.fromkeys(names, A)


def test_a_site_that_lists_keys_takes_part_with_these_alone(path: Path) -> None:
    known = KnownMembers(path, [A, B])

    known.require_genuine({"a": A, "b": B})
    assert "is not among the members of this site's policy" in refusal(known, {"c": OTHER})


def test_a_file_that_cannot_be_read_lets_nobody_pass(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("nonsense")

    assert "cannot be read" in refusal(KnownMembers(path), {"a": A})
    with pytest.raises(MembersUnusable, match="delete it if you accept that they are met anew"):
        KnownMembers(path).forget("a")


def test_where_nothing_can_be_remembered_nobody_passes(path: Path) -> None:
    path.parent.write_text("a file where a folder should be")

    assert "cannot be" in refusal(KnownMembers(path), {"a": A})
