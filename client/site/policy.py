"""The policy of a site, in its file client.toml: read once, when the client starts."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
)

from shared.dp_spec import DELTA
from shared.errors import FedLoomError
from shared.names import DatasetName, ModelName, StrategyName
from shared.run_spec import MAX_CLIENTS, MAX_ROUNDS, words_of
from shared.security.key_id import KeyId, KeyIdInvalid

FILE_NAME = "client.toml"
MAX_BYTES = 64 << 10

BUILT_IN = "built-in"
"""How the built-in app is called where others are named by their digests."""

MAX_EPSILON = 1e6
MAX_NOISE_MULTIPLIER = 1_000.0
MAX_CLIPPING_RADIUS = 10.0
"""No peer's model is averaged whose norm is larger than that in parts of one's own."""

AppDigest = Annotated[str, StringConstraints(pattern=rf"^({BUILT_IN}|[0-9a-f]{{64}})$")]


Epsilon = Annotated[float, Field(strict=True, gt=0, le=MAX_EPSILON)]

EpsilonByDataset = Annotated[
    Annotated[Epsilon, Tag("number")]
    | Annotated[dict[DatasetName, Epsilon], Field(min_length=1), Tag("table")],
    Discriminator(lambda value: "table" if isinstance(value, dict) else "number"),
]


class Protection(StrEnum):
    """What a site can require of a run."""

    DP = "dp"
    """differential privacy at the client"""
    DISTRIBUTED_DP = "distributed-dp"
    """noise that this client and the others share inside a masked sum, which hides each client"""
    SECAGG = "secagg"
    """secure aggregation, of which the server learns the sum alone"""


class MeshRule(StrEnum):
    """What a site does over the mesh, where other clients see this one's model, as else the server does."""

    OFF = "off"
    """nothing"""
    DP_ONLY = "dp-only"
    """runs with differential privacy at the client"""
    ON = "on"
    """all runs but those with secure aggregation, which never go there"""


class LogRule(StrEnum):
    """What of a client's log the server is told."""

    OFF = "off"
    """nothing"""
    ERROR = "error"
    """errors"""
    WARNING = "warning"
    """warnings and errors"""
    INFO = "info"
    """all of it, also what a Flower app prints"""


class UsageRule(StrEnum):
    """What the server is told of what a client's machine is used for."""

    OFF = "off"
    """nothing"""
    ON = "on"
    """CPU, memory, disks, network and GPUs, every two seconds"""


@dataclass(frozen=True)
class Budget:
    """The most that a site spends of a data set: epsilon, at this delta or a smaller one."""

    epsilon: float
    delta: float


def _key_text(text: str) -> str:
    try:
        return str(KeyId.parse(text))
    except KeyIdInvalid as error:
        raise ValueError(str(error)) from error


KeyText = Annotated[str, AfterValidator(_key_text)]
"""The id of a key, in groups."""


class PolicyInvalid(FedLoomError):
    """A site's policy cannot be read, so that nobody knows what the site accepts."""


class Policy(BaseModel):
    """What a site accepts. A rule that is not given allows everything.

    Each field is a key of client.toml and the name of its rule, by which a refusal is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    minimum_cohort: int | None = Field(default=None, strict=True, ge=1, le=MAX_CLIENTS)
    """Clients that must take part in a run, and be asked in each of its rounds, this one included."""
    strategies: tuple[StrategyName, ...] | None = Field(default=None, min_length=1)
    models: tuple[ModelName, ...] | None = Field(default=None, min_length=1)
    """The built-in app's."""
    apps: tuple[AppDigest, ...] | None = Field(default=None, min_length=1)
    """SHA-256 of the files of other Flower apps, in hex, as both ends compare it; or BUILT_IN."""
    label_counts: bool = Field(default=True, strict=True)
    """Whether the server may know how many samples of each label there are."""
    metrics_of_private_runs: bool = Field(default=False, strict=True)
    """Whether the server may know this client's loss, accuracy and label counts in a run with differential
    privacy, whose guarantee does not cover them."""
    require: tuple[Protection, ...] | None = Field(default=None, min_length=1)
    """What protects each update before it leaves."""
    minimum_noise: float | None = Field(default=None, strict=True, gt=0, le=MAX_NOISE_MULTIPLIER)
    """The least noise multiplier of a run, whose clients share noise inside a masked sum."""
    privacy_budget: EpsilonByDataset | None = None
    """The most that all runs together may spend, of each data set or of those that are named: then of no
    other."""
    privacy_delta: float = Field(default=DELTA, strict=True, gt=0, lt=1)
    """The largest delta that a run may have, where there is a budget."""
    members: tuple[KeyText, ...] | None = Field(default=None, min_length=2)
    """The ids of the keys of all with whom this site takes part in secure aggregation, its own among them."""
    mesh: MeshRule = MeshRule.ON
    """Whether runs may go on over the mesh, where a client was started with it."""
    mesh_roster: bool = Field(default=True, strict=True)
    """Whether the server's word is enough to trust other clients in the mesh; else people pair them."""
    mesh_clipping_radius: float | None = Field(default=None, strict=True, gt=0, le=MAX_CLIPPING_RADIUS)
    """How far a peer's model may be from this client's own, in parts of its norm, to be averaged as it is;
    one that is farther away is moved to that distance."""
    log: LogRule = LogRule.INFO
    """What of a client's log leaves for the server, which keeps and shows it."""
    usage: UsageRule = UsageRule.ON
    """Whether the server is told what the machine is used for, which it keeps for a day and shows."""
    rounds_a_day: int | None = Field(default=None, strict=True, ge=1, le=MAX_ROUNDS)
    confirm: bool = Field(default=False, strict=True)
    """Whether somebody at the site has to confirm each run."""
    confirm_minutes: int = Field(default=10, strict=True, ge=0, le=7 * 24 * 60)
    """How long a message waits for that."""

    @property
    def member_keys(self) -> tuple[KeyId, ...] | None:
        """The same, parsed."""
        return None if self.members is None else tuple(map(KeyId.parse, self.members))

    @property
    def rules(self) -> dict[str, Any]:
        """The keys that the file has, with their values."""
        return self.model_dump(mode="json", exclude_unset=True)

    @property
    def lets_all_pass(self) -> bool:
        """Whether no message needs to be looked at."""
        asked_of_each_message = (
            self.minimum_cohort,
            self.strategies,
            self.models,
            self.apps,
            self.rounds_a_day,
            self.confirm,
            self.protections,
            self.minimum_noise,
        )
        return not any(asked_of_each_message)

    @property
    def protections(self) -> tuple[Protection, ...]:
        """What is required. A budget needs differential privacy, without which epsilon has no limit."""
        required = self.require or ()
        return (
            (*required, Protection.DP) if self.privacy_budget and Protection.DP not in required else required
        )

    def budget_for(self, dataset: str) -> Budget | None:
        """The most that may be spent of a data set; None: there is no limit."""
        given = self.privacy_budget
        if given is None:
            return None
        epsilon = given.get(DatasetName(dataset), 0.0) if isinstance(given, dict) else given
        return Budget(epsilon, self.privacy_delta)

    def with_budget(self, epsilon: float) -> Self:
        """The same with this budget for each data set, where the policy has none that is smaller."""
        given = self.privacy_budget
        if isinstance(given, dict):
            least: Any = {dataset: min(epsilon, value) for dataset, value in given.items()}
        else:
            least = epsilon if given is None else min(epsilon, given)
        return self.model_validate({**self.model_dump(exclude_unset=True), "privacy_budget": least})

    def with_clipping(self, radius: float) -> Self:
        """The same with this clipping radius, where the policy has none that is smaller."""
        least = radius if self.mesh_clipping_radius is None else min(radius, self.mesh_clipping_radius)
        return self.model_validate({**self.model_dump(exclude_unset=True), "mesh_clipping_radius": least})

    def with_log(self, rule: LogRule) -> Self:
        """The same with as much of the log as both allow."""
        least = min(self.log, rule, key=list(LogRule).index)
        return self.model_validate({**self.model_dump(exclude_unset=True), "log": least})

    def with_usage(self, rule: UsageRule) -> Self:
        """The same where both allow that the machine's use is told."""
        least = min(self.usage, rule, key=list(UsageRule).index)
        return self.model_validate({**self.model_dump(exclude_unset=True), "usage": least})

    def __str__(self) -> str:
        """The keys that the file has, as in it."""
        return ", ".join(f"{key} = {_shown(value)}" for key, value in self.rules.items()) or "none"


KEYS = tuple(Policy.model_fields)
"""What client.toml can say."""


def read_policy(home: Path, given: Path | None = None) -> Policy:
    """The policy in the file that was given, which must be there, or in FedLoom's own folder, if one is.

    Raises PolicyInvalid.
    """
    if given is not None:
        return _parse(given, _text_of(given))
    path = home / FILE_NAME
    return _parse(path, _text_of(path)) if os.path.lexists(path) else Policy()


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            _require_own(path, os.fstat(file.fileno()))
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PolicyInvalid(
            f"The policy {path} cannot be read ({error.strerror or error}), so nothing is accepted."
        ) from error
    if len(data) > MAX_BYTES:
        raise PolicyInvalid(f"The policy {path} has more than {MAX_BYTES:,} bytes.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PolicyInvalid(f"{path}, line {line}: it is not UTF-8, as TOML is.") from error


def _require_own(path: Path, status: os.stat_result) -> None:
    """A group may write it: on many systems each user has one of their own."""
    if os.name != "posix":
        return
    if status.st_uid not in (0, os.geteuid()):
        raise PolicyInvalid(f"The policy {path} belongs to another user of this machine, who can change it.")
    if stat.S_IMODE(status.st_mode) & 0o002:
        raise PolicyInvalid(
            f"The policy {path} can be changed by every user of this machine. Read what it says, then run "
            f"`chmod o-w {path}`."
        )


def _parse(path: Path, text: str) -> Policy:
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyInvalid(f"{path} is not TOML: {error}.") from error
    try:
        return Policy.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = str(first["loc"][0])
        place = f"{path}, line {_line_of(key, text)}"
        if first["type"] == "extra_forbidden":
            raise PolicyInvalid(f"{place}: there is no {key!r}. There are: {', '.join(KEYS)}.") from error
        raise PolicyInvalid(f"{place}: {key} cannot be {_shown(values[key])}: {_words(first)}.") from error


def _words(error: Any) -> str:
    if error["type"] == "string_pattern_mismatch":
        return (
            f"{error['input']!r} is neither {BUILT_IN!r} nor the SHA-256 of an app's files, 64 hexadecimal "
            "digits, as `python -m client.doctor --app DIR` shows it"
        )
    return words_of(error)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _line_of(key: str, text: str) -> int:
    """The line in which a key is first set, or a table of that name begins."""
    begins = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=.\]]""")
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, start=1) if begins.match(line)), 1)
