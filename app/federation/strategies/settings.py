"""A strategy's parameters: declared once, checked at the edge, described for the page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from app.federation.strategies.base import RoundStrategy
from app.records import Record
from shared.errors import SettingsInvalid
from shared.names import StrategyName
from shared.run_spec import RunSpec


class ParameterInfo(Record):
    """A parameter of a strategy, as a form offers it."""

    name: str
    type: Literal["number", "integer", "boolean"]
    default: bool | int | float | None = Field(description="null: chosen for each round, see the description")
    minimum: int | float | None
    exclusive_minimum: bool = Field(description="the minimum itself is not allowed")
    maximum: int | float | None
    exclusive_maximum: bool = Field(description="the maximum itself is not allowed")
    description: str

    def range(self) -> str:
        """What is allowed, in words: "a number above 0 and at most 100"."""
        kind = {"number": "a number", "integer": "a whole number", "boolean": "true or false"}[self.type]
        limits = []
        if self.minimum is not None:
            limits.append(f"{'above' if self.exclusive_minimum else 'at least'} {self.minimum:g}")
        if self.maximum is not None:
            limits.append(f"{'below' if self.exclusive_maximum else 'at most'} {self.maximum:g}")
        return f"{kind} {' and '.join(limits)}".rstrip()


class StrategyInfo(Record):
    """A strategy, as a form offers it."""

    name: StrategyName
    title: str
    summary: str
    reference: str = Field(description="address of the paper")
    parameters: tuple[ParameterInfo, ...]
    minimum_updates: int = Field(description="updates that a round needs, with the default parameters")
    streams: bool = Field(description="the server's memory does not grow with the number of clients")


class StrategySettings(BaseModel, ABC):
    """A strategy with its parameters: one subclass for each name, one field for each parameter."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: ClassVar[StrategyName]
    title: ClassVar[str]
    summary: ClassVar[str]
    reference: ClassVar[str]
    streams: ClassVar[bool] = True
    takes_sums: ClassVar[bool] = False
    """Whether the weighted mean of the updates is all that it needs of them."""

    @abstractmethod
    def build(self, spec: RunSpec, secret: bytes) -> RoundStrategy:
        """The strategy of one run. `secret`: of the run; what must not be guessed derives from it."""

    def minimum_updates(self) -> int:
        """Updates that a round needs at least."""
        return 1

    def fitting(self, updates: int) -> str | None:
        """What to do with the parameters so that `updates` are enough, in words; None: there is nothing."""
        return None

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read parameters by name; those left out have their default.

        Raises SettingsInvalid, which names each parameter that cannot be used, what is allowed and what to
        do.
        """
        try:
            return cls.model_validate(dict(given))
        except ValidationError as error:
            errors = error.errors(include_url=False)
            field = ".".join(("strategy_params", *map(str, errors[0]["loc"][:1])))
            raise SettingsInvalid(" ".join(map(cls._explain, errors)), field) from error

    @classmethod
    def info(cls) -> StrategyInfo:
        """The strategy as a form offers it."""
        return StrategyInfo(
            name=cls.name,
            title=cls.title,
            summary=cls.summary,
            reference=cls.reference,
            parameters=cls.parameters(),
            minimum_updates=cls().minimum_updates(),
            streams=cls.streams,
        )

    @classmethod
    def parameters(cls) -> tuple[ParameterInfo, ...]:
        """All parameters, as they are declared."""
        properties = cls.model_json_schema()["properties"] if cls.model_fields else {}
        return tuple(_parameter(name, schema) for name, schema in properties.items())

    @classmethod
    def _explain(cls, error: ErrorDetails) -> str:
        if not error["loc"]:  # of a rule between parameters, which has its own words
            return str(error["ctx"]["error"])
        name = str(error["loc"][0])
        known = {parameter.name: parameter for parameter in cls.parameters()}
        if name not in known:
            return (
                f"{cls.title} has no parameter {name!r}; it takes {', '.join(known) or 'none'}. Leave it out."
            )
        default = "its default" if known[name].default is None else f"the default of {known[name].default}"
        return (
            f"{cls.title}'s parameter {name} cannot be {error['input']!r}: it must be {known[name].range()}. "
            f"Change it, or leave it out for {default}."
        )


def _parameter(name: str, schema: Mapping[str, Any]) -> ParameterInfo:
    """Read one property of a JSON schema, which pydantic derives from the field."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind["type"] != "null"]
    (kind,) = kinds
    return ParameterInfo(
        name=name,
        type=kind["type"],
        default=schema["default"],
        minimum=kind.get("minimum", kind.get("exclusiveMinimum")),
        exclusive_minimum="exclusiveMinimum" in kind,
        maximum=kind.get("maximum", kind.get("exclusiveMaximum")),
        exclusive_maximum="exclusiveMaximum" in kind,
        description=schema["description"],
    )
