"""`python -m mesh join`: come by an invitation of another node."""

from __future__ import annotations

import argparse
from pathlib import Path

from mesh.commands.command import Command, node_folder
from mesh.control import Json, Say, ask
from mesh.running import RunningNode
from mesh.trust.invitation import SCHEME, MeshInvitation
from shared import qr


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "invitation",
        metavar="INVITATION",
        help=f"{SCHEME}://…, or a picture (PNG, JPEG) of its QR code",
    )


def _carry_out(arguments: argparse.Namespace) -> int:
    given = arguments.invitation
    text = given if "://" in given else qr.read_picture(Path(given))
    invitation = MeshInvitation.parse(text)
    paired = ask(node_folder(arguments), "join", invitation=str(invitation))
    print(f"Paired with {paired['name']}. Check code: {paired['code']}")
    print(f"If it shows another code, run `python -m mesh unpair {paired['name']}` at once.")
    return 0


async def _answer(node: RunningNode, request: Json, _say: Say) -> Json:
    paired = await node.pairing.join(MeshInvitation.parse(request["invitation"]))
    return {"name": paired.name, "key": str(paired.key), "code": paired.code}


COMMAND = Command("join", "come by an invitation of another node", _add_flags, _carry_out, _answer)
