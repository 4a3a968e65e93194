"""A record that cannot be read, as far as it can: damaged, or of a version with other limits and values.

One bad row costs nothing else: the server starts, and shows what can be read, with a word on the rest. The
row itself stays as it is, for a version that can read it.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared.run_spec import RunSpec

Row = dict[str, Any]

Model = TypeVar("Model", bound=BaseModel)


def salvage(model: type[Model], values: Row, stand_ins: Row) -> tuple[Model, str | None]:
    """A record of `values`, and in words which of them could not be read; None: all could.

    Fields that are wrong have their `stand_ins`, or their default. Those must be valid by themselves.
    """
    known, wrong = dict(values), dict[str, str]()
    while True:
        try:
            record = model.model_validate(known)
        except ValidationError as error:
            found = _wrong_fields(error)
            if found.keys() <= wrong.keys():
                raise
            wrong |= found
            known = {name: value for name, value in known.items() if name not in wrong}
            known |= {name: stand_in for name, stand_in in stand_ins.items() if name in wrong}
        else:
            return record, _words(wrong) if wrong else None


def salvage_spec(values: Any) -> tuple[RunSpec, str | None]:
    """A run's settings, and in words which of them could not be read; those have their default."""
    if not isinstance(values, dict):
        return RunSpec(), _words({"spec": "it is no JSON object"})
    readable, wrong = {}, {}
    for name, value in values.items():
        try:
            RunSpec.from_store({name: value})
        except ValidationError as error:
            wrong[f"spec.{name}"] = _wrong_fields(error)[name]
        else:
            readable[name] = value
    return RunSpec.from_store(readable), _words(wrong) if wrong else None


def read_json(text: str) -> Any:
    """What a column of JSON holds."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return Damaged()


class Damaged:
    """Stands for JSON that cannot be read: no field takes it."""

    def __repr__(self) -> str:
        return "damaged JSON"


def _wrong_fields(error: ValidationError) -> dict[str, str]:
    return {
        str(*each["loc"][:1]): "it is damaged" if isinstance(each["input"], Damaged) else each["msg"]
        for each in reversed(error.errors(include_url=False))
    }


def _words(wrong: dict[str, str]) -> str:
    named = "; ".join(f"{field}: {words}" for field, words in sorted(wrong.items()))
    return f"its record cannot be read: {named}"
