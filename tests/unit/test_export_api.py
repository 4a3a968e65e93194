"""An export over REST and the rest of the web server."""

from __future__ import annotations

import pytest

from app.api.export import in_slices


def test_the_web_server_gets_its_turn_during_a_long_export(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_000))
    monkeypatch.setattr("app.api.export.time.monotonic", lambda: next(clock) * 0.004)
    turns: list[float] = []

    pieces = list(in_slices([b"a", b"", b"b", b"c", b"d", b"e", b"f"], turns.append))

    assert pieces == [b"a", b"b", b"c", b"d", b"e", b"f"], "an empty piece would end the answer"
    assert turns == [0, 0]
