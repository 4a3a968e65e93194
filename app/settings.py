"""The server's settings: flags, environment variables and defaults in one place."""

from __future__ import annotations

import argparse
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from app.federation.spec import RunSpec
from shared import paths
from shared.errors import SettingsInvalid
from shared.names import DEFAULT_LINK_PORT, DEFAULT_WEB_PORT, DatasetName, ModelName, StrategyName
from shared.version import __version__

AsyncMode = Literal["eventlet", "threading"]

RUN_FLAGS = (
    "dataset",
    "model",
    "strategy",
    "min_clients",
    "num_partitions",
    "local_epochs",
    "batch_size",
    "lr",
    "alpha",
    "seed",
    "fraction_train",
    "fraction_evaluate",
)


@dataclass(frozen=True)
class ServerSettings:
    """What `run_server.py` was asked for.

    `spec` is the run to queue at start if `queue_run`, and what the page's form begins with.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_WEB_PORT
    link_port: int = DEFAULT_LINK_PORT
    data_dir: Path = field(default_factory=paths.data_dir)
    async_mode: AsyncMode = "eventlet"
    spec: RunSpec = field(default_factory=RunSpec)
    queue_run: bool = False

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse(argv: list[str] | None = None) -> ServerSettings:
    """Settings from a command line; ends the process with a message when a flag is wrong."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        spec = spec_from(arguments)
    except SettingsInvalid as error:
        parser.error(str(error))
    return ServerSettings(
        host=arguments.host,
        port=arguments.port,
        link_port=arguments.link_port,
        data_dir=arguments.data_dir,
        async_mode=arguments.async_mode,
        spec=spec,
        queue_run=arguments.num_rounds is not None,
    )


def build_parser() -> argparse.ArgumentParser:
    """The flags of `run_server.py`."""
    parser = argparse.ArgumentParser(
        prog="run_server.py",
        description="Serve the FedLoom page and the link for clients. With --num-rounds a run is queued at "
        "once and starts as soon as enough clients are there; without it, start runs from the page, whose "
        "form begins with the values given here.",
    )
    server = parser.add_argument_group("server")
    server.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (%(default)s: this machine only)"
    )
    server.add_argument(
        "--port", type=port_number, default=DEFAULT_WEB_PORT, help="port of the page (%(default)s)"
    )
    server.add_argument(
        "--link-port",
        type=port_number,
        default=DEFAULT_LINK_PORT,
        help="port that clients connect to (%(default)s)",
    )
    server.add_argument(
        "--data-dir",
        type=Path,
        default=paths.data_dir(),
        help="where the data sets are (FEDLOOM_DATA_DIR, %(default)s)",
    )
    server.add_argument(
        "--async-mode",
        choices=("eventlet", "threading"),
        default="eventlet",
        help="the web server (%(default)s)",
    )
    server.add_argument("--version", action="version", version=f"FedLoom {__version__}")
    run = parser.add_argument_group("the run")
    run.add_argument("--num-rounds", type=int, help="queue a run of so many rounds")
    add_run_flags(run)
    return parser


def add_run_flags(parser: argparse._ActionsContainer) -> None:
    """The flags that describe a run, with RunSpec's own defaults, except `--num-rounds`."""

    def add(flag: str, kind: Any = None, to: argparse._ActionsContainer = parser, **options: Any) -> None:
        info = RunSpec.model_fields[flag.removeprefix("--").replace("-", "_")]
        default = info.get_default(call_default_factory=True)
        to.add_argument(flag, type=kind, default=default, help=f"{info.description} (%(default)s)", **options)

    add("--dataset", choices=list(DatasetName))
    add("--model", choices=list(ModelName))
    add("--strategy", choices=list(StrategyName))
    add("--min-clients", int)
    add("--num-partitions", int)
    add("--local-epochs", int)
    add("--batch-size", int)
    add("--lr", float)
    skew = parser.add_mutually_exclusive_group()
    add("--alpha", float, to=skew)
    skew.add_argument(
        "--iid",
        action="store_const",
        const=None,
        dest="alpha",
        help="equal, shuffled parts instead of Dirichlet ones",
    )
    add("--seed", int)
    add("--fraction-train", float)
    add("--fraction-evaluate", float)


def spec_from(arguments: argparse.Namespace, rounds_flag: str = "--num-rounds") -> RunSpec:
    """The RunSpec that parsed flags describe. Raises SettingsInvalid, naming the flag."""
    fields = {name: getattr(arguments, name) for name in RUN_FLAGS}
    if arguments.num_rounds is not None:
        fields["num_rounds"] = arguments.num_rounds
    try:
        return RunSpec.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        flag = rounds_flag if name == "num_rounds" else "--" + name.replace("_", "-")
        raise SettingsInvalid(f"{flag} {first['input']}: {first['msg']}") from error


def port_number(text: str) -> int:
    """A TCP port; 0 lets the system choose."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from 0 to 65535")
    return int(text)
