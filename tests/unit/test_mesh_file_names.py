"""Names of shared files are safe on every file system, or refused."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mesh.files.names import NameRefused, conflict_name, fold, is_conflict_copy, kept_name, require_safe
from mesh.files.walk import Spellings

REFUSED = [
    "",
    "/etc/passwd",
    "..",
    "a/../../b",
    "a//b",
    "a/",
    "./a",
    "a/.",
    "C:/windows",
    "a\\b",
    "a:stream",
    "what?",
    "line\nbreak",
    "nul",
    "folder/COM1.txt",
    "aux .c",
    "LPT¹",
    "ends with a dot.",
    "ends with a blank ",
    "turned\u202etxt.exe",
    "cafe\u0301",
    "\ud800",
    ".fedloom/versions/a",
    "a/.FedLoom/b",
    ".fedloomignore",
    ".FEDLOOMIGNORE",
    "x" * 256,
    "/".join(["y" * 200] * 6),
    "/".join("z" * 65),
]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_safe_everywhere_is_refused(name: str) -> None:
    with pytest.raises(NameRefused):
        require_safe(name)


@pytest.mark.parametrize(
    "name", ["a", "folder/b.txt", "ünïcödé", "con fusion", "...x", ".hidden", "a/.fedloomignore"]
)
def test_usual_names_are_taken(name: str) -> None:
    require_safe(name)


@given(
    st.text(max_size=30) | st.lists(st.sampled_from(["..", ".", "", "a", "con"]), max_size=4).map("/".join)
)
@example("a\0b")
def test_a_name_that_is_taken_lies_in_the_folder(name: str) -> None:
    try:
        require_safe(name)
    except NameRefused:
        return
    path = os.path.normpath(f"/shared/{name}")
    assert path == f"/shared/{name}"
    assert unicodedata.normalize("NFC", name) == name
    assert not {"..", ".", ""} & set(Path(name).parts)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=300),
    st.integers(-(1 << 63), (1 << 63) - 1),
)
def test_names_of_copies_are_as_safe_as_those_of_their_files(name: str, time_ns: int) -> None:
    try:
        require_safe(name)
    except NameRefused:
        return
    copy = conflict_name(name, time_ns, "ABCDEFG", 2)
    require_safe(copy)
    require_safe(kept_name(name, time_ns))
    assert is_conflict_copy(copy)


def test_a_copy_keeps_the_suffix_by_which_programs_know_the_file() -> None:
    assert conflict_name("a/b.txt", 0, "ABCDEFG") == "a/b.sync-conflict-19700101-000000-ABCDEFG.txt"


@pytest.mark.parametrize(
    ("there", "name", "rival"),
    [
        ("Readme", "README", "Readme"),
        ("Straße", "STRASSE", "Straße"),
        ("a", "a/b", "a"),
        ("a/b", "a", "a"),
        ("Dir/a", "dir/b", "Dir"),
        ("a", "b", None),
        ("dir/a", "dir/b", None),
        ("a", "a", None),
    ],
)
def test_names_that_some_systems_take_for_one_are_rivals(there: str, name: str, rival: str | None) -> None:
    spellings = Spellings()
    spellings.add(there)
    assert spellings.rival(name) == rival


def test_folding_knows_composed_letters() -> None:
    assert fold("É") == fold("e\u0301")
