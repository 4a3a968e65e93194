"""ServerAccounts: how commands look at accounts and change them, beside a running server or without one.

A server that runs has its store locked, and its accounts in memory: it is asked over REST. Else the store is
opened, as a server would.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from app.auth.accounts import Accounts
from app.auth.page_key import load_or_make_page_key
from app.auth.passwords import check_strength, hash_password
from app.auth.roles import Role
from app.auth.secret import user_name
from app.running_server import RunningServer, ServerRefused
from app.store.store import Store
from shared.errors import StoreInUse
from shared.security.server_identity import KEYS


@dataclass(frozen=True)
class ListedUser:
    """A user, as a command shows one."""

    name: str
    role: str


@dataclass(frozen=True)
class ListedToken:
    """A token, as a command shows one."""

    id: str
    label: str
    role: str
    expires_at: float


class ServerAccounts(Protocol):
    """All methods raise FedLoomError in words."""

    def users(self) -> list[ListedUser]: ...
    def add_user(self, name: str, role: Role, password: str) -> None: ...
    def change_user(self, name: str, *, role: Role | None = None, password: str | None = None) -> None: ...
    def remove_user(self, name: str) -> None: ...
    def tokens(self) -> list[ListedToken]: ...
    def add_token(self, label: str, role: Role, expires_in_s: float) -> str: ...
    def remove_token(self, id_: str) -> None: ...


@contextmanager
def open_accounts(store_url: str, home: Path) -> Iterator[ServerAccounts]:
    """The way to the accounts of the server with this store and folder. Raises FedLoomError."""
    try:
        store = Store.open(store_url)
    except StoreInUse as error:
        # That a server has the store open shows as well that the word in its folder is not an old one.
        server = RunningServer.find(home)
        if server is None:
            raise ServerRefused(
                f"{error} It cannot be asked either: it has left no word in {home.absolute()}. It may be "
                "starting, or of another user or another FEDLOOM_HOME."
            ) from error
        yield RemoteAccounts(server)
        return
    try:
        yield StoredAccounts(Accounts(store.accounts, load_or_make_page_key(home / KEYS)))
    finally:
        store.close()


class StoredAccounts:
    """On a store that no server has open."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def users(self) -> list[ListedUser]:
        return [ListedUser(user.name, user.role) for user in self._accounts.users()]

    def add_user(self, name: str, role: Role, password: str) -> None:
        self._accounts.add_user(user_name(name), role, hash_password(check_strength(password)))

    def change_user(self, name: str, *, role: Role | None = None, password: str | None = None) -> None:
        hashed = None if password is None else hash_password(check_strength(password))
        self._accounts.change_user(user_name(name), role=role, password=hashed)

    def remove_user(self, name: str) -> None:
        self._accounts.remove_user(user_name(name))

    def tokens(self) -> list[ListedToken]:
        return [
            ListedToken(token.id, token.label, token.role, token.expires_at)
            for token in self._accounts.tokens()
        ]

    def add_token(self, label: str, role: Role, expires_in_s: float) -> str:
        return self._accounts.add_token(label, role, expires_in_s, creator=None)[1]

    def remove_token(self, id_: str) -> None:
        self._accounts.remove_token(id_)


class RemoteAccounts:
    """At a server that runs."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server

    def users(self) -> list[ListedUser]:
        users = self._server.get("/api/v1/users")["users"]
        return [ListedUser(user["name"], user["role"]) for user in users]

    def add_user(self, name: str, role: Role, password: str) -> None:
        self._server.ask("POST", "/api/v1/users", {"name": name, "role": role, "password": password})

    def change_user(self, name: str, *, role: Role | None = None, password: str | None = None) -> None:
        changes = {"role": role, "password": password}
        given = {field: value for field, value in changes.items() if value is not None}
        self._server.ask("PATCH", f"/api/v1/users/{quote(name, safe='')}", given)

    def remove_user(self, name: str) -> None:
        self._server.ask("DELETE", f"/api/v1/users/{quote(name, safe='')}")

    def tokens(self) -> list[ListedToken]:
        fields = ("id", "label", "role", "expires_at")
        return [
            ListedToken(*(token[field] for field in fields))
            for token in self._server.get("/api/v1/tokens")["tokens"]
        ]

    def add_token(self, label: str, role: Role, expires_in_s: float) -> str:
        wish = {"label": label, "role": role, "expires_in_s": expires_in_s}
        made = self._server.post("/api/v1/tokens", wish)
        return str(made["token"])

    def remove_token(self, id_: str) -> None:
        self._server.ask("DELETE", f"/api/v1/tokens/{quote(id_, safe='')}")
