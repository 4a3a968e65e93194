"""docs/security.md names for each attack the tests that carry it out; all of them are there."""

from __future__ import annotations

import re

import pytest

from tests.support.documents import text_of
from tests.support.processes import ROOT

ROW = re.compile(r"^\| (?P<attack>[^|]+) \| (?P<tests>[^|]*`[^|]*) \| [^|]+ \|$", re.MULTILINE)
SECTION = text_of("docs/security.md").partition("## Tested by\n")[2].partition("\n## ")[0]
ATTACKS = {found["attack"]: found["tests"] for found in ROW.finditer(SECTION)}


def test_every_attack_has_a_row() -> None:
    assert len(ATTACKS) == SECTION.count("\n| ") - 1, "all but the head"


@pytest.mark.parametrize("attack", ATTACKS)
def test_its_tests_are_there(attack: str) -> None:
    file = ""
    named = re.findall(r"`([^`]+)`", ATTACKS[attack])
    assert named
    for name in named:
        if name.endswith(".py"):
            file = (ROOT / name).read_text(encoding="utf-8")
        else:
            assert re.search(rf"^ *(?:async )?def {name}\(", file, re.MULTILINE), name
