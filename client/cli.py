"""The command line of `run_client.py`."""

from __future__ import annotations

import argparse
from pathlib import Path

from client.mesh_flags import add_mesh_flags, flag_of, mesh_options
from client.settings import ClientSettings
from client.site.policy import (
    FILE_NAME,
    MAX_EPSILON,
    LogRule,
    Policy,
    PolicyInvalid,
    UsageRule,
    read_policy,
)
from shared import paths
from shared.address import parse_address
from shared.console import add_log_format_flag
from shared.errors import AppInvalid, FedLoomError, SettingsInvalid
from shared.flower_app import FlowerApp, read_app
from shared.interrupt import INTERRUPTED, end_on_signals
from shared.names import DEFAULT_LINK_PORT, DatasetName
from shared.run_config import parse_config
from shared.security.invitation import MAX_CHARACTERS, Invitation, InvitationInvalid
from shared.variables import setting
from shared.version import __version__
from shared.wire import ConfigScalar

INVITE_VARIABLE = "FEDLOOM_INVITE"

BUILT_IN_ONLY = (
    "dataset",
    "data_dir",
    "max_samples",
    "device",
    "private_labels",
    "privacy_budget",
    "enable_mesh",
    "mesh_only",
)
"""What another Flower app has no use for."""


def main(argv: list[str] | None = None) -> int:
    """Parse, run the client, return the exit code."""
    end_on_signals()
    try:
        settings = parse(argv)
        from client.main import run  # only now: it imports gRPC and Flower
    except KeyboardInterrupt:
        return INTERRUPTED
    return run(settings)


def parse(argv: list[str] | None = None) -> ClientSettings:
    """Settings from a command line; ends the process with a message when a flag is wrong."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    mesh = mesh_options(parser, arguments)
    return ClientSettings(
        client_id=arguments.client_id,
        dataset=arguments.dataset or DatasetName.DIGITS,
        server=arguments.server,
        invite=None if mesh is not None and mesh.only else _invitation(parser, arguments),
        data_dir=arguments.data_dir or paths.data_dir(),
        max_samples=arguments.max_samples or 0,
        device=arguments.device or "auto",
        threads=arguments.threads,
        private_labels=bool(arguments.private_labels),
        app=_app(parser, arguments),
        node_config=_node_config(parser, arguments),
        policy=_policy(parser, arguments),
        mesh=mesh,
        log_format=arguments.log_format,
    )


def given_invitation(arguments: argparse.Namespace) -> Invitation | None:
    """That of whichever flag was given, of which one goes; or else that of the environment.

    Raises InvitationInvalid, which says of which it is.
    """
    source = ""
    try:
        match arguments:
            case argparse.Namespace(invite=str() as text):
                source = "--invite"
            case argparse.Namespace(invite_file=Path() as path):
                source = f"--invite-file {path}"
                text = read_invitation(path)
            case argparse.Namespace(invite_qr=Path() as path):
                from shared import qr  # only now: it brings two libraries for pictures

                source = f"--invite-qr {path}"
                text = qr.read_picture(path)
            case _:
                source, text = INVITE_VARIABLE, setting(INVITE_VARIABLE) or ""
                if not text:
                    return None
        return Invitation.parse(text)
    except FedLoomError as error:
        raise InvitationInvalid(f"{source}: {error}") from error


def read_invitation(path: Path) -> str:
    """The text in a file. Raises InvitationInvalid."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(10 * MAX_CHARACTERS)
    except OSError as error:
        raise InvitationInvalid(f"The file cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise InvitationInvalid("The file holds something else than an invitation.") from error
    if not text.strip():
        raise InvitationInvalid("The file is empty.")
    return text


def _invitation(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Invitation | None:
    try:
        return given_invitation(arguments)
    except InvitationInvalid as error:
        parser.error(str(error))


def _policy(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Policy:
    try:
        policy = given_policy(paths.home_dir(), arguments.policy, arguments.privacy_budget)
        if (radius := arguments.mesh_clipping_radius) is not None:
            policy = policy.with_clipping(radius)
    except PolicyInvalid as error:
        parser.error(str(error))
    if arguments.send_log is not None:
        policy = policy.with_log(LogRule(arguments.send_log))
    return policy if arguments.send_usage is None else policy.with_usage(UsageRule(arguments.send_usage))


def given_policy(home: Path, file: Path | None, budget: float | None) -> Policy:
    """What the site accepts, by `--policy` and `--privacy-budget`. Raises PolicyInvalid."""
    policy = read_policy(home, file)
    return policy if budget is None else policy.with_budget(budget)


def _app(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> FlowerApp | None:
    if arguments.app is None:
        return None
    for name in BUILT_IN_ONLY:
        if getattr(arguments, name) is not None:
            parser.error(
                f"{flag_of(name)} is for the built-in app; the app given by --app gets what it "
                "needs to know of this client by --node-config"
            )
    try:
        return read_app(arguments.app)
    except AppInvalid as error:
        parser.error(f"--app {arguments.app}: {error}")


def _node_config(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> dict[str, ConfigScalar]:
    if arguments.node_config and arguments.app is None:
        parser.error("--node-config is for an app given by --app; the built-in one has flags of its own")
    try:
        return parse_config(arguments.node_config or [])
    except SettingsInvalid as error:
        parser.error(f"--node-config: {error}")


def build_parser(
    prog: str = "run_client.py",
    description: str = "Join a FedLoom server and train on local data.",
    *,
    needs_id: bool = True,
) -> argparse.ArgumentParser:
    """The flags. One that was not given is None."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--client-id", required=needs_id, help="this client's name, for example client-1")
    parser.add_argument(
        "--server",
        metavar="HOST:PORT",
        type=_address,
        help="the server's address for clients, its --link-port (that of the server which this client has "
        f"joined by an invitation, or 127.0.0.1:{DEFAULT_LINK_PORT})",
    )
    invitation = parser.add_mutually_exclusive_group()
    invitation.add_argument(
        "--invite",
        metavar="TEXT",
        help=f"the invitation to a server, fedloom://…, which also says where it is ({INVITE_VARIABLE}); "
        "needed once, and beside a server of the same user on this machine not at all",
    )
    invitation.add_argument("--invite-file", type=Path, metavar="FILE", help="the same, from a file")
    invitation.add_argument(
        "--invite-qr",
        type=Path,
        metavar="PICTURE",
        help="the same, from a picture (PNG, JPEG) of its QR code",
    )
    parser.add_argument(
        "--threads",
        type=_positive,
        help="CPU threads (the cores, shared with the other clients on this machine)",
    )
    parser.add_argument(
        "--policy",
        type=Path,
        metavar="FILE",
        help=f"what this site accepts, in TOML; {FILE_NAME} in FEDLOOM_HOME, if it is there",
    )
    parser.add_argument(
        "--send-log",
        choices=list(LogRule),
        help="what of this client's log the server is told, which keeps and shows it (info, which is all, or "
        "that of the policy; of the two the less)",
    )
    add_log_format_flag(parser)
    parser.add_argument(
        "--send-usage",
        choices=list(UsageRule),
        help="whether the server is told what this client's machine is used for: CPU, memory, disks, network "
        "and GPUs (on, or that of the policy; of the two the less)",
    )
    parser.add_argument("--version", action="version", version=f"FedLoom {__version__}")
    data_dir = str(paths.data_dir()).replace("%", "%%")
    built_in = parser.add_argument_group("the built-in app")
    built_in.add_argument(
        "--dataset",
        choices=list(DatasetName),
        help=f"the data to train on ({DatasetName.DIGITS})",
    )
    built_in.add_argument(
        "--data-dir", type=Path, help=f"where the data sets are (FEDLOOM_DATA_DIR, {data_dir})"
    )
    built_in.add_argument("--max-samples", type=_positive, help="train on at most so many samples (all)")
    built_in.add_argument("--device", help="auto, cpu, cuda, cuda:N or mps (auto)")
    built_in.add_argument(
        "--private-labels",
        action="store_const",
        const=True,
        help="do not tell the server how many samples of each label there are",
    )
    built_in.add_argument(
        "--privacy-budget",
        type=_epsilon,
        metavar="EPSILON",
        help="the most that all runs together may spend of the data set, from which on the client declines "
        "(no limit, or that of the policy; of the two the smaller)",
    )
    add_mesh_flags(parser)
    other = parser.add_argument_group("another Flower app")
    other.add_argument(
        "--app",
        type=Path,
        metavar="DIR",
        help="the folder of the Flower app, the same as the server's, in place of the built-in one",
    )
    other.add_argument(
        "--node-config",
        action="append",
        metavar="'KEY=VALUE ...'",
        help="what the app gets to know of this client, such as 'partition-id=0 num-partitions=2'; "
        "goes before what the server assigns",
    )
    return parser


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return value


def _epsilon(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MAX_EPSILON:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, up to {MAX_EPSILON:g}")
    return value


def _address(text: str) -> str:
    try:
        return str(parse_address(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{error}. Use the server's name and its link port, for example 127.0.0.1:{DEFAULT_LINK_PORT}"
        ) from error
