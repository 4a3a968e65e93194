"""The flags that describe a run, for the server and the demo, and the RunSpec that they make."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Collection, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from shared.errors import SettingsInvalid
from shared.flower_app import FlowerApp
from shared.rounds_key import rounds_in, why_unknown
from shared.run_config import fuse, parse_config
from shared.run_fields import RunField, all_fields, run_fields
from shared.run_spec import FIELDS_OF_ANY_APP, IN_ANOTHER_APP, RunSpec, Scalar, words_of

RUN_FLAGS: Mapping[str, str] = MappingProxyType(
    {field.name: field.flag for field in all_fields(RunSpec) if field.flag is not None}
)
"""The fields of a RunSpec that have a flag, by name; for the number of rounds each program has its own."""

FLAGS_FOR_ANY_APP = tuple(name for name in RUN_FLAGS if name.partition(".")[0] in FIELDS_OF_ANY_APP)

IID_FLAG = "--iid"


def add_run_flags(parser: argparse._ActionsContainer) -> None:
    """The flags that describe a run, with RunSpec's own defaults, except `--num-rounds`."""
    for field in all_fields(RunSpec):
        if field.flag is None:
            continue
        if field.within:
            parser.add_argument(
                field.flag, dest=field.name, action="store_true", default=None, help=_help(field)
            )
        elif field.name == "alpha":
            _add_alpha(parser, field.flag, field)
        elif field.name == "strategy_params":
            _add_strategy_params(parser, field.flag)
        else:
            _add(parser, field.flag, field)


def _add(parser: argparse._ActionsContainer, flag: str, field: RunField) -> None:
    options: dict[str, Any] = {"type": field.kind}
    if issubclass(field.kind, Enum):
        options = {"choices": list(field.kind)}
    elif field.kind is bool:
        options = {"action": argparse.BooleanOptionalAction}
    elif field.use.unit:
        options["metavar"] = field.use.unit.upper()
    elif "." in field.name:
        options["metavar"] = field.name.rpartition(".")[2].upper()
    # A setting within another is given where its flag is: its default would say that the other is wanted
    default = None if "." in field.name else field.default
    parser.add_argument(flag, dest=field.name, default=default, help=_help(field), **options)


def _help(field: RunField) -> str:
    shown = "" if field.default is None else f" ({field.default})"
    return f"{field.description}{shown}".replace("%", "%%")  # which argparse would fill in


def _add_alpha(parser: argparse._ActionsContainer, flag: str, field: RunField) -> None:
    skew = parser.add_mutually_exclusive_group()
    _add(skew, flag, field)
    skew.add_argument(
        IID_FLAG,
        action="store_const",
        const=None,
        dest=field.name,
        help="equal, shuffled parts instead of Dirichlet ones",
    )


def _add_strategy_params(parser: argparse._ActionsContainer, flag: str) -> None:
    parser.add_argument(
        flag,
        dest="strategy_params",
        type=_strategy_param,
        action="append",
        metavar="NAME=VALUE",
        help="a parameter of the strategy; may be given several times",
    )


def spec_from(arguments: argparse.Namespace, rounds_flag: str = "--num-rounds") -> RunSpec:
    """The RunSpec that parsed flags describe. Raises SettingsInvalid, naming the flag."""
    fields = {
        field.name: value_of(field, arguments)
        for field in run_fields(RunSpec)
        if field.within or field.flag is not None
    }
    fields["strategy_params"] = dict(arguments.strategy_params or ())
    if arguments.num_rounds is not None:
        fields["num_rounds"] = arguments.num_rounds
    return _validated(fields, rounds_flag)


def app_spec_from(
    arguments: argparse.Namespace, app: FlowerApp, given: Collection[str], rounds_flag: str = "--num-rounds"
) -> RunSpec:
    """The RunSpec of a run of another Flower app. Raises SettingsInvalid, naming the flag."""
    for name, flag in RUN_FLAGS.items():
        if name in given and name not in FLAGS_FOR_ANY_APP:
            flag = IID_FLAG if name == "alpha" and arguments.alpha is None else flag
            words = (
                f"{flag} is for the built-in app; the app given by --app has its own run config, which "
                "--run-config changes"
            )
            hint = IN_ANOTHER_APP.get(name)
            raise SettingsInvalid(words if hint is None else f"{words}. {hint}")
    try:
        overrides = parse_config(arguments.run_config or ())
        config = fuse(app, overrides)
    except SettingsInvalid as error:
        raise SettingsInvalid(f"--run-config: {error}") from error
    fields = {name: getattr(arguments, name) for name in FLAGS_FOR_ANY_APP}
    fields.update(app=app.name, run_config={key: config[key] for key in overrides})
    configured = rounds_in(config, app.rounds_key)
    rounds = arguments.num_rounds
    if rounds is not None and app.rounds_key is None:
        raise SettingsInvalid(
            f"{rounds_flag} cannot be set: {why_unknown(app.run_config)}. Name the key with --rounds-key, or "
            f"leave {rounds_flag} out, and {app.name} runs as many as it does by itself"
        )
    if rounds is not None and app.rounds_key in overrides and rounds != configured:
        raise SettingsInvalid(
            f"{rounds_flag} {rounds} and the {app.rounds_key} in --run-config contradict each other; give one"
        )
    if rounds is None:
        rounds = configured
    if rounds is not None:
        fields["num_rounds"] = rounds
    return _validated(fields, rounds_flag)


def value_of(field: RunField, arguments: argparse.Namespace) -> Any:
    """What the flags say of a field; of one that holds settings, those that were given, or None."""
    if not field.within:
        return getattr(arguments, field.name)
    found = {each.own_name: getattr(arguments, each.name) for each in field.within if each.flag is not None}
    given = {name: value for name, value in found.items() if value is not None}
    is_on = field.flag is not None and getattr(arguments, field.name)
    return given if given or is_on else None


def _validated(fields: dict[str, Any], rounds_flag: str) -> RunSpec:
    try:
        return RunSpec.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        names = [str(each) for each in first["loc"]]
        flags = {**RUN_FLAGS, "num_rounds": rounds_flag, "run_config": "--run-config"}
        flag = flags.get(".".join(names)) or flags.get(names[0])
        if flag is not None:
            raise SettingsInvalid(f"{flag} {first['input']}: {words_of(first)}") from error
        raise SettingsInvalid(_words_of_group(names[0], fields[names[0]], words_of(first))) from error


def _words_of_group(name: str, given: Mapping[str, Any], words: str) -> str:
    """Why the settings that a field holds do not fit each other, by their flags."""
    flags = {path.partition(".")[2]: flag for path, flag in RUN_FLAGS.items() if path.startswith(f"{name}.")}
    for setting, flag in flags.items():
        words = re.sub(rf"\b{setting}\b", flag, words)
    return f"{' '.join(f'{flags[setting]} {value}' for setting, value in given.items())}: {words}"


def _strategy_param(text: str) -> tuple[str, Scalar]:
    """`NAME=VALUE`, with true, false and numbers as what they are."""
    name, _, value = text.partition("=")
    if not name.isidentifier() or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, for example proximal_mu=0.1")
    if value in ("true", "false"):
        return name, value == "true"
    try:
        number = float(value)
    except ValueError:
        return name, value
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} does not give a finite number")
    return name, int(value) if value.lstrip("+-").isdecimal() else number
