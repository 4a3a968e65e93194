"""What each field of a RunSpec is used for, declared beside it.

Flags, form, run config and tables derive from that, so that a new field is one edit: its declaration in
`shared.run_spec.RunSpec`, with a `FieldUse`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType, NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.wire import ConfigScalar

FormGroup = Literal["main", "late", "privacy", "advanced", "engine"]
"""Where the page's form has a field: in sight, or under a heading that opens ("When clients are late")."""

_NULLS: Mapping[type, ConfigScalar] = MappingProxyType({int: 0, float: 0.0})

ABSENT = object()
"""Stands for the value of a field that is not given."""


@dataclass(frozen=True)
class FieldUse:
    """Where a field appears, beside REST and the store, which have all fields.

    `flag` and `run_config`: True for one named as the field, a text for another name, False for none.
    `any_app`: it is about the run and its clients, whatever they train; the others are for the built-in app.
    `group` None: the form does not offer it as a field of its own. `step`: by how much a number is moved.
    `unit`: of a number, in words. `hint`: what the form says below. `null`: what null means, in words.
    `suggested`: what the form begins with, where that is not the default.

    Of a field that holds settings of its own, `flag` and `run_config` are the switch that takes them all with
    their defaults; each of them has its own besides, which begins with the field's name.
    """

    title: str
    group: FormGroup | None = None
    step: float = 1
    unit: str = ""
    hint: str = ""
    null: str = ""
    flag: bool | str = True
    run_config: bool | str = True
    any_app: bool = False
    suggested: float | None = None


@dataclass(frozen=True)
class RunField:
    """A field with all that derives from its declaration.

    `name`: within another field a dotted path. `kind`: its type without null. `flag` and `run_config`: under
    which name it is there; None if it is not. `within`: the settings that it holds, if it holds some; null
    means that none is given.
    """

    name: str
    kind: type[Any]
    nullable: bool
    default: Any
    description: str
    use: FieldUse
    flag: str | None
    run_config: str | None
    within: tuple[RunField, ...] = ()

    @property
    def own_name(self) -> str:
        """Its name where it is declared."""
        return self.name.rpartition(".")[2]

    def config_of(self, value: Any) -> dict[str, ConfigScalar]:
        """All keys of the run config that this field has, with what they are for its value."""
        own = {} if self.run_config is None else {self.run_config: self.to_config(value)}
        for field in self.within:
            own |= field.config_of(None if value is None else getattr(value, field.own_name))
        return own

    def value_in(self, config: Mapping[str, ConfigScalar]) -> Any:
        """What a run config says of this field; ABSENT: nothing. The inverse of `config_of`."""
        if self.within:
            return self._value_within(config)
        if self.run_config is None or self.run_config not in config:
            return ABSENT
        return self.from_config(config[self.run_config])

    def _value_within(self, config: Mapping[str, ConfigScalar]) -> Any:
        """There null stands for a setting that is not given, whatever its default."""
        found = {field.own_name: field.value_in(config) for field in self.within}
        given = {name: value for name, value in found.items() if value is not ABSENT and value}
        is_on = self.run_config is not None and config.get(self.run_config) is True
        return given if given or is_on else None

    def to_config(self, value: Any) -> ConfigScalar:
        """The value as a Flower run config can hold it: 0 or an empty text for null, JSON for a mapping."""
        if self.within:
            return value is not None
        if value is None:
            return _NULLS.get(self.kind, "")
        if self.kind is dict:
            return json.dumps(value, sort_keys=True)
        config: ConfigScalar = value.value if isinstance(value, Enum) else value
        return config

    def from_config(self, value: ConfigScalar) -> Any:
        """The inverse of `to_config`. What is not JSON is given back as it is, for pydantic to refuse."""
        if self.kind is dict:
            try:
                return json.loads(str(value))
            except (ValueError, RecursionError):
                return value
        return value or None if self.nullable else value

    def form(self, order: int) -> dict[str, Any]:
        """How the page's form asks for it, as the JSON schema publishes it under `x-form`."""
        use = self.use
        texts = {"unit": use.unit, "hint": use.hint, "null": use.null}
        return {
            "group": use.group,
            "order": order,
            "title": use.title,
            "any_app": use.any_app,
            **({"step": use.step} if self.kind in (int, float) else {}),
            **({} if use.suggested is None else {"suggested": use.suggested}),
            **{name: text for name, text in texts.items() if text},
        }


@cache
def run_fields(model: type[BaseModel]) -> tuple[RunField, ...]:
    """The fields of a RunSpec, in the order of their declaration.

    Raises TypeError for a field that does not say what it is used for.
    """
    return tuple(_run_field(name, info) for name, info in model.model_fields.items())


def all_fields(model: type[BaseModel]) -> Iterator[RunField]:
    """The same, each followed by the settings that it holds."""
    for field in run_fields(model):
        yield field
        yield from field.within


def publish_forms(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Add to the JSON schema of a RunSpec, or of settings within it, how a form asks for each field; pydantic
    calls it."""
    for order, field in enumerate(run_fields(model)):
        if field.use.group is not None:
            schema["properties"][field.name]["x-form"] = field.form(order)


def _run_field(name: str, info: FieldInfo, path: tuple[str, ...] = ()) -> RunField:
    uses = [item for item in info.metadata if isinstance(item, FieldUse)]
    if len(uses) != 1 or not info.description:
        raise TypeError(f"The field {name} of a RunSpec needs a description and one FieldUse.")
    path = (*path, name)
    kebab = "-".join(path).replace("_", "-")
    kinds = [kind for kind in get_args(info.annotation) if kind is not NoneType]
    nullable = NoneType in get_args(info.annotation)
    kind: Any = kinds[0] if nullable else info.annotation
    kind = get_origin(kind) or kind
    settings = kind.model_fields if issubclass(kind, BaseModel) else {}
    return RunField(
        name=".".join(path),
        kind=kind,
        nullable=nullable,
        default=info.get_default(call_default_factory=True),
        description=info.description,
        use=uses[0],
        flag=_named(uses[0].flag, f"--{kebab}"),
        run_config=_named(uses[0].run_config, kebab),
        within=tuple(_run_field(each, of_each, path) for each, of_each in settings.items()),
    )


def _named(use: bool | str, name: str) -> str | None:
    return use if isinstance(use, str) else name if use else None
