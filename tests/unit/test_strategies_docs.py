"""docs/strategies.md says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.federation.strategies import StrategyInfo, describe_strategies

PAGE = Path(__file__).resolve().parents[2] / "docs" / "strategies.md"


def row_of(name: str) -> list[str]:
    """The cells of a strategy's row."""
    (row,) = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |")
    ]
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("info", describe_strategies(), ids=lambda info: info.name)
def test_the_table_has_each_strategy_as_it_is(info: StrategyInfo) -> None:
    _, parameters, paper, updates, memory = row_of(info.name)

    for item in info.parameters:
        assert f"{item.name} (" in parameters
        if item.default is not None:
            assert f"{item.name} ({item.default})" in parameters
    assert parameters.count(" (") == len(info.parameters)
    assert info.reference in paper
    assert updates.split(",")[0] == str(info.minimum_updates)
    assert memory == ("one model" if info.streams else "all models")
