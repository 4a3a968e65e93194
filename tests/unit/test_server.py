"""serve(): a server answers at once, whatever was imported."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import app.server
from app.settings import ServerSettings


@pytest.fixture
def _unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_unfrozen")
def test_what_was_imported_is_not_looked_through_for_garbage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_to_look_through: list[int] = []

    def served(*_: Any) -> None:
        left_to_look_through.append(len(gc.get_objects()))

    monkeypatch.setattr(app.server, "serve_until_stopped", served)
    monkeypatch.setattr(app.server, "configure_logging", lambda *_: None)
    monkeypatch.setattr(app.server, "report_uncaught", lambda: None)
    everything = len(gc.get_objects())

    app.server.serve(ServerSettings(home=tmp_path))

    assert left_to_look_through[0] < everything / 10
