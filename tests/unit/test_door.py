"""The door: whoever has shown to own a key comes in, joins, waits or is refused, and the log says so once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.enrolment.enrolment import Enrolment
from app.federation.link.door import ASKING, Door, Guest, Refused
from app.records import InvitationKind
from shared.errors import StoreUnavailable
from shared.security.keys import PublicKey
from shared.security.server_identity import ServerIdentity
from tests.support.audit import a_log
from tests.support.enrolment import InMemory, an_enrolment
from tests.support.records import a_hello

KEY, OTHER = PublicKey(b"a key"), PublicKey(b"another")


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> ServerIdentity:
    return ServerIdentity.load_or_make(tmp_path_factory.mktemp("server"))


@pytest.fixture
def enrolment(identity: ServerIdentity) -> Enrolment:
    return an_enrolment(identity)


@pytest.fixture
def door(identity: ServerIdentity, enrolment: Enrolment) -> Iterator[Door]:
    door = Door(identity, enrolment, a_log())
    yield door
    door.close()


def admit(door: Door, token: str = "", key: PublicKey = KEY, name: str = "client-1") -> None:
    asyncio.run(door.admit(Guest(a_hello(name), key), token, "192.0.2.1"))


def test_a_new_client_needs_an_invitation(door: Door, identity: ServerIdentity) -> None:
    for token in ("x" * 32, identity.token[:-1], identity.token + "x", "ü"):
        with pytest.raises(Refused, match="has not made this invitation") as caught:
            admit(door, token)
        assert caught.value.is_final

    admit(door, identity.token)
    admit(door)


def test_without_one_it_waits_and_that_is_said_once(
    door: Door, enrolment: Enrolment, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        with pytest.raises(Refused, match=r"approve 'client-1'") as caught:
            admit(door)
        assert (caught.value.is_final, caught.value.is_news) == (False, False)

    assert caplog.text.count(f"client-1 asks to join, with the key {KEY.id.short}") == 1
    enrolment.approve("client-1", str(KEY.id))
    admit(door)


def test_a_name_that_belongs_to_another_key_is_refused_with_an_invitation_as_well(
    door: Door, identity: ServerIdentity
) -> None:
    admit(door, identity.token)

    with pytest.raises(Refused, match="belongs to a client with another key") as caught:
        admit(door, identity.token, OTHER)
    assert OTHER.id.short in str(caught.value)
    assert KEY.id.short not in str(caught.value), "whose it is, is nobody's business"


def test_a_one_off_invitation_is_used_once_by_those_who_come_at_the_same_time(
    door: Door, enrolment: Enrolment
) -> None:
    _, token = enrolment.invite(InvitationKind.ONE_OFF, "", None, None)

    async def all_at_once() -> list[BaseException | None]:
        guests = [Guest(a_hello(f"client-{n}"), PublicKey(bytes([n]))) for n in range(20)]
        return await asyncio.gather(
            *(door.admit(guest, token, "192.0.2.1") for guest in guests), return_exceptions=True
        )

    given = asyncio.run(all_at_once())

    assert given.count(None) == 1
    assert sum(isinstance(each, Refused) for each in given) == 19
    assert len(enrolment.members()) == 1


class Full(InMemory):
    def join(self, member: object) -> None:
        raise StoreUnavailable("the disk is full")


def test_nobody_joins_while_that_cannot_be_kept_and_may_try_again(
    identity: ServerIdentity, caplog: pytest.LogCaptureFixture
) -> None:
    enrolment = Enrolment(Full(), identity.is_invited)
    door = Door(identity, enrolment, a_log())

    with pytest.raises(Refused, match="cannot keep at present") as caught, caplog.at_level(logging.ERROR):
        admit(door, identity.token)

    door.close()
    assert not caught.value.is_final
    assert "the disk is full" in caplog.text
    assert enrolment.members() == []


def test_whoever_was_revoked_while_it_came_in_does_not(
    door: Door, enrolment: Enrolment, identity: ServerIdentity, tmp_path: Path
) -> None:
    admit(door, identity.token)
    assert door.is_open_to(Guest(a_hello(), KEY))

    enrolment.revoke("client-1")

    assert not door.is_open_to(Guest(a_hello(), KEY))


def test_by_one_invitation_only_so_many_join_in_a_time(
    door: Door, enrolment: Enrolment, identity: ServerIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.federation.link.door.JOINS", (3, 1 / 3600))
    door = Door(identity, enrolment, a_log())
    _, token = enrolment.invite(InvitationKind.REUSABLE, "", None, None)
    for number in range(3):
        admit(door, token, PublicKey(bytes([number])), f"client-{number}")

    with pytest.raises(Refused, match="has to wait") as caught:
        admit(door, token, PublicKey(b"one more"), "one-more")

    assert (caught.value.is_final, caught.value.is_news) == (False, True)
    assert enrolment.owner("one-more") is None
    _, other = enrolment.invite(InvitationKind.REUSABLE, "", None, None)
    admit(door, other, PublicKey(b"one more"), "one-more")
    admit(door, "", PublicKey(bytes([0])), "client-0")
    door.close()


def test_a_flood_of_strangers_who_wait_does_not_fill_the_log(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(60):
        guest = Guest(a_hello(f"client-{number}"), PublicKey(b"key %d" % number))
        with pytest.raises(Refused):
            asyncio.run(door.admit(guest, "", f"192.0.2.{number}"))

    assert caplog.text.count("asks to join") == ASKING[0]
