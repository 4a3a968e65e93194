"""The flags that describe a run, for the server and the demo, and the RunSpec that they make."""

from __future__ import annotations

import argparse
import math
from collections.abc import Collection, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from shared.errors import SettingsInvalid
from shared.flower_app import FlowerApp
from shared.rounds_key import rounds_in, why_unknown
from shared.run_config import fuse, parse_config
from shared.run_fields import RunField, run_fields
from shared.run_spec import FIELDS_OF_ANY_APP, RunSpec, Scalar, words_of

RUN_FLAGS: Mapping[str, str] = MappingProxyType(
    {field.name: field.flag for field in run_fields(RunSpec) if field.flag is not None}
)
"""The fields of a RunSpec that have a flag, by name; for the number of rounds each program has its own."""

FLAGS_FOR_ANY_APP = tuple(name for name in RUN_FLAGS if name in FIELDS_OF_ANY_APP)

IID_FLAG = "--iid"


def add_run_flags(parser: argparse._ActionsContainer) -> None:
    """The flags that describe a run, with RunSpec's own defaults, except `--num-rounds`."""
    for field in run_fields(RunSpec):
        if field.flag is None:
            continue
        if field.name == "alpha":
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
    shown = "" if field.default is None else " (%(default)s)"
    description = field.description.replace("%", "%%")  # which argparse would fill in
    parser.add_argument(flag, dest=field.name, default=field.default, help=f"{description}{shown}", **options)


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
    fields = {name: getattr(arguments, name) for name in RUN_FLAGS}
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
            raise SettingsInvalid(
                f"{flag} is for the built-in app; the app given by --app has its own run config, which "
                "--run-config changes"
            )
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


def _validated(fields: dict[str, Any], rounds_flag: str) -> RunSpec:
    try:
        return RunSpec.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        flag = {**RUN_FLAGS, "num_rounds": rounds_flag, "run_config": "--run-config"}[name]
        raise SettingsInvalid(f"{flag} {first['input']}: {words_of(first)}") from error


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
