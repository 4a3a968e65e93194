"""Run configs and node configs of Flower apps: read from a command line, put over the app's own values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.errors import SettingsInvalid
from shared.flower_app import FlowerApp, value_problem
from shared.rounds_key import rounds_in
from shared.wire import ConfigScalar

_PAIR = re.compile(r"\s*([^\s=]+)=('[^']*'|\"[^\"]*\"|\S+)(?=\s|$)")
_KNOWN_KEYS = 20


def parse_config(texts: Sequence[str]) -> dict[str, ConfigScalar]:
    """The values that `--run-config` or `--node-config` gives, as Flower's own commands understand them.

    Each text holds pairs `key=value`, divided by spaces, with values as in TOML; what a later text says goes
    before what an earlier one does. In place of all that, one text may name a .toml file. Raises
    SettingsInvalid for anything else.
    """
    files = [text for text in texts if text.endswith(".toml")]
    if files and len(texts) > 1:
        raise SettingsInvalid(f"{files[0]}: a .toml file cannot be given together with other values.")
    if files:
        return _flat(_read(Path(files[0]).expanduser()))
    values: dict[str, ConfigScalar] = {}
    for text in texts:
        values.update(_flat(_pairs(text)))
    return values


def fuse(app: FlowerApp, overrides: Mapping[str, ConfigScalar]) -> dict[str, ConfigScalar]:
    """The app's own run config with other values in place of some of its own.

    As `flwr run` has it, only keys that the app has can be given. A value must be of the same kind as the
    app's: a number for a number, whole or not, a text for a text. Raises SettingsInvalid.
    """
    fused = dict(app.run_config)
    for key, value in overrides.items():
        if key not in fused:
            raise SettingsInvalid(
                f"The Flower app {app.name} has no {key!r} in its run config. {_known(app)}"
            )
        fused[key] = _as_the_app_has_it(app, key, value)
    return fused


def _as_the_app_has_it(app: FlowerApp, key: str, value: ConfigScalar) -> ConfigScalar:
    own = app.run_config[key]
    if _kind(value) != _kind(own):
        raise SettingsInvalid(
            f"{value!r} cannot be the value of {key}: it is {_kind(value)}, and the app {app.name} has "
            f"{_kind(own)} there ({own!r}). {_known(app)}"
        )
    if isinstance(own, float) and value_problem(value) is None:  # JSON and people write 1 for 1.0
        value = float(value)
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if (problem := value_problem(value)) is not None:
        raise SettingsInvalid(f"{value!r} cannot be the value of {key}: it {problem}.")
    if key == app.rounds_key and rounds_in({key: value}, key) is None:
        raise SettingsInvalid(f"{value!r} cannot be the value of {key}: it is not a whole number from 1 up.")
    return value


def _kind(value: ConfigScalar) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a text" if isinstance(value, str) else "a number"


def _known(app: FlowerApp) -> str:
    keys = sorted(app.run_config)
    if not keys:
        return "It has no run config at all."
    more = f" and {len(keys) - _KNOWN_KEYS} more" if len(keys) > _KNOWN_KEYS else ""
    return f"Its keys are {', '.join(keys[:_KNOWN_KEYS])}{more}."


def _pairs(text: str) -> dict[str, Any]:
    """Nested, as TOML reads dotted keys. The pairs that Flower finds, but nothing between them is let go."""
    lines = []
    position = 0
    while text[position:].strip():
        pair = _PAIR.match(text, position)
        if pair is None:
            raise SettingsInvalid(
                f"{text[position:].strip()!r} is not key=value. Write, for example, "
                "'lr=0.1 epochs=2 verbose=true name=\"text\"', with quotes around texts and around it all."
            )
        lines.append(_line(*pair.groups()))
        position = pair.end()
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:  # each line is right, so it is a key that comes twice
        raise SettingsInvalid(f"{text!r} cannot be used: a key is given twice ({error}).") from error


def _line(key: str, value: str) -> str:
    line = f"{key} = {value}"
    try:
        tomllib.loads(line)
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(
            f"{key}={value} cannot be used: a value is a number, true, false or a text in quotes, such as "
            f'{key}="text" ({error}).'
        ) from error
    return line


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsInvalid(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:  # of TOML, or of UTF-8
        raise SettingsInvalid(f"{path} is not valid TOML: {error}.") from error


def _flat(values: dict[str, Any]) -> dict[str, ConfigScalar]:
    from shared.flower import flatten_dict  # only now: it brings Flower

    try:
        flat: dict[str, ConfigScalar] = flatten_dict(values)
    except ValueError as error:
        raise SettingsInvalid(f"{error}".replace("`", "")) from error
    for key, value in flat.items():
        if (problem := value_problem(value)) is not None:
            raise SettingsInvalid(f"{key}={value} cannot be used: the value {problem}.")
    return flat
