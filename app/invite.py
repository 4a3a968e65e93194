"""`python -m app.invite`: prints an invitation to this folder's server, for clients on other machines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from shared import paths
from shared.address import Address
from shared.errors import FedLoomError
from shared.security.invitation import Invitation, InvitationInvalid
from shared.security.server_identity import local_invitation


def main(argv: Sequence[str] | None = None) -> int:
    """Print it, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    try:
        print(invitation(arguments.host))
    except FedLoomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def invitation(host: str | None) -> Invitation:
    """An invitation to the server at this host, or on this machine. Raises InvitationInvalid."""
    local = local_invitation(paths.home_dir())
    if local is None:
        raise InvitationInvalid(
            f"No server has been started in {paths.home_dir().absolute()} yet, so there is nobody to be "
            "invited to. Start one, or say where it keeps its files with FEDLOOM_HOME."
        )
    return local if host is None else replace(local, address=Address(host, local.address.port))


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m app.invite",
        description="Print an invitation to the server that keeps its files here. Whoever has it can join: "
        "give it to the sites that you invite, and to nobody else.",
    )
    parser.add_argument(
        "--host", help="the name or address at which clients reach this machine (that of this machine alone)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
