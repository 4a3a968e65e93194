"""Accounts: users, sessions and tokens, in memory as the database has them. Who holds what, right now.

No other program can write to the store of a running server, so memory never lags behind. Changes take as long
as the disk does, and block: `app/api/aside.py` has them done in another thread.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.account_records import Session, Token, User
from app.auth.identity import By, Credential, Identity
from app.auth.roles import Role
from app.auth.secret import hash_of, new_secret
from app.store.accounts import AccountStore
from shared.errors import FedLoomError

HOUR_S = 3_600.0
SESSION_IDLE_S = 12 * HOUR_S
"""A session that nobody has used for so long is over. A page that is open uses it."""

SESSION_LONGEST_S = 7 * 24 * HOUR_S
"""Whatever happens, a password is asked for again after this time."""

USED_EVERY_S = 300.0
"""How exactly the disk knows when a session was used last."""


class AccountConflict(FedLoomError):
    """A change that does not fit what there is."""


class NoSuchAccount(FedLoomError):
    """There is no user or token of that name."""


@dataclass(frozen=True)
class Issued:
    """A secret that was just made, which only its receiver will ever have."""

    secret: str
    credential: Credential


class Accounts:
    """Safe from any thread."""

    def __init__(self, store: AccountStore, key: str, clock: Callable[[], float] = time.time) -> None:
        """`key`: the server's for the page. Raises StoreUnavailable."""
        self._store = store
        self._key = hash_of(key)
        self._clock = clock
        self._changing = threading.RLock()
        self._memory = threading.Lock()
        self._users = {user.name: user for user in store.users()}
        self._sessions = {session.id: session for session in store.sessions()}
        self._tokens = {token.id: token for token in store.tokens()}
        self._ids = {token.hash: token.id for token in self._tokens.values()}
        self.version = 0
        """Changes whenever somebody may have lost what they had."""

    # who

    def by_key(self, secret: str) -> Identity | None:
        """Whoever has the server's key for the page."""
        if not secrets.compare_digest(hash_of(secret), self._key):
            return None
        return self.identity(Credential(By.KEY))

    def by_cookie(self, secret: str) -> Identity | None:
        """The user whose session this is, which is used by that."""
        id_ = hash_of(secret)
        with self._memory:
            session = self._sessions.get(id_)
        return self.identity(_credential_of(session)) if session is not None else None

    def by_token(self, secret: str) -> Identity | None:
        """The program that shows a token."""
        id_ = self._ids.get(hash_of(secret))
        return self.identity(Credential(By.TOKEN, id_)) if id_ is not None else None

    def identity(self, credential: Credential) -> Identity | None:
        """Whose a credential is as of now; None once it no longer holds."""
        if credential.cookie:
            return self._of_session(credential)
        match credential.by:
            case By.TOKEN:
                return self._of_token(credential)
            case By.OWNER | By.KEY:
                return Identity(Role.ADMIN, credential.by, None, credential)
            case By.SESSION:
                return None

    def _of_session(self, credential: Credential) -> Identity | None:
        now = self._clock()
        with self._memory:
            session = self._sessions.get(credential.id)
            if session is None or _is_over(session, now):
                return None
            self._sessions[session.id] = replace(session, used_at=now)
            if session.user_name is None:
                fits = session.key is not None and secrets.compare_digest(session.key, self._key)
                return Identity(Role.ADMIN, By.KEY, None, credential) if fits else None
            user = self._users.get(session.user_name)
        return Identity(user.role, By.SESSION, user.name, credential, user.name) if user is not None else None

    def _of_token(self, credential: Credential) -> Identity | None:
        with self._memory:
            token = self._tokens.get(credential.id)
            if token is None or token.expires_at <= self._clock():
                return None
            creator = self._users.get(token.creator) if token.creator is not None else None
        if token.creator is not None and creator is None:
            return None
        role = token.role if creator is None else token.role.at_most(creator.role)
        return Identity(role, By.TOKEN, token.label, credential, token.creator)

    # sessions

    def log_in(self, user: User) -> Issued:
        """A new session of a user whose password was right. Raises StoreUnavailable, and NoSuchAccount if the
        user or the password has changed meanwhile."""
        with self._changing:
            if self._users.get(user.name) != user:
                raise NoSuchAccount(f"The user {user.name} was changed just now. Log in again.")
            return self._begin_session(user.name, None)

    def log_in_by_key(self) -> Issued:
        """A new session for whoever has the server's key. Raises StoreUnavailable."""
        with self._changing:
            return self._begin_session(None, self._key)

    def log_out(self, credential: Credential) -> None:
        """End a session. Raises StoreUnavailable; it is over nevertheless, until the server starts again."""
        with self._memory:
            session = self._sessions.pop(credential.id, None)
        self.version += 1
        if session is not None:
            self._store.remove(session)

    def _all_sessions(self) -> list[Session]:
        with self._memory:
            return list(self._sessions.values())

    def _begin_session(self, name: str | None, key: str | None) -> Issued:
        now = self._clock()
        secret = new_secret()
        session = Session(hash_of(secret), name, key, now, now)
        over = [other for other in self._all_sessions() if _is_over(other, now)]
        self._store.replace(over, [session])
        with self._memory:
            for other in over:
                self._sessions.pop(other.id, None)
            self._sessions[session.id] = session
        return Issued(secret, _credential_of(session))

    def save_use(self) -> None:
        """Have the disk know when sessions were used. Raises StoreUnavailable."""
        with self._changing:
            sessions = self._all_sessions()
            kept = {session.id: session for session in self._store.sessions()}
            used = [
                session
                for session in sessions
                if session.id in kept and session.used_at - kept[session.id].used_at > USED_EVERY_S
            ]
            if used:
                self._store.put(*used)

    # users

    def user(self, name: str) -> User | None:
        """The user of a name, which is written as it is kept."""
        with self._memory:
            return self._users.get(name)

    def users(self) -> list[User]:
        """By name."""
        with self._memory:
            return sorted(self._users.values(), key=lambda user: user.name)

    def add_user(self, name: str, role: Role, password: str, *, first: bool = False) -> User:
        """`password`: hashed. `first`: only if there is none. Raises AccountConflict, StoreUnavailable."""
        with self._changing:
            if first and self._users:
                raise AccountConflict("There is an administrator already, who can make further users.")
            if name in self._users:
                raise AccountConflict(f"There is a user {name} already. Choose another name.")
            user = User(name, role, password, self._clock())
            self._store.put(user)
            with self._memory:
                self._users[name] = user
            return user

    def change_user(
        self, name: str, *, role: Role | None = None, password: str | None = None, keep: str = ""
    ) -> User:
        """Another role, or another (hashed) password, which ends all the user's sessions but the one with the
        id `keep`. Raises NoSuchAccount, AccountConflict, StoreUnavailable."""
        with self._changing:
            user = self._existing(name)
            if role is not None and role is not Role.ADMIN:
                self._require_another_admin(user)
            changed = replace(user, role=role or user.role, password=password or user.password)
            ended = [
                session
                for session in self._all_sessions()
                if password is not None and session.user_name == name and session.id != keep
            ]
            self._store.replace(ended, [changed])
            with self._memory:
                self._users[name] = changed
                for session in ended:
                    self._sessions.pop(session.id, None)
            self.version += 1
            return changed

    def remove_user(self, name: str) -> None:
        """With all sessions and tokens. Raises NoSuchAccount, AccountConflict, StoreUnavailable."""
        with self._changing:
            user = self._existing(name)
            self._require_another_admin(user)
            sessions = [session for session in self._all_sessions() if session.user_name == name]
            tokens = [token for token in self.tokens() if token.creator == name]
            self._store.remove(user, *sessions, *tokens)
            with self._memory:
                del self._users[name]
                for session in sessions:
                    self._sessions.pop(session.id, None)
                self._drop_tokens(tokens)
            self.version += 1

    def _existing(self, name: str) -> User:
        user = self._users.get(name)
        if user is None:
            raise NoSuchAccount(f"There is no user {name!r}.")
        return user

    def _require_another_admin(self, user: User) -> None:
        others = (other for other in self._users.values() if other.name != user.name)
        if user.role is Role.ADMIN and not any(other.role is Role.ADMIN for other in others):
            raise AccountConflict(
                f"{user.name} is the only administrator. Make another user an administrator first."
            )

    # tokens

    def tokens(self) -> list[Token]:
        """Newest first, also those that have expired."""
        with self._memory:
            return sorted(self._tokens.values(), key=lambda token: token.created_at, reverse=True)

    def add_token(
        self, label: str, role: Role, expires_in_s: float, creator: str | None
    ) -> tuple[Token, str]:
        """The token, and the secret that it is known by. Raises StoreUnavailable."""
        with self._changing:
            now, secret = self._clock(), new_secret()
            token = Token(
                secrets.token_hex(4), hash_of(secret), label, role, creator, now, now + expires_in_s
            )
            self._store.put(token)
            with self._memory:
                self._tokens[token.id] = token
                self._ids[token.hash] = token.id
            return token, secret

    def remove_token(self, id_: str) -> Token:
        """Returns what it was. Raises NoSuchAccount, StoreUnavailable."""
        with self._changing:
            token = self._tokens.get(id_)
            if token is None:
                raise NoSuchAccount(f"There is no token {id_!r}.")
            self._store.remove(token)
            with self._memory:
                self._drop_tokens([token])
            self.version += 1
            return token

    def _drop_tokens(self, tokens: list[Token]) -> None:
        for token in tokens:
            self._tokens.pop(token.id, None)
            self._ids.pop(token.hash, None)


def _is_over(session: Session, now: float) -> bool:
    idle, age = now - session.used_at, now - session.created_at
    return idle >= SESSION_IDLE_S or age >= SESSION_LONGEST_S


def _credential_of(session: Session) -> Credential:
    return Credential(By.KEY if session.user_name is None else By.SESSION, session.id, cookie=True)
