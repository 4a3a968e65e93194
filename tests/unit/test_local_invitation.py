"""The invitation for clients of the server's own user: found without a word, and by nobody else."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from client.membership import Membership
from client.settings import ClientSettings
from shared.address import Address
from shared.security.invitation import Invitation, InvitationInvalid
from shared.security.keys import KeyUnusable
from shared.security.server_identity import ServerIdentity, local_invitation


@pytest.fixture
def identity(tmp_path: Path) -> ServerIdentity:
    return ServerIdentity.load_or_make(tmp_path)


def settings(home: Path, **more: object) -> ClientSettings:
    known = {"client_id": "client-1", "dataset": "digits", "server": "127.0.0.1:6000", "data_dir": home}
    return ClientSettings(**{**known, "home": home, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("listens", "found"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "::1")]
)
def test_a_server_leaves_it_for_its_users_eyes_only(
    identity: ServerIdentity, tmp_path: Path, listens: str, found: str
) -> None:
    identity.invite(tmp_path, listens, 5050)

    there = local_invitation(tmp_path)
    assert there == Invitation(Address(found, 5050), identity.key.public.id, identity.token)
    assert stat.S_IMODE((tmp_path / "invitation").stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["invitation", "keys"]


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_one_that_others_could_have_written_is_refused(
    identity: ServerIdentity, tmp_path: Path, mode: int
) -> None:
    identity.invite(tmp_path, "127.0.0.1", 5050)
    (tmp_path / "invitation").chmod(mode)

    with pytest.raises(InvitationInvalid, match="may be written by other users"):
        local_invitation(tmp_path)


def test_servers_that_are_started_at_the_same_moment_make_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(ServerIdentity.load_or_make, [tmp_path] * 8))

    assert len({(each.key.public.id, each.token) for each in made}) == 1
    made[0].invite(tmp_path, "127.0.0.1", 5050)
    made[1].invite(tmp_path, "127.0.0.1", 5051)
    left = local_invitation(tmp_path)
    assert left is not None
    assert all(each.is_invited(left.token) for each in made)


def test_one_of_an_older_version_goes_on_to_hold(identity: ServerIdentity, tmp_path: Path) -> None:
    """Which kept the token in the invitation alone."""
    identity.invite(tmp_path, "127.0.0.1", 5050)
    (kept,) = (tmp_path / "keys").glob("local-token.*")
    kept.unlink()

    assert ServerIdentity.load_or_make(tmp_path).token == identity.token


@pytest.mark.parametrize(
    ("content", "mode", "words"), [(b"short\n", 0o600, "long enough"), (b"x" * 40, 0o644, "Delete it")]
)
def test_a_secret_that_is_none_is_refused(
    identity: ServerIdentity, tmp_path: Path, content: bytes, mode: int, words: str
) -> None:
    (kept,) = (tmp_path / "keys").glob("local-token.*")
    kept.write_bytes(content)
    kept.chmod(mode)

    with pytest.raises(KeyUnusable, match=words):
        ServerIdentity.load_or_make(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"fedloom://", b"something else"])
def test_one_that_is_damaged_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "invitation").write_bytes(content)

    with pytest.raises(InvitationInvalid):
        local_invitation(tmp_path)


def test_where_no_server_was_there_is_none(tmp_path: Path) -> None:
    assert local_invitation(tmp_path) is None
    assert Membership.of(settings(tmp_path)).invitation() is None


def test_a_client_beside_its_server_is_invited_at_the_address_that_it_was_given(
    identity: ServerIdentity, tmp_path: Path
) -> None:
    identity.invite(tmp_path, "127.0.0.1", 5050)

    invitation = Membership.of(settings(tmp_path)).invitation()

    assert invitation == Invitation(Address("127.0.0.1", 6000), identity.key.public.id, identity.token)


def test_an_invitation_that_was_given_goes_before(identity: ServerIdentity, tmp_path: Path) -> None:
    identity.invite(tmp_path, "127.0.0.1", 5050)
    given = Invitation(Address("example.org", 1), identity.key.public.id, "t" * 20)

    membership = Membership.of(settings(tmp_path, invite=given))

    assert membership.invitation() == given
    assert membership.address == given.address


def test_a_client_keeps_its_key_and_two_names_have_two(tmp_path: Path) -> None:
    first, again, other = (
        Membership.of(settings(tmp_path, client_id=name)).key.public.id for name in ("a", "a", "b")
    )

    assert first == again != other
