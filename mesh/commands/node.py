"""`python -m mesh node`: be a node, until the process is ended."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from mesh.commands.command import Command, node_folder
from mesh.running import NodeSettings, RunningNode, running_node
from mesh.trust.invitation import SCHEME, MeshInvitation
from shared import paths
from shared.address import Address, parse_address
from shared.console import configure_logging
from shared.errors import FedLoomError
from shared.interrupt import cancel_on_signals

DEFAULT_PORT = 5060

Attending = Callable[[RunningNode], AbstractAsyncContextManager[object]]

log = logging.getLogger(__name__)


def command(attending: Attending) -> Command:
    """The command. `attending`: what answers the other commands, as long as the node runs."""

    def carry_out(arguments: argparse.Namespace) -> int:
        settings = settings_from(arguments)
        configure_logging(settings.name)
        asyncio.run(_until_ended(settings, attending))
        return 0

    return Command("node", "run a node by itself, until it is ended", add_flags, carry_out)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """How a node is started."""
    parser.add_argument(
        "--mesh-port",
        type=_port,
        default=DEFAULT_PORT,
        metavar="PORT",
        help=f"where it listens; 0: any port that is free ({DEFAULT_PORT})",
    )
    parser.add_argument(
        "--mesh-host",
        default="0.0.0.0",
        metavar="ADDRESS",
        help="on which address; 127.0.0.1: for this machine alone (all)",
    )
    parser.add_argument(
        "--mesh-join",
        action="append",
        type=join_text,
        default=[],
        metavar="HOST:PORT",
        help=f"where a member is, or an invitation, {SCHEME}://…, to come by; may be given several times",
    )
    parser.add_argument(
        "--mesh-interface",
        action="append",
        default=[],
        metavar="NAME",
        help="on which interface members on the same network are looked for, by its name or IPv4 address; "
        "may be given several times (that of the default route)",
    )


def settings_from(arguments: argparse.Namespace) -> NodeSettings:
    """What the flags ask for. Raises SettingsInvalid."""
    return NodeSettings(
        name=node_folder(arguments).name,
        home=paths.home_dir(),
        host=arguments.mesh_host,
        port=arguments.mesh_port,
        join=tuple(arguments.mesh_join),
        interfaces=tuple(arguments.mesh_interface),
    )


def join_text(text: str) -> Address | MeshInvitation:
    """What stands after --mesh-join."""
    try:
        if "://" in text:
            return MeshInvitation.parse(text)
        return parse_address(text)
    except (ValueError, FedLoomError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


async def _until_ended(settings: NodeSettings, attending: Attending) -> None:
    this = asyncio.current_task()
    assert this is not None
    async with running_node(settings) as node, attending(node):
        cancel_on_signals(this)
        say_ready(node)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            log.info("ends")


def say_ready(node: RunningNode) -> None:
    """Where it is, and with how many."""
    members = len(node.members.all())
    log.info(
        "is a node of the mesh at %s, key %s…, with %d member%s",
        " and ".join(map(str, node.addresses)),
        node.network.me.short,
        members,
        "" if members == 1 else "s",
    )


def _port(text: str) -> int:
    value = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= value < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")
    return value
