"""The flags that describe a run, for the server and the demo, and the RunSpec that they make."""

from __future__ import annotations

import argparse
import math
from collections.abc import Collection
from typing import Any

from pydantic import ValidationError

from shared.errors import SettingsInvalid
from shared.flower_app import FlowerApp
from shared.names import DatasetName, ModelName, StrategyName
from shared.run_config import ROUNDS_KEY, fuse, parse_config, rounds_of
from shared.run_spec import FIELDS_OF_ANY_APP, RunSpec, Scalar

RUN_FLAGS = {
    "dataset": "--dataset",
    "model": "--model",
    "strategy": "--strategy",
    "strategy_params": "--strategy-param",
    "min_clients": "--min-clients",
    "num_partitions": "--num-partitions",
    "local_epochs": "--local-epochs",
    "batch_size": "--batch-size",
    "lr": "--lr",
    "alpha": "--alpha",
    "seed": "--seed",
    "fraction_train": "--fraction-train",
    "fraction_evaluate": "--fraction-evaluate",
    "round_timeout_s": "--round-timeout",
    "min_replies": "--min-replies",
    "min_reply_share": "--min-reply-share",
    "keep_checkpoints": "--keep-checkpoints",
}
"""The fields of a RunSpec that have a flag, except the number of rounds."""

FLAGS_FOR_ANY_APP = tuple(name for name in RUN_FLAGS if name in FIELDS_OF_ANY_APP)


def add_run_flags(parser: argparse._ActionsContainer) -> None:
    """The flags that describe a run, with RunSpec's own defaults, except `--num-rounds`."""

    def add(
        name: str, kind: Any = None, to: argparse._ActionsContainer = parser, **options: Any
    ) -> argparse.Action:
        info = RunSpec.model_fields[name]
        default = info.get_default(call_default_factory=True)
        shown = "" if default is None else " (%(default)s)"
        return to.add_argument(
            RUN_FLAGS[name],
            dest=name,
            **{"type": kind, "default": default, "help": f"{info.description}{shown}", **options},
        )

    add("dataset", choices=list(DatasetName))
    add("model", choices=list(ModelName))
    add("strategy", choices=list(StrategyName))
    add(
        "strategy_params",
        _strategy_param,
        action="append",
        default=None,
        metavar="NAME=VALUE",
        help="a parameter of the strategy; may be given several times",
    )
    add("min_clients", int)
    add("num_partitions", int)
    add("local_epochs", int)
    add("batch_size", int)
    add("lr", float)
    skew = parser.add_mutually_exclusive_group()
    add("alpha", float, to=skew)
    skew.add_argument(
        "--iid",
        action="store_const",
        const=None,
        dest="alpha",
        help="equal, shuffled parts instead of Dirichlet ones",
    )
    add("seed", int)
    add("fraction_train", float)
    add("fraction_evaluate", float)
    add("round_timeout_s", float, metavar="SECONDS")
    add("min_replies", int)
    add("min_reply_share", float)
    add("keep_checkpoints", int)


def spec_from(arguments: argparse.Namespace, rounds_flag: str = "--num-rounds") -> RunSpec:
    """The RunSpec that parsed flags describe. Raises SettingsInvalid, naming the flag."""
    fields = {name: getattr(arguments, name) for name in RUN_FLAGS}
    fields["strategy_params"] = dict(arguments.strategy_params or ())
    if arguments.num_rounds is not None:
        fields["num_rounds"] = arguments.num_rounds
    return _validated(fields, rounds_flag)


def app_spec_from(arguments: argparse.Namespace, app: FlowerApp, given: Collection[str]) -> RunSpec:
    """The RunSpec of a run of another Flower app. Raises SettingsInvalid, naming the flag."""
    for name, flag in RUN_FLAGS.items():
        if name in given and name not in FLAGS_FOR_ANY_APP:
            flag = "--iid" if name == "alpha" and arguments.alpha is None else flag
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
    rounds = _rounds(arguments.num_rounds, app, overrides, rounds_of(config))
    if rounds is not None:
        fields["num_rounds"] = rounds
    return _validated(fields, "--num-rounds")


def _rounds(
    wanted: int | None, app: FlowerApp, overrides: Collection[str], configured: int | None
) -> int | None:
    """How many rounds to run: as `--num-rounds` says, else the run config; None if neither does."""
    if wanted is None:
        return configured
    if ROUNDS_KEY not in app.run_config:
        raise SettingsInvalid(
            f"--num-rounds sets {ROUNDS_KEY}, which is not in the run config of the app {app.name}. Start "
            "the run from the page, or by REST"
        )
    if ROUNDS_KEY in overrides and wanted != configured:
        raise SettingsInvalid(
            f"--num-rounds {wanted} and the {ROUNDS_KEY} in --run-config contradict each other; give one"
        )
    return wanted


def _validated(fields: dict[str, Any], rounds_flag: str) -> RunSpec:
    try:
        return RunSpec.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        flag = {**RUN_FLAGS, "num_rounds": rounds_flag, "run_config": "--run-config"}[name]
        words = str(first.get("ctx", {}).get("error", first["msg"]))
        raise SettingsInvalid(f"{flag} {first['input']}: {words}") from error


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
