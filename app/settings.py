"""The server's settings: flags, environment variables and defaults in one place."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from app.engine_flags import add_superlink_flags, superlink_from
from app.federation.engines.superlink.settings import SuperLinkSettings
from app.federation.runs.retention import Kept
from app.notices.address import WebhookSettings
from app.outlet_flags import add_track_flag, add_webhook_flags, trackers_from, webhook_from
from app.role_flags import Deployment, add_role_flags, deployment_from
from app.run_flags import RUN_FLAGS, add_run_flags, app_spec_from, spec_from
from app.trackers.tracker import TrackerSettings
from shared import paths
from shared.address import is_loopback
from shared.console import LogFormat, add_log_format_flag
from shared.errors import AppInvalid, RoundsKeyInvalid, SettingsInvalid
from shared.flower_app import FlowerApp, read_app
from shared.names import DEFAULT_LINK_PORT, DEFAULT_WEB_PORT
from shared.run_spec import RunSpec
from shared.variables import setting
from shared.version import __version__

AsyncMode = Literal["eventlet", "threading"]
Resume = Literal["auto", "never"]

DEFAULT_DRAIN_S = 30
LONGEST_DRAIN_S = 86_400
DEFAULT_KEEP_RUNS = 10_000
DEFAULT_KEPT = Kept(DEFAULT_KEEP_RUNS, megabytes=10_000, spares_best=True)
DEFAULT_LOG_DAYS = 30
DEFAULT_LOG_MEGABYTES = 256
LARGEST_AMOUNT = 1_000_000
"""Days, megabytes or runs: more is as good as no limit."""

NOT_GIVEN = object()
"""Stands for a flag that was not given, also where it has a default."""


@dataclass(frozen=True)
class ServerSettings:
    """What `run_server.py` was asked for.

    `spec` is the run to queue at start if `queue_run`, and what the page's form begins with. `app` None: the
    built-in one. `store` None: a file in `home`. Of the log is kept what is at most `log_days` old, and
    `log_megabytes` (millions of characters) of that. On SIGTERM the round that goes on has `drain_s`
    seconds to come to its end.
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
    drain_s: int = DEFAULT_DRAIN_S
    keep: Kept = DEFAULT_KEPT
    log_format: LogFormat = "text"
    log_days: int = DEFAULT_LOG_DAYS
    log_megabytes: int = DEFAULT_LOG_MEGABYTES
    webhook: WebhookSettings | None = None
    trackers: tuple[TrackerSettings, ...] = ()
    deployment: Deployment = field(default_factory=Deployment)
    superlink: SuperLinkSettings | None = None
    home: Path = field(default_factory=paths.home_dir)

    @property
    def is_for_this_machine(self) -> bool:
        """Whether nobody reaches the page from elsewhere, not by a proxy or a dashboard either."""
        return self.on_loopback and not self.deployment.is_passed_on

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)


def parse(argv: list[str] | None = None) -> ServerSettings:
    """Settings from a command line; ends the process with a message when a flag is wrong."""
    parser = build_parser()
    arguments, given = parse_noting_what_was_given(parser, argv)
    if (arguments.tls_cert is None) != (arguments.tls_key is None):
        parser.error("--tls-cert and --tls-key belong together: give both, or --tls for the server's own")
    try:
        app = app_from(arguments)
        spec = spec_from(arguments) if app is None else app_spec_from(arguments, app, given)
        webhook = webhook_from(arguments, paths.home_dir())
        trackers = trackers_from(arguments.track)
        deployment = deployment_from(arguments)
        superlink = superlink_from(arguments)
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
        drain_s=arguments.drain_seconds,
        keep=_kept(arguments),
        log_format=arguments.log_format,
        log_days=arguments.log_days,
        log_megabytes=arguments.log_megabytes,
        webhook=webhook,
        trackers=trackers,
        deployment=deployment,
        superlink=superlink,
    )


def _kept(arguments: argparse.Namespace) -> Kept:
    """Models that nobody has asked to lose are spared."""
    if arguments.keep_megabytes is None:
        return replace(DEFAULT_KEPT, runs=arguments.keep_runs, days=arguments.keep_days)
    return Kept(arguments.keep_runs, arguments.keep_days, arguments.keep_megabytes)


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
    add_role_flags(parser)
    add_superlink_flags(parser.add_argument_group("Flower's SuperLink"))
    away = parser.add_argument_group("for those who are away")
    add_webhook_flags(away)
    add_track_flag(away)
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
        default=setting("FEDLOOM_STORE"),
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
    server.add_argument(
        "--drain-seconds",
        type=_seconds,
        default=DEFAULT_DRAIN_S,
        metavar="S",
        help="how long the round that goes on may take to its end when the server is told to end by SIGTERM, "
        "as services and containers are; a second SIGTERM ends it at once (%(default)s; 0: never waits)",
    )
    server.add_argument(
        "--keep-runs",
        type=_amount,
        default=DEFAULT_KEEP_RUNS,
        metavar="N",
        help="how many runs are kept, the newest; older ones that have ended are deleted with all their "
        "records (%(default)s)",
    )
    server.add_argument(
        "--keep-days",
        type=_amount,
        metavar="DAYS",
        help="for how long runs are kept after their end (no limit)",
    )
    server.add_argument(
        "--keep-megabytes",
        type=_amount,
        metavar="MB",
        help="how much the checkpoints of runs that have ended may take; beyond that, those of the oldest "
        "are deleted, the newest and the best of each run last, and never those of the run that ended last. "
        f"Where it is not given: {DEFAULT_KEPT.megabytes:,}, and the newest and the best of each run always "
        "stay",
    )
    add_log_format_flag(server)
    server.add_argument(
        "--log-days",
        type=_amount,
        default=DEFAULT_LOG_DAYS,
        metavar="DAYS",
        help="for how long lines of the log are kept (%(default)s)",
    )
    server.add_argument(
        "--log-megabytes",
        type=_amount,
        default=DEFAULT_LOG_MEGABYTES,
        metavar="MB",
        help="how much of the log is kept at most; whoever has written most loses the oldest lines first "
        "(%(default)s)",
    )
    server.add_argument("--version", action="version", version=f"FedLoom {__version__}")


def port_number(text: str) -> int:
    """A TCP port; 0 lets the system choose."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> int:
    value = int(text) if text.isdecimal() and len(text) <= len(str(LONGEST_DRAIN_S)) else -1
    if not 0 <= value <= LONGEST_DRAIN_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {LONGEST_DRAIN_S:,}")
    return value


def _amount(text: str) -> int:
    value = int(text) if text.isdecimal() and len(text) <= len(str(LARGEST_AMOUNT)) else 0
    if not 0 < value <= LARGEST_AMOUNT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {LARGEST_AMOUNT:,}")
    return value
