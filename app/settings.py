"""The server's settings: flags, environment variables and defaults in one place."""

from __future__ import annotations

import argparse
import ipaddress
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.run_flags import RUN_FLAGS, add_run_flags, app_spec_from, spec_from
from shared import paths
from shared.errors import AppInvalid, RoundsKeyInvalid, SettingsInvalid
from shared.flower_app import FlowerApp, read_app
from shared.names import DEFAULT_LINK_PORT, DEFAULT_WEB_PORT
from shared.run_spec import RunSpec
from shared.version import __version__

AsyncMode = Literal["eventlet", "threading"]
Resume = Literal["auto", "never"]

NOT_GIVEN = object()
"""Stands for a flag that was not given, also where it has a default."""


@dataclass(frozen=True)
class ServerSettings:
    """What `run_server.py` was asked for.

    `spec` is the run to queue at start if `queue_run`, and what the page's form begins with. `app` None: the
    built-in one. `store` None: a file in `home`.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_WEB_PORT
    link_port: int = DEFAULT_LINK_PORT
    data_dir: Path = field(default_factory=paths.data_dir)
    async_mode: AsyncMode = "eventlet"
    spec: RunSpec = field(default_factory=RunSpec)
    queue_run: bool = False
    app: FlowerApp | None = None
    resume: Resume = "auto"
    store: str | None = None
    auth: bool = False
    tls: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    home: Path = field(default_factory=paths.home_dir)

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
    arguments, given = parse_noting_what_was_given(parser, argv)
    if (arguments.tls_cert is None) != (arguments.tls_key is None):
        parser.error("--tls-cert and --tls-key belong together: give both, or --tls for the server's own")
    try:
        app = app_from(arguments)
        spec = spec_from(arguments) if app is None else app_spec_from(arguments, app, given)
    except SettingsInvalid as error:
        parser.error(str(error))
    return ServerSettings(
        host=arguments.host,
        port=arguments.port,
        link_port=arguments.link_port,
        data_dir=arguments.data_dir,
        async_mode=arguments.async_mode,
        spec=spec,
        queue_run=arguments.queue_run or arguments.num_rounds is not None,
        app=app,
        resume=arguments.resume,
        store=arguments.store,
        auth=arguments.auth,
        tls=arguments.tls or arguments.tls_cert is not None,
        tls_cert=arguments.tls_cert,
        tls_key=arguments.tls_key,
    )


def parse_noting_what_was_given(
    parser: argparse.ArgumentParser, argv: list[str] | None
) -> tuple[argparse.Namespace, Collection[str]]:
    """The flags with their defaults, and the run's fields whose flag was given."""
    unset = {name: NOT_GIVEN for name in RUN_FLAGS if name != "strategy_params"}
    arguments = parser.parse_args(argv, argparse.Namespace(**unset, strategy_params=[]))
    given = {name for name in RUN_FLAGS if getattr(arguments, name) not in (NOT_GIVEN, [])}
    for name in RUN_FLAGS.keys() - given:
        setattr(arguments, name, parser.get_default(name))
    return arguments, given


def app_from(arguments: argparse.Namespace) -> FlowerApp | None:
    """The app that the flags of `add_app_flags` name; None: the built-in one. Raises SettingsInvalid."""
    if arguments.app is None:
        for flag, value in (("--run-config", arguments.run_config), ("--rounds-key", arguments.rounds_key)):
            if value is not None:
                raise SettingsInvalid(
                    f"{flag} is for an app given by --app; the built-in one has flags of its own"
                )
        return None
    try:
        return read_app(arguments.app, arguments.rounds_key)
    except RoundsKeyInvalid as error:
        raise SettingsInvalid(f"--rounds-key {arguments.rounds_key}: {error}") from error
    except AppInvalid as error:
        raise SettingsInvalid(f"--app {arguments.app}: {error}") from error


def build_parser() -> argparse.ArgumentParser:
    """The flags of `run_server.py`."""
    parser = argparse.ArgumentParser(
        prog="run_server.py",
        description="Serve the FedLoom page and the link for clients. With --num-rounds a run is queued at "
        "once and starts as soon as enough clients are there; without it, start runs from the page, whose "
        "form begins with the values given here.",
    )
    _add_server_flags(parser.add_argument_group("server"))
    add_app_flags(parser.add_argument_group("another Flower app"))
    run = parser.add_argument_group("the run")
    run.add_argument("--num-rounds", type=int, help="queue a run of so many rounds")
    run.add_argument(
        "--queue-run", action="store_true", help="queue a run, of as many rounds as the app's run config says"
    )
    add_run_flags(run)
    return parser


def add_app_flags(app: argparse._ActionsContainer) -> None:
    """The flags that name another Flower app and its settings."""
    app.add_argument(
        "--app",
        type=Path,
        metavar="DIR",
        help="the folder of a Flower app, with its pyproject.toml, to run in place of the built-in one",
    )
    app.add_argument(
        "--run-config",
        action="append",
        metavar="'KEY=VALUE ...'",
        help="values in place of the app's own, as `flwr run` takes them, or FILE.toml with them",
    )
    app.add_argument(
        "--rounds-key",
        metavar="KEY",
        help="the key of the app's run config that says how many rounds it runs, where no name shows it",
    )


def _add_server_flags(server: argparse._ActionsContainer) -> None:
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
    server.add_argument(
        "--store",
        metavar="URL",
        default=os.environ.get("FEDLOOM_STORE") or None,
        help="where runs are kept: sqlite:///FILE or postgresql://USER@HOST/DATABASE; one with a password "
        "is better given by the environment (FEDLOOM_STORE, a file in FEDLOOM_HOME)",
    )
    server.add_argument(
        "--auth",
        action="store_true",
        help="ask everybody who they are, also the user of this machine who starts the server",
    )
    server.add_argument(
        "--tls",
        action="store_true",
        help="serve the page over HTTPS, with the server's own certificate unless --tls-cert names another",
    )
    server.add_argument(
        "--tls-cert", type=Path, metavar="FILE", help="certificate, and those above it, in PEM"
    )
    server.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's private key in PEM")
    server.add_argument(
        "--resume",
        choices=("auto", "never"),
        default="auto",
        help="whether a run that was cut goes on when the server starts (%(default)s)",
    )
    server.add_argument("--version", action="version", version=f"FedLoom {__version__}")


def port_number(text: str) -> int:
    """A TCP port; 0 lets the system choose."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from 0 to 65535")
    return int(text)
