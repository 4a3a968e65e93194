"""Which tests begin first."""

from __future__ import annotations

from tests.conftest import LONGEST
from tests.support.processes import ROOT


def test_files_that_take_long_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)
