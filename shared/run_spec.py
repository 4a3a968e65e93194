"""RunSpec: what a run is to do. One definition serves the command line, REST, the page and the run."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from shared.names import DatasetName, ModelName, StrategyName

MAX_ROUNDS = 10_000
MAX_CLIENTS = 10_000


RunConfig = dict[str, bool | float | int | str]
"""The same as Flower's UserConfig."""

ConfigValue = bool | int | float | Annotated[str, StringConstraints(max_length=10_000)]

Scalar = bool | int | float | Annotated[str, StringConstraints(max_length=200)]


FIELDS_OF_ANY_APP = frozenset(
    {
        "app",
        "run_config",
        "num_rounds",
        "min_clients",
        "num_partitions",
        "round_timeout_s",
        "min_replies",
        "min_reply_share",
    }
)
"""Those that are about the run and its clients, whatever they train; the others are for the built-in app."""


class RunSpec(BaseModel):
    """The settings of one run. Every field has a default.

    A run of another Flower app (`app`) has its own settings in `run_config`, and uses FIELDS_OF_ANY_APP only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    app: str | None = Field(
        default=None,
        max_length=200,
        description="name of the Flower app that the server was started with; null: the built-in one",
    )
    run_config: dict[str, ConfigValue] = Field(
        default_factory=dict, description="values that replace the app's own run config"
    )
    dataset: DatasetName = Field(default=DatasetName.DIGITS, description="what every client trains on")
    model: ModelName = Field(default=ModelName.CNN, description="the network that is trained")
    num_rounds: int = Field(
        default=10, strict=True, ge=1, le=MAX_ROUNDS, description="rounds of training and evaluation"
    )
    min_clients: int = Field(
        default=2,
        strict=True,
        ge=1,
        le=MAX_CLIENTS,
        description="a round starts once so many clients are there",
    )
    num_partitions: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=MAX_CLIENTS,
        description="parts of the data set; without: as many as clients at the start",
    )
    strategy: StrategyName = Field(
        default=StrategyName.FEDAVG, description="how the clients' updates become one model"
    )
    strategy_params: dict[str, Scalar] = Field(default_factory=dict, description="parameters of the strategy")
    local_epochs: int = Field(
        default=1, strict=True, ge=1, le=1_000, description="passes over a client's own data in one round"
    )
    batch_size: int = Field(
        default=32, strict=True, ge=1, le=65_536, description="samples per step of the optimiser"
    )
    lr: float = Field(
        default=0.05, strict=True, gt=0, le=100, description="learning rate of the clients' SGD"
    )
    alpha: float | None = Field(
        default=0.5,
        strict=True,
        gt=0,
        le=1e6,
        description="Dirichlet concentration: small means unequal clients; without: IID",
    )
    seed: int = Field(
        default=0,
        strict=True,
        ge=0,
        lt=2**53,
        description="fixes partition, initial model, batches and cohorts",
    )
    fraction_train: float = Field(
        default=1.0, strict=True, gt=0, le=1, description="share of the clients that train in a round"
    )
    fraction_evaluate: float = Field(
        default=1.0, strict=True, ge=0, le=1, description="share of the clients that evaluate in a round"
    )
    round_timeout_s: float | None = Field(
        default=None,
        strict=True,
        gt=0,
        le=1e7,
        description="seconds after which a round goes on without the replies that are missing",
    )
    min_replies: int = Field(
        default=1,
        strict=True,
        ge=1,
        le=MAX_CLIENTS,
        description="updates that a round needs at least; with fewer it waits",
    )
    min_reply_share: float = Field(
        default=0.0,
        strict=True,
        ge=0,
        le=1,
        description="share of the clients asked whose updates a round needs at least",
    )
    keep_checkpoints: int = Field(
        default=3,
        strict=True,
        ge=1,
        le=MAX_ROUNDS,
        description="newest checkpoints of the model that are kept, beside the best one",
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

    def required_replies(self, asked: int) -> int:
        """Updates that a round in which `asked` clients were asked needs at least."""
        return min(max(self.min_replies, math.ceil(self.min_reply_share * asked)), asked)

    def to_run_config(self) -> RunConfig:
        """As Flower's run config: flat, kebab case, no null (alpha 0 is IID, partitions 0 is automatic)."""
        return {
            "dataset": self.dataset.value,
            "model": self.model.value,
            "num-server-rounds": self.num_rounds,
            "min-clients": self.min_clients,
            "num-partitions": self.num_partitions or 0,
            "strategy": self.strategy.value,
            "strategy-params": json.dumps(self.strategy_params, sort_keys=True),
            "local-epochs": self.local_epochs,
            "batch-size": self.batch_size,
            "lr": self.lr,
            "alpha": self.alpha or 0.0,
            "seed": self.seed,
            "fraction-train": self.fraction_train,
            "fraction-evaluate": self.fraction_evaluate,
            "min-replies": self.min_replies,
            "min-reply-share": self.min_reply_share,
        }

    @classmethod
    def from_run_config(cls, config: RunConfig) -> Self:
        """The inverse of `to_run_config`; keys that it lacks keep their default, others are not looked at.

        Raises pydantic's ValidationError where a value is out of range.
        """
        fields: dict[str, Any] = {}
        for name in cls.model_fields:
            key = "num-server-rounds" if name == "num_rounds" else name.replace("_", "-")
            if key in config:
                fields[name] = config[key]
        if "strategy_params" in fields:
            fields["strategy_params"] = json.loads(str(fields["strategy_params"]))
        for name in ("alpha", "num_partitions"):
            if name in fields:
                fields[name] = fields[name] or None
        return cls.model_validate(fields)
