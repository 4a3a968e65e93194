"""RunSpec: what a run is to do. One definition serves the command line, REST, the page and the run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from shared import engine_rules
from shared.dp_spec import DpSpec
from shared.errors import SettingsInvalid
from shared.names import DatasetName, EngineName, ModelName, StrategyName
from shared.rounds_key import ROUNDS_KEY
from shared.run_fields import ABSENT, FieldUse, RunField, all_fields, publish_forms, run_fields
from shared.secagg.settings import SecureAggregation

MAX_ROUNDS = 10_000
MAX_CLIENTS = 10_000

RunConfig = dict[str, bool | float | int | str]
"""The same as Flower's UserConfig."""

ConfigValue = bool | int | float | Annotated[str, StringConstraints(max_length=10_000)]

Scalar = bool | int | float | Annotated[str, StringConstraints(max_length=200)]

_LIMITS = frozenset(
    {
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "string_too_long",
        "value_error",
    }
)
"""What pydantic calls a value of the right type that is out of its range, or does not fit another field."""


class RunSpec(BaseModel):
    """The settings of one run. Every field has a default.

    A run of another Flower app (`app`) has its own settings in `run_config`, and uses FIELDS_OF_ANY_APP only.

    A field is declared here and nowhere else: REST, the store, the flags, the form, the run config and the
    tables in docs/commands.md and pyproject.toml derive from it, the latter by `python -m app.run_tables`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=publish_forms
    )

    app: Annotated[str | None, FieldUse("Flower app", flag=False, run_config=False, any_app=True)] = Field(
        default=None,
        max_length=200,
        description="name of the Flower app that the server was started with; null: the built-in one",
    )
    run_config: Annotated[
        dict[str, ConfigValue], FieldUse("Run config", flag=False, run_config=False, any_app=True)
    ] = Field(default_factory=dict, description="values that replace the app's own run config")
    dataset: Annotated[DatasetName, FieldUse("Data set", "main")] = Field(
        default=DatasetName.DIGITS, description="what every client trains on"
    )
    model: Annotated[ModelName, FieldUse("Model", "main")] = Field(
        default=ModelName.CNN, description="the network that is trained"
    )
    strategy: Annotated[StrategyName, FieldUse("Strategy", "main")] = Field(
        default=StrategyName.FEDAVG, description="how the clients' updates become one model"
    )
    strategy_params: Annotated[
        dict[str, Scalar], FieldUse("Parameters of the strategy", flag="--strategy-param")
    ] = Field(default_factory=dict, description="parameters of the strategy")
    num_rounds: Annotated[
        int, FieldUse("Rounds", "main", flag=False, run_config=ROUNDS_KEY, any_app=True)
    ] = Field(default=10, strict=True, ge=1, le=MAX_ROUNDS, description="rounds of training and evaluation")
    min_clients: Annotated[int, FieldUse("Min. clients", "main", any_app=True)] = Field(
        default=2,
        strict=True,
        ge=1,
        le=MAX_CLIENTS,
        description="a round starts once so many clients are there",
    )
    lr: Annotated[float, FieldUse("Learning rate", "main", step=0.01)] = Field(
        default=0.05, strict=True, gt=0, le=100, description="learning rate of the clients' SGD"
    )
    local_epochs: Annotated[int, FieldUse("Local epochs", "main")] = Field(
        default=1, strict=True, ge=1, le=1_000, description="passes over a client's own data in one round"
    )
    batch_size: Annotated[int, FieldUse("Batch size", "main", step=8)] = Field(
        default=32, strict=True, ge=1, le=65_536, description="samples per step of the optimiser"
    )
    alpha: Annotated[float | None, FieldUse("Dirichlet α", "main", step=0.1, null="IID: same for all")] = (
        Field(
            default=0.5,
            strict=True,
            gt=0,
            le=1e6,
            description="Dirichlet concentration: small means unequal clients; without: IID",
        )
    )
    seed: Annotated[int, FieldUse("Seed", "main")] = Field(
        default=0,
        strict=True,
        ge=0,
        lt=2**53,
        description="fixes partition, initial model, batches and cohorts",
    )
    round_timeout_s: Annotated[
        float | None,
        FieldUse(
            "Seconds per round",
            "late",
            step=10,
            unit="seconds",
            hint="then it goes on without the replies that are missing",
            null="no limit",
            flag="--round-timeout",
            run_config=False,
            any_app=True,
        ),
    ] = Field(
        default=None,
        strict=True,
        gt=0,
        le=1e7,
        description="seconds after which a round goes on without the replies that are missing",
    )
    min_replies: Annotated[
        int, FieldUse("Min. replies", "late", hint="with fewer it waits, and says for whom", any_app=True)
    ] = Field(
        default=1,
        strict=True,
        ge=1,
        le=MAX_CLIENTS,
        description="updates that a round needs at least; with fewer it waits",
    )
    min_reply_share: Annotated[
        float,
        FieldUse(
            "Min. share of replies",
            "late",
            step=0.1,
            hint="of the clients that were asked, 0 to 1",
            any_app=True,
        ),
    ] = Field(
        default=0.0,
        strict=True,
        ge=0,
        le=1,
        description="share of the clients asked whose updates a round needs at least",
    )
    dp: Annotated[
        DpSpec | None,
        FieldUse(
            "Differential privacy",
            "privacy",
            flag=False,
            run_config=False,
            hint="each client adds noise to what it has learned, before that leaves it",
        ),
    ] = Field(default=None, description="differential privacy at the clients (DP-SGD)")
    stop_at_first_budget: Annotated[
        bool,
        FieldUse(
            "Stop at the first budget", "advanced", hint="of the sites' privacy budgets, and not at the last"
        ),
    ] = Field(
        default=False,
        strict=True,
        description="with differential privacy: end when the first site's privacy budget is spent, and not "
        "only when all are",
    )
    secure_aggregation: Annotated[
        SecureAggregation | None,
        FieldUse(
            "Secure aggregation",
            "privacy",
            hint="the server sees the sum of the clients' updates, and no single one",
        ),
    ] = Field(
        default=None,
        description="the server sees the sum of the updates alone (secure aggregation)",
    )
    num_partitions: Annotated[
        int | None,
        FieldUse("Parts of the data", "advanced", hint="empty: one per client", null="auto", any_app=True),
    ] = Field(
        default=None,
        strict=True,
        ge=1,
        le=MAX_CLIENTS,
        description="parts of the data set; without: as many as clients at the start",
    )
    fraction_train: Annotated[
        float, FieldUse("Train fraction", "advanced", step=0.1, hint="of the clients per round")
    ] = Field(default=1.0, strict=True, gt=0, le=1, description="share of the clients that train in a round")
    fraction_evaluate: Annotated[
        float, FieldUse("Evaluate fraction", "advanced", step=0.1, hint="of the clients per round")
    ] = Field(
        default=1.0, strict=True, ge=0, le=1, description="share of the clients that evaluate in a round"
    )
    keep_checkpoints: Annotated[
        int, FieldUse("Checkpoints kept", "advanced", hint="the newest, beside the best", run_config=False)
    ] = Field(
        default=3,
        strict=True,
        ge=1,
        le=MAX_ROUNDS,
        description="newest checkpoints of the model that are kept, beside the best one",
    )

    simulated_clients: Annotated[
        int,
        FieldUse("Simulated clients", "engine", hint="of the simulation engine", run_config=False),
    ] = Field(
        default=10,
        strict=True,
        ge=1,
        le=MAX_CLIENTS,
        description="clients that the simulation engine makes, each with a part of the data",
    )
    simulated_client_cpus: Annotated[
        float,
        FieldUse(
            "CPUs per simulated client",
            "engine",
            step=0.5,
            hint="how many work at once: the machine's CPUs divided by this",
            run_config=False,
        ),
    ] = Field(
        default=1.0,
        strict=True,
        ge=0.01,
        le=1_024,
        description="CPUs that the simulation engine gives a client while it works; as many work at once as "
        "the machine has CPUs for",
    )
    engine: Annotated[
        EngineName, FieldUse("Engine", "engine", hint="what carries the run to its clients", run_config=False)
    ] = Field(
        default=EngineName.EMBEDDED,
        description="what carries the run to its clients: FedLoom's own link, Flower's simulation of clients "
        "on this machine, or Flower's SuperLink",
    )
    keep_updates: Annotated[
        bool, FieldUse("Keep the updates", "advanced", hint="on the server's disk, to replay the audit log")
    ] = Field(
        default=False,
        strict=True,
        description="keep the clients' updates on the server's disk, so that the audit log can be replayed",
    )

    @field_validator("num_partitions")
    @classmethod
    def _enough_partitions(cls, value: int | None, info: ValidationInfo) -> int | None:
        minimum = info.data.get("min_clients", 0)
        if value is not None and value < minimum:
            raise ValueError(f"{value} parts are too few for min_clients = {minimum}: each client needs one")
        return value

    @field_validator("min_replies")
    @classmethod
    def _no_more_replies_than_clients(cls, value: int, info: ValidationInfo) -> int:
        minimum = info.data.get("min_clients", value)
        if value > minimum:
            raise ValueError(f"{value} replies may never come: a round starts with min_clients = {minimum}")
        return value

    @field_validator("stop_at_first_budget")
    @classmethod
    def _only_of_what_is_spent(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("dp", ...) is None:
            raise ValueError("without differential privacy (dp) no privacy budget is spent")
        return value

    @field_validator("engine")
    @classmethod
    def _can_carry_the_run(cls, value: EngineName, info: ValidationInfo) -> EngineName:
        if (why := engine_rules.objection(value, info.data)) is not None:
            raise ValueError(why)
        return value

    @property
    def is_private(self) -> bool:
        """Whether the clients keep to themselves what is not protected of what they learn."""
        return self.dp is not None or self.secure_aggregation is not None

    def required_replies(self, asked: int) -> int:
        """Updates that a round in which `asked` clients were asked needs at least."""
        share = math.ceil(round(self.min_reply_share * asked, 9))  # 7 % of 100 are 7.000000000000001
        return min(max(self.min_replies, share), asked)

    def required_updates(self, asked: int, of_strategy: int) -> int:
        """The same where the strategy needs at least `of_strategy`, which may be more than were asked."""
        return max(self.required_replies(asked), of_strategy)

    def with_changes(self, **changes: Any) -> Self:
        """The spec with other values in some fields, checked as at the start, which `model_copy` leaves out.

        Raises SettingsInvalid, which names the field.
        """
        set_before = {name: getattr(self, name) for name in self.model_fields_set}
        try:
            return type(self).model_validate(set_before | changes)
        except ValidationError as error:
            raise _refusal(error) from error

    @classmethod
    def from_store(cls, values: Any) -> Self:
        """A spec that was kept, perhaps by another version of FedLoom, as far as this one understands it.

        Fields that this version does not know are left out, those that it has added have their default. A
        value that is beyond a limit of today stays as it was. Raises pydantic's ValidationError for a value
        that this version cannot read at all.
        """
        if not isinstance(values, Mapping):
            return cls.model_validate(values)  # which says that it is none
        known = _known(values, run_fields(cls))
        beyond: dict[str, Any] = {}
        while True:
            try:
                spec = cls.model_validate(known)
            except ValidationError as error:
                wrong = error.errors(include_url=False)
                if not all(each["type"] in _LIMITS and _is_of_a_field(each["loc"], cls) for each in wrong):
                    raise
                beyond |= {name: known.pop(name) for name in {str(each["loc"][0]) for each in wrong}}
            else:
                return spec.model_copy(update={name: _as_kept(cls, name, beyond[name]) for name in beyond})

    def to_run_config(self) -> RunConfig:
        """As Flower's run config: flat, kebab case, no null (alpha 0 is IID, partitions 0 is automatic)."""
        config: RunConfig = {}
        for field in run_fields(type(self)):
            config |= field.config_of(getattr(self, field.name))
        return config

    @classmethod
    def from_run_config(cls, config: RunConfig) -> Self:
        """The inverse of `to_run_config`; keys that it lacks keep their default, others are not looked at.

        Raises SettingsInvalid, which names the key.
        """
        found = {field.name: field.value_in(config) for field in run_fields(cls)}
        try:
            return cls.model_validate({name: value for name, value in found.items() if value is not ABSENT})
        except ValidationError as error:
            keys = {field.name: field.run_config for field in all_fields(cls) if field.run_config is not None}
            raise _refusal(error, keys) from error


FIELDS_OF_ANY_APP = frozenset(field.name for field in run_fields(RunSpec) if field.use.any_app)
"""Those that are about the run and its clients, whatever they train; the others are for the built-in app."""

IN_ANOTHER_APP: Mapping[str, str] = MappingProxyType(
    {
        "secure_aggregation": "For secure aggregation it can use Flower's own SecAggPlusWorkflow and "
        "secaggplus_mod, which run here and protect against an honest server alone."
    }
)
"""What another Flower app can have in place of a setting of the built-in one, by the field."""


def _refusal(error: ValidationError, called: Mapping[str, str] = MappingProxyType({})) -> SettingsInvalid:
    """Names the first field that is wrong, by what it is `called` where the value was given."""
    first = error.errors(include_url=False)[0]
    path = ".".join(map(str, first["loc"]))
    name, dot, within = path.partition(".")
    shown = called.get(path) or f"{called.get(name, name)}{dot}{within}"
    given = first["input"].value if isinstance(first["input"], Enum) else first["input"]
    return SettingsInvalid(f"{given!r} cannot be the value of {shown}: {words_of(first)}.", path)


def _known(values: Mapping[str, Any], fields: tuple[RunField, ...]) -> dict[str, Any]:
    """Those values that these fields have a name for."""
    known = {field.own_name: (field, values[field.own_name]) for field in fields if field.own_name in values}
    return {
        name: _known(value, field.within) if field.within and isinstance(value, Mapping) else value
        for name, (field, value) in known.items()
    }


def _is_of_a_field(path: tuple[int | str, ...], model: type[BaseModel]) -> bool:
    """Whether it names a field, or one of the settings that a field holds."""
    return ".".join(map(str, path)) in {field.name for field in all_fields(model)}


def _as_kept(model: type[BaseModel], name: str, value: Any) -> Any:
    """A value that is beyond a limit, as a spec holds it."""
    kind = next(field.kind for field in run_fields(model) if field.name == name)
    return kind.model_construct(**value) if issubclass(kind, BaseModel) and isinstance(value, dict) else value


def words_of(error: ErrorDetails) -> str:
    """What is wrong with a field, in pydantic's words or those of a rule of ours."""
    own = error.get("ctx", {}).get("error")
    return str(own) if isinstance(own, ValueError) else error["msg"]
