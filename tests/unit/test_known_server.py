"""A client remembers the server that it has joined, and follows it when its key changes."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.known_server import KnownServer, MemoryUnusable
from client.membership import Membership
from client.settings import ClientSettings
from shared.address import Address
from shared.security.invitation import Invitation
from shared.security.key_id import KeyId
from shared.security.server_identity import ServerIdentity

OLD, NEW, NEWER = (KeyId(bytes([number]) * 32) for number in (1, 2, 3))
THERE = Address("hospital.example.org", 5050)
TOKEN = "t" * 32
KEYS = st.binary(min_size=32, max_size=32).map(KeyId)


def member(home: Path, invite: Invitation | None = None, server: str | None = None) -> Membership:
    return Membership.of(
        ClientSettings("client-1", "digits", server, data_dir=home, home=home, invite=invite)
    )


def memory(home: Path) -> Path:
    return home / "servers" / "client-1.json"


@given(
    key=KEYS,
    following=st.none() | KEYS,
    formerly=st.lists(KEYS, max_size=3),
    token=st.just("") | st.just(TOKEN),
)
def test_what_is_remembered_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
    key: KeyId,
    following: KeyId | None,
    formerly: list[KeyId],
    token: str,
) -> None:
    path = tmp_path_factory.mktemp("memory") / "servers" / "a.json"
    server = KnownServer(THERE, key, following, tuple(formerly), token)

    server.save(path)

    assert KnownServer.load(path) == server
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
def test_what_is_damaged_is_said(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("memory") / "a.json"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(MemoryUnusable, match="Move it away"):
        KnownServer.load(path)


def test_what_others_could_have_written_is_not_believed(tmp_path: Path) -> None:
    KnownServer(THERE, OLD).save(tmp_path / "a.json")
    (tmp_path / "a.json").chmod(0o622)

    with pytest.raises(MemoryUnusable, match="other users"):
        KnownServer.load(tmp_path / "a.json")


def test_after_it_has_joined_a_client_needs_no_invitation_and_no_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    invitation = Invitation(THERE, OLD, TOKEN)
    member(tmp_path, invitation).joined(invitation, OLD, ephemeral=False)

    with caplog.at_level(logging.INFO):
        again = member(tmp_path)

    assert again.address == THERE
    assert again.invitation() == Invitation(THERE, OLD), "the secret is not kept"
    assert TOKEN not in memory(tmp_path).read_text()
    assert "goes to hospital.example.org:5050" in caplog.text


def test_one_that_the_server_forgets_keeps_the_secret(tmp_path: Path) -> None:
    invitation = Invitation(THERE, OLD, TOKEN)
    member(tmp_path, invitation).joined(invitation, OLD, ephemeral=True)

    assert member(tmp_path).invitation() == invitation


def test_beside_a_server_of_the_same_user_nothing_is_remembered(tmp_path: Path) -> None:
    identity = ServerIdentity.load_or_make(tmp_path)
    identity.invite(tmp_path, "127.0.0.1", 5050)
    local = member(tmp_path)
    invitation = local.invitation()
    assert invitation is not None

    local.joined(invitation, identity.key.public.id, ephemeral=False)
    local.heard_of(NEW)

    assert not memory(tmp_path).exists()
    assert local.pins(invitation) == (identity.key.public.id,)


def test_a_server_of_the_same_user_at_the_same_address_goes_before_what_is_remembered(tmp_path: Path) -> None:
    there = Address("127.0.0.1", 5050)
    invitation = Invitation(there, OLD, TOKEN)
    member(tmp_path, invitation).joined(invitation, OLD, ephemeral=False)
    identity = ServerIdentity.load_or_make(tmp_path)
    identity.invite(tmp_path, "127.0.0.1", 5050)

    assert member(tmp_path).invitation() == Invitation(there, identity.key.public.id, identity.token)


def test_another_address_is_another_server(tmp_path: Path) -> None:
    invitation = Invitation(THERE, OLD, TOKEN)
    member(tmp_path, invitation).joined(invitation, OLD, ephemeral=False)

    assert member(tmp_path, server="127.0.0.1:9").invitation() is None


def test_a_client_that_has_heard_of_the_next_key_takes_either_and_then_the_new_one_only(
    tmp_path: Path,
) -> None:
    invitation = Invitation(THERE, OLD, TOKEN)
    joined = member(tmp_path, invitation)
    joined.joined(invitation, OLD, ephemeral=False)
    joined.heard_of(NEW)

    assert joined.pins(invitation) == (OLD, NEW)
    again = member(tmp_path)
    known = again.invitation()
    assert known is not None
    assert again.pins(known) == (OLD, NEW)
    again.joined(known, NEW, ephemeral=False)
    assert again.pins(known) == (NEW,), "whoever has the old key is not the server any more"
    assert member(tmp_path, invitation).pins(invitation) == (NEW,), "with the invitation of before as well"


def test_keys_can_change_more_than_once(tmp_path: Path) -> None:
    invitation = Invitation(THERE, OLD, TOKEN)
    joined = member(tmp_path, invitation)
    for key, following in ((OLD, NEW), (NEW, NEWER)):
        joined.joined(invitation, key, ephemeral=False)
        joined.heard_of(following)

    assert joined.pins(invitation) == (NEW, NEWER)


def test_an_invitation_to_another_server_is_not_mixed_up_with_the_one_of_before(tmp_path: Path) -> None:
    first, second = Invitation(THERE, OLD, TOKEN), Invitation(Address("other.example", 1), NEWER, TOKEN)
    joined = member(tmp_path, first)
    joined.joined(first, OLD, ephemeral=False)
    joined.heard_of(NEW)

    other = member(tmp_path, second)

    assert other.pins(second) == (NEWER,)
    other.joined(second, NEWER, ephemeral=False)
    assert KnownServer.load(memory(tmp_path)) == KnownServer(second.address, NEWER)
