"""Enrolment with a real store: what is decided holds at once, after a restart, and against everybody."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.enrolment.answers import Answer
from app.enrolment.enrolment import Enrolment, EnrolmentRefused, Kept, NotKnown
from app.enrolment.guesses import MOST, WINDOW_S
from app.enrolment.waiting import FORGOTTEN_AFTER_S, MOST_OF_ADDRESS
from app.records import InvitationKind, InvitationState, MembershipState
from app.store.store import Store
from app.store.urls import default_url
from shared.errors import StoreUnavailable
from shared.security.key_id import KeyId
from tests.support.clock import Clock
from tests.support.enrolment import InMemory

KEY, OTHER, THIRD = (str(KeyId(bytes([number]) * 32)) for number in (1, 2, 3))
LOCAL = "local-token-0123456789"
HERE = "192.0.2.1"


@dataclass
class Server:
    """An enrolment that can be started again."""

    open_it: Callable[[], Kept]
    clock: Clock = field(default_factory=lambda: Clock(1000.0))

    def __post_init__(self) -> None:
        self.enrolment = self.restart()

    def restart(self) -> Enrolment:
        self.enrolment = Enrolment(self.open_it(), lambda token: token == LOCAL, self.clock)
        return self.enrolment

    def token(self, kind: InvitationKind = InvitationKind.ONE_OFF, **wish: Any) -> str:
        wish = {"label": "", "expires_at": None, "max_uses": None, **wish}
        return self.enrolment.invite(kind, **wish)[1]

    def ask(self, name: str, key: str, token: str = "", address: str = HERE) -> Answer:
        return self.enrolment.ask(name, key, token, address)

    def state(self, name: str) -> str | None:
        standing = self.enrolment.standing(name)
        return None if standing is None else standing.membership.value


@pytest.fixture(params=["in memory", "SQLite"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """With what tests use elsewhere, and with what a server uses: both are to do the same."""
    if request.param == "in memory":
        kept = InMemory()
        yield Server(lambda: kept)
        return
    opened: list[Store] = []

    def open_it() -> Kept:
        for store in opened:
            store.close()
        opened.append(Store.open(default_url(tmp_path)))
        return opened[-1].enrolment

    yield Server(open_it)
    opened[-1].close()


# invitations


def test_a_one_off_invitation_lets_one_client_in_and_it_needs_it_once(server: Server) -> None:
    token = server.token()

    assert server.ask("a", KEY, token) is Answer.JOIN
    assert server.enrolment.join("a", KEY, token) is Answer.ENTER
    assert server.ask("a", KEY) is Answer.ENTER
    assert server.ask("b", OTHER, token) is Answer.TOKEN_USED_UP
    assert server.enrolment.join("b", OTHER, token) is Answer.TOKEN_USED_UP
    server.restart()
    assert server.ask("a", KEY) is Answer.ENTER
    assert server.ask("b", OTHER, token) is Answer.TOKEN_USED_UP


def test_a_one_off_invitation_that_many_use_at_once_lets_one_in(server: Server) -> None:
    token = server.token()
    keys = [str(KeyId(bytes([number]) * 32)) for number in range(100, 116)]
    start = threading.Barrier(len(keys))

    def join(number: int) -> Answer:
        start.wait()
        return server.enrolment.join(f"client-{number}", keys[number], token)

    with ThreadPoolExecutor(len(keys)) as threads:
        given = list(threads.map(join, range(len(keys))))

    assert given.count(Answer.ENTER) == 1
    assert given.count(Answer.TOKEN_USED_UP) == len(keys) - 1
    assert len(server.enrolment.members()) == 1


def test_a_reusable_invitation_lets_as_many_in_as_it_says(server: Server) -> None:
    token = server.token(InvitationKind.REUSABLE, max_uses=2)

    assert server.enrolment.join("a", KEY, token) is Answer.ENTER
    server.restart()
    assert server.enrolment.join("b", OTHER, token) is Answer.ENTER
    assert server.enrolment.join("c", THIRD, token) is Answer.TOKEN_USED_UP
    (invitation,) = server.enrolment.invitations()
    assert (invitation.uses, invitation.state(0.0)) == (2, InvitationState.USED_UP)


def test_an_invitation_expires(server: Server) -> None:
    token = server.token(InvitationKind.REUSABLE, expires_at=server.clock.now + 60)
    assert server.ask("a", KEY, token) is Answer.JOIN

    server.clock.now += 60

    assert server.ask("a", KEY, token) is Answer.TOKEN_EXPIRED
    assert server.enrolment.join("a", KEY, token) is Answer.TOKEN_EXPIRED
    assert server.enrolment.members() == []


def test_an_invitation_that_is_revoked_lets_nobody_in_and_sends_nobody_away(server: Server) -> None:
    token = server.token(InvitationKind.REUSABLE)
    server.enrolment.join("a", KEY, token)
    (invitation,) = server.enrolment.invitations()

    server.enrolment.revoke_invitation(invitation.id)

    for _ in range(2):
        assert server.ask("b", OTHER, token) is Answer.TOKEN_REVOKED
        assert server.enrolment.join("b", OTHER, token) is Answer.TOKEN_REVOKED
        assert server.ask("a", KEY) is Answer.ENTER
        server.restart()


def test_of_a_token_a_hash_is_kept(tmp_path: Path) -> None:
    with Store.open(default_url(tmp_path)) as store:
        enrolment = Enrolment(store.enrolment, lambda token: False)
        _, token = enrolment.invite(InvitationKind.ONE_OFF, "St. Mary's", None, None)

    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"St. Mary's" in kept
    assert token.encode() not in kept


def test_the_local_invitation_lets_in_whoever_has_it(server: Server) -> None:
    assert server.enrolment.join("a", KEY, LOCAL) is Answer.ENTER
    assert server.enrolment.join("b", OTHER, LOCAL) is Answer.ENTER


def test_whoever_guesses_is_not_listened_to_for_a_while_and_others_are(server: Server) -> None:
    token = server.token(InvitationKind.REUSABLE)
    for number in range(MOST):
        assert server.ask("a", KEY, f"guess-{number:032}") is Answer.TOKEN_WRONG

    assert server.ask("a", KEY, token) is Answer.TOO_MANY_TRIES
    assert server.ask("a", KEY, LOCAL) is Answer.JOIN
    assert server.ask("a", KEY, token, "192.0.2.2") is Answer.JOIN
    assert server.enrolment.refused() == {"token-wrong": MOST, "too-many-tries": 1}
    server.clock.now += WINDOW_S
    assert server.ask("a", KEY, token) is Answer.JOIN


# approval


def test_who_has_no_invitation_waits_and_is_approved(server: Server) -> None:
    assert server.ask("a", KEY) is Answer.WAIT
    assert server.state("a") == "pending"

    server.enrolment.approve("a", KEY)

    assert server.ask("a", KEY) is Answer.ENTER
    server.restart()
    assert (server.ask("a", KEY), server.state("a")) == (Answer.ENTER, "admitted")


def test_a_key_that_is_rejected_stays_away_and_takes_the_name_from_nobody(server: Server) -> None:
    server.ask("a", KEY)

    server.enrolment.reject("a", KEY)
    server.restart()

    assert server.ask("a", KEY, server.token()) is Answer.REJECTED
    assert server.ask("a", OTHER) is Answer.WAIT
    server.enrolment.approve("a", OTHER)
    assert server.ask("a", OTHER) is Answer.ENTER
    assert server.ask("a", KEY) is Answer.REJECTED


def test_a_decision_is_on_the_key_that_was_looked_at(server: Server) -> None:
    server.ask("a", KEY)
    server.ask("a", OTHER)
    standing = server.enrolment.standing("a")
    assert standing is not None
    assert (standing.key, standing.waiting_keys) == (KEY, (OTHER,))

    server.enrolment.approve("a", OTHER)

    assert server.ask("a", OTHER) is Answer.ENTER
    assert server.ask("a", KEY) is Answer.OTHER_KEY
    with pytest.raises(EnrolmentRefused, match="belongs to another key"):
        server.enrolment.approve("a", KEY)
    with pytest.raises(EnrolmentRefused, match="asks to join just now"):
        server.enrolment.approve("a", THIRD)


def test_who_does_not_wait_any_more_cannot_be_approved(server: Server) -> None:
    server.ask("a", KEY)
    server.clock.now += FORGOTTEN_AFTER_S + 1

    assert server.enrolment.expire() == {"a"}

    assert server.state("a") is None
    with pytest.raises(EnrolmentRefused, match="may have given up"):
        server.enrolment.approve("a", KEY)


def test_a_flood_of_those_who_wait_does_not_fill_the_list(server: Server) -> None:
    given = [server.ask(f"x{number}", str(KeyId(number.to_bytes(32)))) for number in range(500)]

    assert given.count(Answer.WAIT) == MOST_OF_ADDRESS
    assert given.count(Answer.CROWDED) == 500 - MOST_OF_ADDRESS
    assert server.ask("honest", KEY, address="192.0.2.9") is Answer.WAIT
    assert server.enrolment.members() == []


# revocation


def test_a_key_that_is_revoked_is_not_let_in_until_it_is_re_admitted(server: Server) -> None:
    server.enrolment.join("a", KEY, server.token())

    server.enrolment.revoke("a")

    assert not server.enrolment.is_admitted("a", KEY)
    server.restart()
    assert server.ask("a", KEY, server.token()) is Answer.REVOKED
    assert server.ask("a", OTHER, server.token()) is Answer.OTHER_KEY, "nobody takes its name meanwhile"
    server.enrolment.readmit("a")
    assert server.ask("a", KEY) is Answer.ENTER


def test_a_client_that_lost_its_key_is_re_admitted_with_the_new_one(server: Server) -> None:
    server.enrolment.join("a", KEY, server.token())
    assert server.ask("a", OTHER) is Answer.OTHER_KEY
    standing = server.enrolment.standing("a")
    assert standing is not None
    assert (standing.membership, standing.waiting_keys) == (MembershipState.ADMITTED, (OTHER,))

    server.enrolment.readmit("a", OTHER)

    for _ in range(2):
        assert server.ask("a", OTHER) is Answer.ENTER
        assert server.ask("a", KEY) is Answer.REVOKED
        assert server.state("a") == "admitted"
        server.restart()


def test_nobody_is_re_admitted_with_a_key_that_never_asked(server: Server) -> None:
    server.enrolment.join("a", KEY, server.token())

    with pytest.raises(EnrolmentRefused, match="asks to join just now"):
        server.enrolment.readmit("a", OTHER)
    with pytest.raises(EnrolmentRefused, match="name the new one"):
        server.enrolment.readmit("a")


def test_who_is_not_there_cannot_be_sent_away(server: Server) -> None:
    server.ask("waits", KEY)

    for name in ("nobody", "waits"):
        with pytest.raises(NotKnown):
            server.enrolment.revoke(name)
    with pytest.raises(NotKnown):
        server.enrolment.readmit("nobody")
    with pytest.raises(NotKnown):
        server.enrolment.revoke_invitation("00000000")


def test_a_members_key_is_not_good_for_a_second_name(server: Server) -> None:
    server.enrolment.join("a", KEY, server.token())

    assert server.ask("b", KEY, server.token()) is Answer.OTHER_NAME


# ephemeral clients


def test_an_ephemeral_client_is_forgotten_when_it_leaves_and_comes_again_by_its_invitation(
    server: Server,
) -> None:
    token = server.token(InvitationKind.EPHEMERAL)
    server.enrolment.join("a", KEY, token)
    standing = server.enrolment.standing("a")
    assert standing is not None
    assert standing.ephemeral

    assert server.enrolment.leave("a", KEY)

    server.restart()
    assert server.enrolment.members() == []
    assert server.ask("a", OTHER, token) is Answer.JOIN, "its name is free"


def test_others_are_not_forgotten_and_a_revoked_one_neither(server: Server) -> None:
    server.enrolment.join("a", KEY, server.token())
    server.enrolment.join("b", OTHER, server.token(InvitationKind.EPHEMERAL))
    server.enrolment.revoke("b")

    assert not server.enrolment.leave("a", KEY)
    assert not server.enrolment.leave("b", OTHER)
    assert server.ask("b", OTHER) is Answer.REVOKED


# when nothing can be kept


class Failing(InMemory):
    """A database that keeps a member and then says that it could not, as one does whose line is cut."""

    fails = False

    def join(self, member: Any) -> None:
        super().join(member)
        if self.fails:
            raise StoreUnavailable("cut")

    def put(self, *members: Any) -> None:
        if self.fails:
            raise StoreUnavailable("full")
        super().put(*members)


def test_what_was_kept_although_it_seemed_not_is_true_at_the_next_try() -> None:
    kept = Failing()
    server = Server(lambda: kept)
    token = server.token()
    kept.fails = True
    with pytest.raises(StoreUnavailable):
        server.enrolment.join("a", KEY, token)
    assert server.ask("a", KEY, token) is Answer.JOIN, "nobody is let in of whom that is not certain"

    kept.fails = False

    assert server.enrolment.join("a", KEY, token) is Answer.ENTER
    assert server.enrolment.join("b", OTHER, token) is Answer.TOKEN_USED_UP


def test_what_cannot_be_kept_is_not_decided() -> None:
    kept = Failing()
    server = Server(lambda: kept)
    server.enrolment.join("a", KEY, server.token())
    kept.fails = True

    with pytest.raises(StoreUnavailable):
        server.enrolment.revoke("a")

    assert server.enrolment.is_admitted("a", KEY)


def test_records_that_cannot_be_read_let_nobody_in(tmp_path: Path) -> None:
    url = default_url(tmp_path)
    with Store.open(url) as store:
        enrolment = Enrolment(store.enrolment, lambda token: False)
        _, token = enrolment.invite(InvitationKind.REUSABLE, "", None, None)
        enrolment.join("a", KEY, token)
    with sqlite3.connect(tmp_path / "fedloom.db") as connection:
        connection.execute("UPDATE members SET state = 'superuser'")
        connection.execute("UPDATE invitations SET max_uses = 'many'")
    connection.close()

    with Store.open(url) as store:
        enrolment = Enrolment(store.enrolment, lambda token: False)
        assert enrolment.ask("a", KEY, token, HERE) is Answer.REVOKED
        assert enrolment.ask("b", OTHER, token, HERE) is Answer.TOKEN_REVOKED
