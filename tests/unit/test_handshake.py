"""A client's hello is good for one connection to one server, and says whose it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.federation.link.door import Door, Refused
from shared.proto.link_pb2 import SignedHello
from shared.security.handshake import new_nonce, sign_hello, verify_hello
from shared.security.keys import BadSignature, KeyPair, KeyUnusable
from shared.security.server_identity import ServerIdentity
from tests.support.audit import a_log
from tests.support.enrolment import an_enrolment
from tests.support.records import a_hello

NONCE = bytes(range(32))


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> ServerIdentity:
    return ServerIdentity.load_or_make(tmp_path_factory.mktemp("server"))


@pytest.fixture
def door(identity: ServerIdentity) -> Door:
    return Door(identity, an_enrolment(identity), a_log())


def signed(key: KeyPair, identity: ServerIdentity, name: str = "client-1", token: str = "") -> SignedHello:
    return sign_hello(a_hello(name), key, identity.key.public.id, NONCE, token)


def test_whoever_signs_the_nonce_is_known_by_their_key(
    door: Door, identity: ServerIdentity, key: KeyPair
) -> None:
    guest = door.examine(signed(key, identity), NONCE)

    assert guest.key == key.public.id
    assert guest.hello == a_hello("client-1")


def test_a_hello_that_was_overheard_is_worth_nothing(
    door: Door, identity: ServerIdentity, key: KeyPair
) -> None:
    with pytest.raises(Refused, match="not signed as it must be") as caught:
        door.examine(signed(key, identity), new_nonce())
    assert caught.value.is_final


def test_a_hello_for_another_server_is_worth_nothing(door: Door, key: KeyPair, other: KeyPair) -> None:
    """A server that passes on what a client has signed for it."""
    elsewhere = sign_hello(a_hello(), key, other.public.id, NONCE, "")

    with pytest.raises(Refused):
        door.examine(elsewhere, NONCE)


def test_a_hello_with_somebody_elses_key_is_refused(
    identity: ServerIdentity, key: KeyPair, other: KeyPair
) -> None:
    stolen = signed(key, identity)
    stolen.public_key = other.public.der

    with pytest.raises(BadSignature):
        verify_hello(stolen, identity.key.public.id, NONCE)


@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_no_byte_of_what_was_said_can_be_changed(
    identity: ServerIdentity, key: KeyPair, place: int, change: int
) -> None:
    said = signed(key, identity)
    changed = bytearray(said.hello)
    changed[place % len(changed)] ^= change
    said.hello = bytes(changed)

    with pytest.raises(BadSignature):
        verify_hello(said, identity.key.public.id, NONCE)


@given(data=st.binary(max_size=400))
def test_whatever_comes_is_refused_or_signed(identity: ServerIdentity, data: bytes) -> None:
    for said in (SignedHello(hello=data), SignedHello(public_key=data), SignedHello(signature=data)):
        with pytest.raises((BadSignature, KeyUnusable)):
            verify_hello(said, identity.key.public.id, NONCE)


# the server's identity


def test_a_server_that_is_started_again_is_the_same_and_its_invitations_hold(tmp_path: Path) -> None:
    first = ServerIdentity.load_or_make(tmp_path)
    first.invite(tmp_path, "127.0.0.1", 5050)

    again = ServerIdentity.load_or_make(tmp_path)

    assert again.key.public.id == first.key.public.id
    assert again.token == first.token


def test_a_server_with_a_new_key_does_not_take_the_old_ones_invitations(tmp_path: Path) -> None:
    first = ServerIdentity.load_or_make(tmp_path)
    first.invite(tmp_path, "127.0.0.1", 5050)
    (tmp_path / "keys" / "server.pem").unlink()

    again = ServerIdentity.load_or_make(tmp_path)

    assert again.key.public.id != first.key.public.id
    assert again.token != first.token
