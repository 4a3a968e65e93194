"""Who holds what, now and after a restart: users, sessions and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.auth.accounts import (
    HOUR_S,
    SESSION_IDLE_S,
    SESSION_LONGEST_S,
    AccountConflict,
    Accounts,
    Issued,
    NoSuchAccount,
)
from app.auth.identity import By
from app.auth.roles import Role
from app.auth.secret import user_name
from app.store.store import Store
from app.store.urls import default_url
from shared.errors import SettingsInvalid

KEY = "the server's key for the page"


class World:
    """A store with a clock; it can be opened again, as after a restart."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = 1_000_000.0
        self.store = Store.open(url)

    def open(self, key: str = KEY) -> Accounts:
        self.store.close()
        self.store = Store.open(self.url)
        return Accounts(self.store.accounts, key, lambda: self.now)


@pytest.fixture
def world(store_url: str) -> Iterator[World]:
    world = World(store_url)
    yield world
    world.store.close()


@pytest.fixture
def accounts(world: World) -> Accounts:
    """With an administrator, root, and alice, who is a viewer."""
    accounts = world.open()
    accounts.add_user("root", Role.ADMIN, "hash")
    accounts.add_user("alice", Role.VIEWER, "hash")
    return accounts


def log_in(accounts: Accounts, name: str = "alice") -> Issued:
    user = accounts.user(name)
    assert user is not None
    return accounts.log_in(user)


def role_of(accounts: Accounts, cookie: str) -> Role | None:
    identity = accounts.by_cookie(cookie)
    return identity.role if identity is not None else None


def test_a_session_is_its_users_also_after_a_restart(world: World, accounts: Accounts) -> None:
    cookie = log_in(accounts).secret

    for opened in (accounts, world.open()):
        identity = opened.by_cookie(cookie)
        assert identity is not None
        assert (identity.role, identity.by, identity.name) == (Role.VIEWER, By.SESSION, "alice")


@pytest.mark.parametrize("cookie", ["", "guess", "\udc80", "é" * 100])
def test_no_other_cookie_is_anybody(accounts: Accounts, cookie: str) -> None:
    log_in(accounts)

    assert accounts.by_cookie(cookie) is None
    assert accounts.by_token(cookie) is None
    assert accounts.by_key(cookie) is None


def test_a_session_that_nobody_uses_ends(world: World, accounts: Accounts) -> None:
    cookie = log_in(accounts).secret
    for _ in range(3):
        world.now += SESSION_IDLE_S - 1
        assert role_of(accounts, cookie) is Role.VIEWER

    world.now += SESSION_IDLE_S
    assert role_of(accounts, cookie) is None


def test_a_session_that_is_used_all_the_time_ends_as_well(world: World, accounts: Accounts) -> None:
    cookie = log_in(accounts).secret
    for _ in range(int(SESSION_LONGEST_S / HOUR_S) - 1):
        world.now += HOUR_S
        assert role_of(accounts, cookie) is Role.VIEWER

    world.now += HOUR_S
    assert role_of(accounts, cookie) is None


def test_a_restart_neither_ends_a_session_nor_makes_it_younger(world: World, accounts: Accounts) -> None:
    cookie = log_in(accounts).secret
    world.now += SESSION_IDLE_S - 1
    assert role_of(accounts, cookie) is Role.VIEWER
    accounts.save_use()
    accounts = world.open()
    world.now += 2
    assert role_of(accounts, cookie) is Role.VIEWER

    world.now += SESSION_IDLE_S
    assert role_of(world.open(), cookie) is None


def test_sessions_that_are_over_are_forgotten(world: World, accounts: Accounts) -> None:
    log_in(accounts)
    world.now += SESSION_IDLE_S
    log_in(accounts)

    assert len(world.store.accounts.sessions()) == 1


def test_logging_out_ends_the_session_for_good(world: World, accounts: Accounts) -> None:
    issued, other = log_in(accounts), log_in(accounts)
    version = accounts.version
    accounts.log_out(issued.credential)

    assert accounts.version != version
    for opened in (accounts, world.open()):
        assert role_of(opened, issued.secret) is None
        assert role_of(opened, other.secret) is Role.VIEWER


def test_another_role_counts_at_once(world: World, accounts: Accounts) -> None:
    issued = log_in(accounts)
    version = accounts.version
    accounts.change_user("alice", role=Role.OPERATOR)

    assert accounts.version != version
    assert role_of(accounts, issued.secret) is Role.OPERATOR
    assert role_of(world.open(), issued.secret) is Role.OPERATOR


def test_another_password_ends_all_sessions_but_the_one_that_chose_it(accounts: Accounts) -> None:
    mine, other = log_in(accounts), log_in(accounts)
    accounts.change_user("alice", password="another", keep=mine.credential.id)

    assert role_of(accounts, mine.secret) is Role.VIEWER
    assert role_of(accounts, other.secret) is None


def test_who_was_changed_while_the_password_was_checked_logs_in_again(accounts: Accounts) -> None:
    before = accounts.user("alice")
    assert before is not None
    accounts.change_user("alice", password="another")

    with pytest.raises(NoSuchAccount):
        accounts.log_in(before)


def test_a_user_who_is_removed_has_nothing_left(world: World, accounts: Accounts) -> None:
    session = log_in(accounts).secret
    _, token = accounts.add_token("ci", Role.VIEWER, HOUR_S, creator="alice")
    accounts.remove_user("alice")

    for opened in (accounts, world.open()):
        assert opened.user("alice") is None
        assert role_of(opened, session) is None
        assert opened.by_token(token) is None


def test_who_comes_by_the_same_name_has_nothing_of_the_one_before(world: World, accounts: Accounts) -> None:
    session = log_in(accounts).secret
    _, token = accounts.add_token("ci", Role.VIEWER, HOUR_S, creator="alice")
    accounts.remove_user("alice")
    accounts.add_user("alice", Role.ADMIN, "hash")

    assert role_of(accounts, session) is None
    assert accounts.by_token(token) is None


def test_there_is_always_an_administrator(accounts: Accounts) -> None:
    for change in (
        lambda: accounts.remove_user("root"),
        lambda: accounts.change_user("root", role=Role.OPERATOR),
    ):
        with pytest.raises(AccountConflict, match="the only administrator"):
            change()
    accounts.change_user("alice", role=Role.ADMIN)
    accounts.remove_user("root")


def test_the_first_administrator_is_made_once(world: World) -> None:
    accounts = world.open()
    accounts.add_user("root", Role.ADMIN, "hash", first=True)

    with pytest.raises(AccountConflict):
        accounts.add_user("mallory", Role.ADMIN, "hash", first=True)


def test_a_token_holds_until_it_expires(world: World, accounts: Accounts) -> None:
    _, secret = accounts.add_token("ci", Role.OPERATOR, HOUR_S, creator=None)
    for opened in (accounts, world.open()):
        identity = opened.by_token(secret)
        assert identity is not None
        assert (identity.role, identity.name, identity.creator) == (Role.OPERATOR, "ci", None)

    world.now += HOUR_S
    assert accounts.by_token(secret) is None


def test_a_token_that_is_revoked_holds_no_longer(world: World, accounts: Accounts) -> None:
    token, secret = accounts.add_token("ci", Role.OPERATOR, HOUR_S, creator=None)
    version = accounts.version
    accounts.remove_token(token.id)

    assert accounts.version != version
    for opened in (accounts, world.open()):
        assert opened.by_token(secret) is None
        with pytest.raises(NoSuchAccount):
            opened.remove_token(token.id)


def test_a_token_never_exceeds_whoever_made_it(accounts: Accounts) -> None:
    accounts.change_user("alice", role=Role.ADMIN)
    _, secret = accounts.add_token("ci", Role.ADMIN, HOUR_S, creator="alice")
    accounts.change_user("alice", role=Role.VIEWER)

    identity = accounts.by_token(secret)
    assert identity is not None
    assert identity.role is Role.VIEWER


def test_a_session_by_the_key_ends_with_the_key(world: World, accounts: Accounts) -> None:
    cookie = accounts.log_in_by_key().secret

    assert role_of(accounts, cookie) is Role.ADMIN
    assert role_of(world.open(), cookie) is Role.ADMIN
    assert role_of(world.open(key="another key"), cookie) is None


def test_no_secret_is_on_the_disk(tmp_path: Path) -> None:
    world = World(default_url(tmp_path))
    accounts = world.open()
    accounts.add_user("root", Role.ADMIN, "hash")
    secrets = [
        log_in(accounts, "root").secret,
        accounts.log_in_by_key().secret,
        accounts.add_token("ci", Role.ADMIN, HOUR_S, creator="root")[1],
        KEY,
    ]
    world.store.close()

    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"root" in kept
    assert [secret for secret in secrets if secret.encode() in kept] == []


@pytest.mark.parametrize("name", ["alice", "Alice", " ALICE ", "a", "a.b_c-d@example.org", "0"])
def test_a_name_is_kept_in_small_letters(name: str) -> None:
    assert user_name(name) == name.strip().lower()


@pytest.mark.parametrize("name", ["", " ", ".a", "a b", "a/b", "ä", "a" * 65, "a\0"])
def test_what_would_be_no_good_name_is_refused(name: str) -> None:
    with pytest.raises(SettingsInvalid):
        user_name(name)
