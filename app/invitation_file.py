"""The invitation that a server leaves in a file, for clients that come and go, such as containers.

It is made once. One that was revoked stays revoked: to have another, delete the file and start the server.
"""

from __future__ import annotations

import logging
from pathlib import Path

from app.enrolment.enrolment import Enrolment
from app.enrolment.issuing import InvitationWish, address_for_clients, issue
from app.records import InvitationKind, IssuedInvitation
from app.role_flags import InvitationFile
from shared.address import Address
from shared.errors import SettingsInvalid
from shared.security.files import write_whole
from shared.security.invitation import MAX_CHARACTERS, Invitation, InvitationInvalid
from shared.security.key_id import KeyId

LABEL = "clients of --invitation-file"

log = logging.getLogger(__name__)


def leave_in_file(
    standing: InvitationFile, enrolment: Enrolment, key: KeyId, place: Address
) -> IssuedInvitation | None:
    """Leave an invitation to the server with this key, whose link listens at `place`, unless the file holds
    one that this server has made, with the same address. Returns the new one; None: none was needed.

    Blocks for the database and the disk. Raises SettingsInvalid for a host that clients cannot use and for a
    file that cannot be read or written, and StoreUnavailable.
    """
    try:
        address = address_for_clients(standing.host, place)
    except SettingsInvalid as error:
        raise SettingsInvalid(f"--invitation-host: {error}") from error
    found = _read(standing.file)
    leads_here = found is not None and (found.address, found.key) == (address, key)
    if found is not None and leads_here and enrolment.is_issued(found.token):
        return None
    wish = InvitationWish(kind=InvitationKind.EPHEMERAL, label=LABEL, expires_s=None, host=address.host)
    handed = issue(wish, enrolment, key, place)
    try:
        write_whole(standing.file, f"{handed.text}\n".encode())
    except OSError as error:
        raise _unusable(standing.file, error) from error
    log.info("an invitation for clients that come and go is in %s", standing.file)
    return handed.issued


def _read(path: Path) -> Invitation | None:
    """None: there is none, or something else."""
    try:
        with path.open(encoding="utf-8") as file:
            return Invitation.parse(file.read(MAX_CHARACTERS + 1))
    except (FileNotFoundError, InvitationInvalid, UnicodeDecodeError):
        return None
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> SettingsInvalid:
    return SettingsInvalid(
        f"--invitation-file {path} cannot be used: {error.strerror or error}. Name a file in a folder that "
        "the server can write to."
    )
