"""ServerAccounts: how commands look at accounts and change them, beside a running server or without one.

A server that runs has its store locked, and its accounts in memory: it is asked over REST. Else the store is
opened, as a server would.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from app.auth.accounts import Accounts
from app.auth.page_key import load_or_make_page_key
from app.auth.passwords import check_strength, hash_password
from app.auth.roles import Role
from app.auth.running_server import RunningServer
from app.auth.secret import user_name
from app.store.store import Store
from shared.errors import FedLoomError, StoreInUse
from shared.security.server_identity import KEYS

TIMEOUT_S = 30.0


class ServerRefused(FedLoomError):
    """The running server did not do what it was asked for, or could not be asked."""


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
        with _client(server) as client:
            yield RemoteAccounts(client)
        return
    try:
        yield StoredAccounts(Accounts(store.accounts, load_or_make_page_key(home / KEYS)))
    finally:
        store.close()


def _client(server: RunningServer) -> httpx.Client:
    return httpx.Client(
        base_url=f"{server.url}/api/v1",
        headers={"Authorization": f"Bearer {server.key}"},
        timeout=TIMEOUT_S,
        trust_env=False,  # a proxy for the web is not meant for this machine's own server
        verify=False,  # no other user of this machine has the port while this server listens on it
    )


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

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def users(self) -> list[ListedUser]:
        return [ListedUser(user["name"], user["role"]) for user in self._ask("GET", "/users")["users"]]

    def add_user(self, name: str, role: Role, password: str) -> None:
        self._ask("POST", "/users", {"name": name, "role": role, "password": password})

    def change_user(self, name: str, *, role: Role | None = None, password: str | None = None) -> None:
        changes = {"role": role, "password": password}
        given = {field: value for field, value in changes.items() if value is not None}
        self._ask("PATCH", f"/users/{quote(name, safe='')}", given)

    def remove_user(self, name: str) -> None:
        self._ask("DELETE", f"/users/{quote(name, safe='')}")

    def tokens(self) -> list[ListedToken]:
        fields = ("id", "label", "role", "expires_at")
        return [
            ListedToken(*(token[field] for field in fields))
            for token in self._ask("GET", "/tokens")["tokens"]
        ]

    def add_token(self, label: str, role: Role, expires_in_s: float) -> str:
        made = self._ask("POST", "/tokens", {"label": label, "role": role, "expires_in_s": expires_in_s})
        return str(made["token"])

    def remove_token(self, id_: str) -> None:
        self._ask("DELETE", f"/tokens/{quote(id_, safe='')}")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
            content = answer.json() if answer.content else None
        except (httpx.HTTPError, ValueError) as error:
            raise ServerRefused(
                f"The running server at {self._client.base_url} does not answer: {error}."
            ) from error
        if answer.is_success:
            return content
        detail = content.get("detail") if isinstance(content, dict) else None
        raise ServerRefused(str(detail or f"The server answered {answer.status_code}."))
