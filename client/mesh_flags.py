"""The flags of `run_client.py` about the mesh."""

from __future__ import annotations

import argparse
from pathlib import Path

from client.settings import MESH_AFTER_S, MeshOptions
from client.site.policy import MAX_CLIPPING_RADIUS
from mesh.trust.invitation import MeshInvitation
from shared.address import Address, parse_address
from shared.security.invitation import InvitationInvalid

MESH_FLAGS = (
    "mesh_port",
    "mesh_after",
    "mesh_join",
    "mesh_interface",
    "mesh_dir",
    "mesh_clipping_radius",
    "page",
)
ABOUT_A_SERVER = (
    "server",
    "invite",
    "invite_file",
    "invite_qr",
    "private_labels",
    "mesh_after",
    "mesh_dir",
)
"""What a client that has none has no use for."""
MAX_MESH_AFTER_S = 86_400.0


def mesh_options(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> MeshOptions | None:
    """What they ask for; ends the process with a message when one is wrong. None: no mesh."""
    given = {name: value for name in MESH_FLAGS if (value := getattr(arguments, name)) is not None}
    if not arguments.enable_mesh and not arguments.mesh_only:
        if given:
            parser.error(f"{flag_of(next(iter(given)))} needs --enable-mesh or --mesh-only")
        return None
    if arguments.mesh_only:
        for name in ABOUT_A_SERVER:
            if getattr(arguments, name) is not None:
                parser.error(f"{flag_of(name)} is about a server, and with --mesh-only the client has none")
    return MeshOptions(
        port=given.get("mesh_port", 0),
        after_s=given.get("mesh_after", MESH_AFTER_S),
        join=tuple(given.get("mesh_join", ())),
        interfaces=tuple(given.get("mesh_interface", ())),
        page=given.get("page"),
        only=bool(arguments.mesh_only),
        folder=None if (folder := given.get("mesh_dir")) is None else folder.absolute(),
    )


def flag_of(name: str) -> str:
    """A flag as it is typed, by its name among the arguments."""
    return f"--{name.replace('_', '-')}"


def add_mesh_flags(parser: argparse.ArgumentParser) -> None:
    """One that was not given is None."""
    mesh = parser.add_argument_group("the mesh (docs/mesh-offline.md, docs/mesh-learning.md)")
    mesh.add_argument(
        "--enable-mesh",
        action="store_const",
        const=True,
        help="connect to the other clients that do, and learn on with them while the server is away",
    )
    mesh.add_argument(
        "--mesh-only",
        action="store_const",
        const=True,
        help="need no server: take part in the runs that members of the mesh propose (`python -m mesh run`)",
    )
    mesh.add_argument(
        "--mesh-port",
        type=_port,
        help="where to listen for them (any port that is free; with --mesh-only, 5060)",
    )
    mesh.add_argument(
        "--mesh-after",
        type=_seconds,
        metavar="SECONDS",
        help=f"for how long the server has to be away ({MESH_AFTER_S:g})",
    )
    mesh.add_argument(
        "--mesh-join",
        action="append",
        type=_meeting_point,
        metavar="HOST:PORT | fedmesh://…",
        help="where another client is, or its invitation; needed only where neither the server nor the "
        "network tells",
    )
    mesh.add_argument(
        "--mesh-interface",
        action="append",
        metavar="NAME",
        help="the network interface, or its address, to listen on (that of the way to the server; with "
        "--mesh-only, all)",
    )
    mesh.add_argument(
        "--mesh-dir",
        type=Path,
        metavar="DIR",
        help="keep the newest global models of the server in this folder, alike with the other clients that "
        "do, to learn on from them without the server also after a restart",
    )
    mesh.add_argument(
        "--mesh-clipping-radius",
        type=_radius,
        metavar="RATIO",
        help="how far a peer's model may be from one's own, in parts of its norm, to be averaged as it is; a "
        "farther one is moved to that distance (no limit, or that of the policy; of the two the smaller)",
    )
    mesh.add_argument(
        "--page",
        nargs="?",
        const=0,
        type=_port,
        metavar="PORT",
        help="serve a page of this client's own on this machine, also while the server is away: peers, mesh "
        "rounds and curves (any port that is free)",
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MAX_MESH_AFTER_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {MAX_MESH_AFTER_S:g}")
    return value


def _radius(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MAX_CLIPPING_RADIUS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, up to {MAX_CLIPPING_RADIUS:g}")
    return value


def _meeting_point(text: str) -> Address | MeshInvitation:
    try:
        return MeshInvitation.parse(text) if "://" in text else parse_address(text)
    except (ValueError, InvitationInvalid) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if not 0 < value < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return value
