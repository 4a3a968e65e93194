"""A system that lets no process start is an error in words, and costs no descriptors."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.app_process.starting import start_warden
from shared.errors import AppDied


def test_a_process_that_cannot_be_started_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nothing/here")
    before = len(list(Path("/dev/fd").iterdir()))

    with pytest.raises(AppDied, match=r"cannot be started: .*No such file.*misses /nothing/here"):
        start_warden(max_frame_bytes=1_000)

    assert len(list(Path("/dev/fd").iterdir())) == before
