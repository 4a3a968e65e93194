"""The command line of `run_demo.py`, and the settings that it makes."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from app.demo.clients import DEFAULT, clients_for
from app.outlet_flags import add_track_flag, trackers_from
from app.run_flags import add_run_flags, app_spec_from, spec_from
from app.settings import add_app_flags, app_from, parse_noting_what_was_given, port_number
from app.trackers.tracker import TrackerSettings
from shared import paths
from shared.errors import SettingsInvalid
from shared.flower_app import FlowerApp
from shared.names import DEFAULT_WEB_PORT, DatasetName, EngineName
from shared.result_file import try_to_write
from shared.run_spec import RunSpec

DEFAULT_DATASET = DatasetName.MNIST
DEFAULT_ROUNDS = 5
BUILT_IN_ONLY = ("data_dir", "max_samples", "mesh")
"""Flags of the demo, beside those of a run, that another Flower app has no use for."""


@dataclass(frozen=True)
class DemoSettings:
    """What `run_demo.py` was asked for.

    `dataset_is_default`: none was named, another may take its place. `processes`: clients that are started,
    which are all, or none where they are simulated. `mesh`: whether the clients learn on
    without the server; `kill_server_at`: the round in which that is killed. `app` None: the built-in one.
    `notes`: what the person should know before anything starts.
    """

    spec: RunSpec
    dataset_is_default: bool
    clients: int
    processes: int
    port: int
    data_dir: Path
    max_samples: int
    report: Path | None
    browser: bool
    exit_when_done: bool
    mesh: bool = False
    kill_server_at: int | None = None
    app: FlowerApp | None = None
    notes: tuple[str, ...] = ()
    trackers: tuple[TrackerSettings, ...] = ()


def parse(argv: list[str] | None) -> DemoSettings:
    """Settings from a command line; ends the process with a message when a flag is wrong."""
    parser = build_parser()
    arguments, given = parse_noting_what_was_given(parser, argv)
    try:
        app = app_from(arguments)
        clients, note = (arguments.clients, None) if arguments.clients is not None else clients_for(app)
        clients, processes = _crew(arguments, given, clients)
        _complete(arguments, app, clients)
        _check(arguments, app)
        spec = _spec(arguments, app, given)
        trackers = trackers_from(arguments.track)
    except SettingsInvalid as error:
        parser.error(str(error))
    return DemoSettings(
        spec=spec,
        dataset_is_default=app is None and "dataset" not in given,
        clients=clients,
        processes=processes,
        port=arguments.port,
        data_dir=arguments.data_dir or paths.data_dir(),
        max_samples=arguments.max_samples or 0,
        report=arguments.report,
        browser=not arguments.no_browser,
        exit_when_done=arguments.exit_when_done,
        mesh=bool(arguments.mesh),
        kill_server_at=arguments.kill_server_at,
        app=app,
        notes=() if note is None else (note,),
        trackers=trackers,
    )


def build_parser() -> argparse.ArgumentParser:
    """The flags. One of the demo's own that was not given is None."""
    parser = argparse.ArgumentParser(
        prog="run_demo.py",
        description="Start a server, clients and a run on this machine, and show the live page.",
    )
    demo = parser.add_argument_group("demo")
    demo.add_argument(
        "--clients", type=int, help=f"client processes ({DEFAULT}; for another app, what its federation says)"
    )
    demo.add_argument(
        "--rounds",
        type=int,
        dest="num_rounds",
        help=f"rounds of training ({DEFAULT_ROUNDS}; of another app, as many as its run config says)",
    )
    demo.add_argument(
        "--port", type=port_number, default=DEFAULT_WEB_PORT, help="port of the page (%(default)s)"
    )
    data_dir = str(paths.data_dir()).replace("%", "%%")
    demo.add_argument("--data-dir", type=Path, help=f"where the data sets are (FEDLOOM_DATA_DIR, {data_dir})")
    demo.add_argument(
        "--max-samples", type=int, help="each client trains on at most so many samples (0: all)"
    )
    demo.add_argument("--report", type=Path, help="write what the run achieved to this file, as JSON")
    demo.add_argument("--no-browser", action="store_true", help="do not open the page in a browser")
    demo.add_argument("--exit-when-done", action="store_true", help="end when the run has ended")
    demo.add_argument(
        "--mesh",
        action="store_const",
        const=True,
        help="have the clients learn on over the mesh while the server is away",
    )
    demo.add_argument(
        "--kill-server-at",
        type=int,
        metavar="ROUND",
        help="kill the server in this round, and start it again when the clients have gone some rounds over "
        "the mesh; needs --mesh",
    )
    add_track_flag(demo)
    add_app_flags(parser.add_argument_group("another Flower app"))
    add_run_flags(parser.add_argument_group("the run"))
    parser.set_defaults(dataset=DEFAULT_DATASET, min_clients=None)
    return parser


def _crew(arguments: argparse.Namespace, given: Collection[str], clients: int) -> tuple[int, int]:
    """How many clients there are, and how many of them are started; `clients`: as `--clients` has it, which
    says how many are simulated, too. Raises SettingsInvalid for what a demo does not have."""
    match arguments.engine:
        case EngineName.SIMULATION:
            if arguments.mesh:
                raise SettingsInvalid("--mesh needs FedLoom's own clients, and --engine simulation has none")
            if "simulated_clients" in given:
                clients = arguments.simulated_clients
            arguments.simulated_clients = clients
            return clients, 0
        case EngineName.SUPERLINK:
            raise SettingsInvalid(
                "--engine superlink: a demo has no SuperLink; start run_server.py with --superlink and the "
                "address of one"
            )
    return clients, clients


def _complete(arguments: argparse.Namespace, app: FlowerApp | None, clients: int) -> None:
    """Put in what follows from other flags."""
    arguments.clients = clients
    if arguments.min_clients is None:
        arguments.min_clients = clients
    if arguments.num_rounds is None and app is None:
        arguments.num_rounds = DEFAULT_ROUNDS


def _check(arguments: argparse.Namespace, app: FlowerApp | None) -> None:
    """Raise SettingsInvalid for what the demo cannot do."""
    if arguments.clients < 1:
        raise SettingsInvalid(f"--clients {arguments.clients}: at least 1 is needed")
    if arguments.min_clients > arguments.clients:
        raise SettingsInvalid(
            f"--min-clients {arguments.min_clients} would wait for ever: --clients is {arguments.clients}"
        )
    for name in BUILT_IN_ONLY:
        if app is not None and getattr(arguments, name) is not None:
            raise SettingsInvalid(
                f"--{name.replace('_', '-')} is for the built-in app; the app given by --app has its own run "
                "config, which --run-config changes"
            )
    if arguments.kill_server_at is not None:
        _check_outage(arguments)
    if arguments.max_samples is not None and arguments.max_samples < 0:
        raise SettingsInvalid(f"--max-samples {arguments.max_samples}: use a number from 1 up, or 0 for all")
    if arguments.report is not None:
        try:
            try_to_write(arguments.report)
        except OSError as error:
            raise SettingsInvalid(
                f"--report {arguments.report}: nothing can be written there ({error.strerror})"
            ) from error


def _check_outage(arguments: argparse.Namespace) -> None:
    """Raise SettingsInvalid where the run could not go on without the server."""
    if not arguments.mesh:
        raise SettingsInvalid("--kill-server-at needs --mesh: without it the clients would wait for ever")
    if not 1 <= arguments.kill_server_at < arguments.num_rounds:
        raise SettingsInvalid(
            f"--kill-server-at {arguments.kill_server_at}: use a round from 1 to the last but one, of "
            f"--rounds {arguments.num_rounds}"
        )


def _spec(arguments: argparse.Namespace, app: FlowerApp | None, given: Collection[str]) -> RunSpec:
    if app is None:
        return spec_from(arguments, rounds_flag="--rounds")
    return app_spec_from(arguments, app, given, rounds_flag="--rounds")
