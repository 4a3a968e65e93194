"""The invitation that a server leaves in a file: made once, and anew only where the old one leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.enrolment.answers import Answer
from app.enrolment.enrolment import Enrolment
from app.invitation_file import leave_in_file
from app.records import InvitationKind, InvitationState, IssuedInvitation
from app.role_flags import InvitationFile
from app.settings import parse
from shared.address import Address
from shared.errors import SettingsInvalid
from shared.security.invitation import Invitation
from shared.security.key_id import KeyId
from tests.support.enrolment import InMemory

KEY, OTHER = KeyId(bytes([1]) * 32), KeyId(bytes([2]) * 32)
EVERYWHERE = Address("0.0.0.0", 5050)


def enrolment() -> Enrolment:
    return Enrolment(InMemory(), lambda token: False)


def test_whoever_reads_it_may_join_any_number_of_times_and_is_forgotten_afterwards(tmp_path: Path) -> None:
    server = enrolment()

    issued = leave(tmp_path, server)

    assert issued is not None
    assert (issued.kind, issued.max_uses, issued.expires_at) == (InvitationKind.EPHEMERAL, None, None)
    invitation = read(tmp_path)
    assert (invitation.address, invitation.key) == (Address("server", 5050), KEY)
    assert (tmp_path / "invitation").stat().st_mode & 0o077 == 0
    for name, key in (("client-1", "a"), ("client-2", "b")):
        assert server.join(name, key, invitation.token) is Answer.ENTER
        assert server.leave(name, key)


def test_one_that_leads_to_this_server_stays(tmp_path: Path) -> None:
    server = enrolment()
    leave(tmp_path, server)
    before = read(tmp_path)

    assert leave(tmp_path, server) is None
    assert read(tmp_path) == before


def test_one_that_was_revoked_stays_revoked(tmp_path: Path) -> None:
    server = enrolment()
    issued = leave(tmp_path, server)
    assert issued is not None
    server.revoke_invitation(issued.id)

    assert leave(tmp_path, server) is None
    assert [each.state(0) for each in server.invitations()] == [InvitationState.REVOKED]


def test_one_that_leads_elsewhere_gives_way(tmp_path: Path) -> None:
    server = enrolment()
    leave(tmp_path, server)
    before = read(tmp_path)

    assert leave(tmp_path, server, key=OTHER) is not None
    assert leave(tmp_path, server, host="other") is not None
    assert read(tmp_path).address == Address("other", 5050)
    assert leave(tmp_path, enrolment(), host="other") is not None  # a server whose database is another
    assert read(tmp_path).token != before.token


def test_what_is_no_invitation_gives_way(tmp_path: Path) -> None:
    (tmp_path / "invitation").write_bytes(b"\xff")

    assert leave(tmp_path, enrolment()) is not None
    assert read(tmp_path).key == KEY


def test_a_host_that_nobody_can_connect_to_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"--invitation-host: .*by which name or address"):
        leave(tmp_path, enrolment(), host=None)
    with pytest.raises(SettingsInvalid, match="--invitation-host: nobody can connect to"):
        leave(tmp_path, enrolment(), host="0.0.0.0")


def test_a_file_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "invitation").mkdir()

    with pytest.raises(SettingsInvalid, match=r"--invitation-file .*: Is a directory\. Name a file"):
        leave(tmp_path, enrolment())


def test_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    given = parse(["--invitation-file", "there", "--invitation-host", "server"]).deployment.invitation

    assert given == InvitationFile(Path("there"), "server")
    assert parse([]).deployment.invitation is None
    for flags, words in (
        (("--invitation-host", "server"), "belongs to --invitation-file"),
        (
            ("--role", "dashboard", "--federation", "http://server:5000", "--invitation-file", "there"),
            "--invitation-file is for --role all and federation only",
        ),
    ):
        with pytest.raises(SystemExit):
            parse([*flags])
        assert words in capsys.readouterr().err


def leave(
    folder: Path, server: Enrolment, *, key: KeyId = KEY, host: str | None = "server"
) -> IssuedInvitation | None:
    return leave_in_file(InvitationFile(folder / "invitation", host), server, key, EVERYWHERE)


def read(folder: Path) -> Invitation:
    return Invitation.parse((folder / "invitation").read_text())
