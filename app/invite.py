"""`python -m app.invite`: makes invitations to this folder's server, for clients on other machines."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from app import offline
from app.audit.decided import Decision
from app.enrolment.enrolment import NotKnown
from app.enrolment.issuing import DAY_S, InvitationWish, issue
from app.records import InvitationKind, InvitationState, IssuedInvitation
from app.running_server import RunningServer
from shared import paths, qr
from shared.command import ends_in_words, run
from shared.errors import FedLoomError, SettingsInvalid
from shared.run_spec import words_of
from shared.security.invitation import Invitation, InvitationInvalid
from shared.security.server_identity import local_invitation


class PictureNotWritten(FedLoomError):
    """There is no room or no right for a picture; the invitation was made, and printed."""


UNITS_S = {"m": 60, "h": 3600, "d": DAY_S}


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Do what is asked, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    if arguments.list:
        _list(arguments.store)
    elif arguments.revoke:
        _revoke(arguments.revoke, arguments.store)
    else:
        _invite(arguments)
    return 0


def _invite(arguments: argparse.Namespace) -> None:
    text = make(wish_from(arguments), arguments.store)
    print(text)
    if arguments.qr:
        print(qr.for_terminal(text))
    if arguments.picture is not None:
        try:
            qr.save_png(text, arguments.picture)
        except OSError as error:
            raise PictureNotWritten(f"The picture cannot be written: {error}.") from error
    if Invitation.parse(text).address.host in ("127.0.0.1", "localhost", "::1"):
        print(
            "This invitation is for this machine alone. For others, start the server with --host, and say "
            "here with --host by which name or address they reach it.",
            file=sys.stderr,
        )


def wish_from(arguments: argparse.Namespace) -> InvitationWish:
    """What the flags ask for. Raises SettingsInvalid."""
    fields = {
        "kind": arguments.kind,
        "label": arguments.label,
        "expires_s": arguments.expires,
        "max_uses": arguments.limit,
        "host": arguments.host,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    if arguments.expires == 0:
        given["expires_s"] = None
    try:
        return InvitationWish(**given)
    except ValidationError as error:
        raise SettingsInvalid("; ".join(words_of(each) for each in error.errors()) + ".") from error


def make(wish: InvitationWish, store_url: str | None) -> str:
    """A new invitation, by the server that runs or, if none does, in its store."""
    home = paths.home_dir()
    local = local_invitation(home)
    if local is None:
        raise InvitationInvalid(
            f"No server has been started in {home.absolute()} yet, so there is nobody to be "
            "invited to. Start one, or say where it keeps its files with FEDLOOM_HOME."
        )
    server = RunningServer.find(home)
    if server is not None:
        body = wish.model_dump(mode="json", exclude_unset=True)
        return str(server.post("/api/v1/invitations", body)["text"])
    with offline.deciding_in(home, store_url) as deciding:
        handed = issue(wish, deciding.enrolment, local.key, local.address)
        if handed.issued is not None:
            deciding.enter(Decision.invited(handed.issued))
        return handed.text


def _list(store_url: str | None) -> None:
    home = paths.home_dir()
    server = RunningServer.find(home)
    if server is not None:
        listed = server.get("/api/v1/invitations")["invitations"]
        invitations = [IssuedInvitation(**each["invitation"]) for each in listed]
    else:
        with offline.enrolment_in(home, store_url) as enrolment:
            invitations = enrolment.invitations()
    for invitation in invitations:
        print(_line(invitation))


def _line(invitation: IssuedInvitation) -> str:
    limit = "" if invitation.max_uses is None else f" of {invitation.max_uses}"
    state = invitation.state(datetime.now().timestamp())
    words = [invitation.id, f"{invitation.kind:<9}", f"{state:<7}", f"used {invitation.uses}{limit}"]
    if state is InvitationState.OPEN and invitation.expires_at is not None:
        words.append(f"until {datetime.fromtimestamp(invitation.expires_at):%Y-%m-%d %H:%M}")
    return "  ".join([*words, *([invitation.label] if invitation.label else [])])


def _revoke(invitation_id: str, store_url: str | None) -> None:
    if not (invitation_id.isascii() and invitation_id.isalnum()):
        raise NotKnown(f"There is no invitation {invitation_id!r}.")
    home = paths.home_dir()
    server = RunningServer.find(home)
    if server is not None:
        server.post(f"/api/v1/invitations/{invitation_id}/revoke")
    else:
        with offline.deciding_in(home, store_url) as deciding:
            revoked, is_news = deciding.enrolment.revoke_invitation(invitation_id)
            if is_news:
                deciding.enter(Decision.not_invited_any_more(revoked))
    print(f"The invitation {invitation_id} is revoked. Clients that have joined by it stay.")


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m app.invite",
        description="Make an invitation to the server that keeps its files here, and print it. Whoever has "
        "it can join: give it to the sites that you invite, and to nobody else. The server may be running or "
        "not.",
    )
    parser.add_argument(
        "--kind",
        choices=[*InvitationKind, "approval"],
        help="one-off (for one client; the default), reusable, ephemeral (reusable, for clients that are "
        "forgotten when they leave), or approval (without a secret: whoever comes by it waits to be "
        "approved)",
    )
    parser.add_argument("--expires", type=_duration, metavar="TIME", help="30m, 12h, 7d or never (7d)")
    parser.add_argument("--label", help="for whom it is")
    parser.add_argument("--limit", type=int, metavar="N", help="so many times may somebody join by it")
    parser.add_argument(
        "--host", help="the name or address at which clients reach this machine (where the server listens)"
    )
    parser.add_argument("--qr", action="store_true", help="draw it as QR code, too")
    parser.add_argument("--picture", type=Path, metavar="FILE.png", help="save the QR code as a picture")
    parser.add_argument("--list", action="store_true", help="list the invitations that were made")
    parser.add_argument("--revoke", metavar="ID", help="have nobody join by this invitation any more")
    add_store_flag(parser)
    return parser


def add_store_flag(parser: argparse.ArgumentParser) -> None:
    """Which store, if no server runs."""
    parser.add_argument(
        "--store",
        metavar="URL",
        help=f"the server's store, where no server runs ({offline.STORE_VARIABLE}, a file in FEDLOOM_HOME)",
    )


def _duration(text: str) -> int:
    """Seconds; 0: never."""
    if text == "never":
        return 0
    found = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if found is None or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time like 30m, 12h, 7d, nor never")
    return int(found[1]) * UNITS_S[found[2]]


if __name__ == "__main__":
    run(main)
