"""`python -m mesh invite`: an invitation for one other node, and the check code once it has come."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from mesh.commands.command import Command, node_folder
from mesh.control import Json, Say, ask
from mesh.discovery.interfaces import is_loopback
from mesh.running import RunningNode
from mesh.trust.invitation import MAX_ADDRESSES, MeshInvitation
from mesh.trust.open_invitations import LIFETIME_S
from shared import qr
from shared.address import Address, parse_address
from shared.errors import FedLoomError


class PictureNotWritten(FedLoomError):
    """There is no room or no right for a picture; the invitation was made, and printed."""


class NobodyCame(FedLoomError):
    """An invitation has expired unused."""


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address",
        action="append",
        type=_address,
        default=[],
        metavar="HOST:PORT",
        help=f"where the other node reaches this one; up to {MAX_ADDRESSES} times (where it listens)",
    )
    parser.add_argument("--png", type=Path, metavar="FILE", help="save the QR code as a picture")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="save it as a drawing")
    parser.add_argument("--no-qr", action="store_true", help="do not draw it here")
    parser.add_argument(
        "--no-wait", action="store_true", help="do not wait for the other node; its check code is in the log"
    )


def _carry_out(arguments: argparse.Namespace) -> int:
    def hear(news: Json) -> None:
        _hand_out(news["invitation"], arguments)

    addresses = [str(address) for address in arguments.address]
    answer = ask(node_folder(arguments), "invite", hear, addresses=addresses, waits=not arguments.no_wait)
    if paired := answer["paired"]:
        print(f"{paired['name']} has come. Check code: {paired['code']}")
        print(f"If it shows another code, run `python -m mesh unpair {paired['name']}` at once.")
    return 0


async def _answer(node: RunningNode, request: Json, say: Say) -> Json:
    addresses = [parse_address(text) for text in request["addresses"]] or node.addresses[:MAX_ADDRESSES]
    invited = node.pairing.invite(addresses)
    say({"invitation": str(invited.invitation)})
    if not request["waits"]:
        return {"paired": None}
    try:
        async with asyncio.timeout(LIFETIME_S):
            paired = await asyncio.shield(invited.comes)
    except TimeoutError as error:
        raise NobodyCame("Nobody has come by the invitation, and it has expired.") from error
    return {"paired": {"name": paired.name, "key": str(paired.key), "code": paired.code}}


def _hand_out(text: str, arguments: argparse.Namespace) -> None:
    print(text, flush=True)
    if not arguments.no_qr:
        print(qr.for_terminal(text), flush=True)
    try:
        if arguments.png is not None:
            qr.save_png(text, arguments.png)
        if arguments.svg is not None:
            arguments.svg.write_text(qr.svg(text), encoding="utf-8")
    except OSError as error:
        raise PictureNotWritten(f"The picture cannot be written: {error}.") from error
    if all(is_loopback(address.host) for address in MeshInvitation.parse(text).addresses):
        print(
            "It is for nodes of this machine alone. For others, start the node without --mesh-host, or say "
            "with --address where they reach it.",
            file=sys.stderr,
        )
    if not arguments.no_wait:
        print(f"It is good for one node, for {LIFETIME_S / 60:.0f} minutes. Waiting for it…", flush=True)


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


COMMAND = Command("invite", "invite another node", _add_flags, _carry_out, _answer)
