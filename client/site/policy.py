"""The policy of a site, in its file client.toml: read once, when the client starts."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.errors import FedLoomError
from shared.names import ModelName, StrategyName
from shared.run_spec import MAX_CLIENTS, MAX_ROUNDS, words_of
from shared.security.key_id import KeyId, KeyIdInvalid

FILE_NAME = "client.toml"
MAX_BYTES = 64 << 10

BUILT_IN = "built-in"
"""How the built-in app is called where others are named by their digests."""

AppDigest = Annotated[str, StringConstraints(pattern=rf"^({BUILT_IN}|[0-9a-f]{{64}})$")]


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
    members: tuple[KeyText, ...] | None = Field(default=None, min_length=2)
    """The ids of the keys of all with whom this site takes part in secure aggregation, its own among them."""
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
        return (
            not (self.minimum_cohort or self.strategies or self.models or self.apps or self.rounds_a_day)
            and not self.confirm
        )

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
