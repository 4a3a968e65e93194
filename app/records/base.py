"""The base of all records, and what makes their text fit to be written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from shared.text import printable


class Record(BaseModel):
    """Base of all published values. All text in one can be written as UTF-8, whoever made it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _printable(cls, fields: Any) -> Any:
        return _with_printable_text(fields)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, but for text as above; the other values are not checked either."""
        return super().model_copy(update=_with_printable_text(update), deep=deep)

    def changed(self, **changes: Any) -> Self:
        """The record with other values in some fields, checked like one that is read from the store.

        Pydantic's `model_copy` checks nothing: what it lets through may never be read again. Raises
        ValidationError, which is a bug in whoever made the values.
        """
        return type(self).model_validate({**dict(self), **changes})

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Every field is always sent, also one that has a default: all are required in the schema."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["required"] = list(schema["properties"])
        return schema


_HOLDS_TEXT = (str, dict, list, tuple)


def _with_printable_text(value: Any) -> Any:
    """The value, with `printable` text in it; itself where all is so already."""
    if _is_printable(value):
        return value
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {_with_printable_text(key): _with_printable_text(item) for key, item in value.items()}
    return type(value)(map(_with_printable_text, value))


def _is_printable(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() or printable(value) == value
    if isinstance(value, dict):
        return _are_printable(value.keys()) and _are_printable(value.values())
    return not isinstance(value, list | tuple) or _are_printable(value)


def _are_printable(values: Collection[Any]) -> bool:
    """By their types first: a round has the results of all clients, and is copied for each reply."""
    kinds = set(map(type, values))
    if not any(issubclass(kind, _HOLDS_TEXT) for kind in kinds):
        return True
    return (kinds == {str} and "".join(values).isascii()) or all(map(_is_printable, values))
