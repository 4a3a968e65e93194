"""A run's settings as a table, and those in which runs differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import Field

from app.records import Record, Run

Value = bool | int | float | str | None


class Setting(Record):
    """One setting of some runs."""

    name: str = Field(description="dotted path of the field in the spec")
    values: tuple[Value, ...] = Field(description="of each run in order; null: it has none")


def settings_of(runs: Sequence[Run]) -> list[Setting]:
    """All settings that any of the runs has, in the order in which the spec declares them."""
    flat = [dict(_leaves("", run.spec.model_dump(mode="json"))) for run in runs]
    names = dict.fromkeys(name for values in flat for name in values)
    return [Setting(name=name, values=tuple(each.get(name) for each in flat)) for name in names]


def differing(runs: Sequence[Run]) -> list[Setting]:
    """Those settings that are not the same in all runs."""
    return [each for each in settings_of(runs) if any(value != each.values[0] for value in each.values)]


def _leaves(path: str, value: Any) -> Iterable[tuple[str, Value]]:
    """Each value in nested tables under its dotted path; what is no scalar by then, as text."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, item)
    elif value is None or isinstance(value, bool | int | float | str):
        yield path, value
    else:
        yield path, str(value)
