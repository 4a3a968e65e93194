"""Roles on the socket: who is behind each connection, asked anew for every event, and ended when it changes.

Flask's `before_request` does not run for events, and what it put down when the connection came is a copy.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from flask import Flask, Request, request
from flask_socketio import SocketIO
from socketio.exceptions import ConnectionRefusedError

from app.auth.identity import Credential, Identity
from app.auth.roles import Role, access_of

LOOK_S = 1.0
"""How often it is looked whether somebody's time is over; a change is seen at once."""


class Identifies(Protocol):
    """Tells who sends a request: `app/api/access.py`, or a dashboard that asks the federation."""

    def identify(self, incoming: Request, /) -> Identity | None:
        """None: nobody who is known."""


class Holders(Protocol):
    """Tells what credentials still hold."""

    @property
    def version(self) -> int:
        """Changes whenever somebody may have lost what they had."""

    def identity(self, credential: Credential, /) -> Identity | None:
        """Whose it is as of now; None once it no longer holds."""


@dataclass(frozen=True)
class Member:
    """Who a connection was opened by, and as what."""

    credential: Credential
    role: Role


class Members:
    """The connections that were let in. Safe from any thread."""

    def __init__(self, gate: Identifies, holders: Holders) -> None:
        self._gate = gate
        self._holders = holders
        self._lock = threading.Lock()
        self._members: dict[str, Member] = {}
        self._version = -1
        self._looked_at = 0.0

    def admit(self, sid: str, needed: Role) -> None:
        """Let a connection in. Raises ConnectionRefusedError."""
        identity = self._gate.identify(request)
        if identity is None:
            raise ConnectionRefusedError("You are not known here. Log in on the page.", {"status": 401})
        with self._lock:
            self._members[sid] = Member(identity.credential, identity.role)
        # Once more: what has changed before it was among those that are looked at, was not seen.
        self.require(sid, needed)

    def require(self, sid: str, needed: Role) -> Identity:
        """Who is behind a connection as of now. Raises ConnectionRefusedError unless they have the role."""
        with self._lock:
            member = self._members.get(sid)
        identity = self._holders.identity(member.credential) if member is not None else None
        if identity is None or not identity.role.includes(needed):
            self.remove(sid)
            raise ConnectionRefusedError(f"This takes the role {needed}.", {"status": 403})
        return identity

    def remove(self, sid: str) -> None:
        """A connection has ended."""
        with self._lock:
            self._members.pop(sid, None)

    def outdated(self) -> list[str]:
        """Those that are to be ended: logged out, expired, revoked, or with another role than they came with.
        Looked at when something has changed, and every second."""
        version, now = self._holders.version, time.monotonic()
        if version == self._version and now - self._looked_at < LOOK_S:
            return []
        self._version, self._looked_at = version, now
        with self._lock:
            members = dict(self._members)
        gone = [sid for sid, member in members.items() if not self._holds(member)]
        for sid in gone:
            self.remove(sid)
        return gone

    def _holds(self, member: Member) -> bool:
        identity = self._holders.identity(member.credential)
        return identity is not None and identity.role is member.role


class RoleSocketIO(SocketIO):
    """Takes only handlers that say which role they need, and lets nobody else to them."""

    def __init__(self, flask_app: Flask, members: Members, **options: Any) -> None:
        self._member_list = members
        super().__init__(flask_app, **options)  # type: ignore[no-untyped-call]
        self._register("disconnect")(lambda *_: members.remove(_sid()))

    def on(self, message: str, namespace: str | None = None) -> Callable[[Callable[..., Any]], Any]:
        """As the library's. Raises TypeError for a handler without a role."""
        register = self._register(message, namespace)

        def decorator(handler: Callable[..., Any]) -> Any:
            needed = access_of(handler)
            if not isinstance(needed, Role):
                raise TypeError(f"the handler of {message!r} does not say which role it needs")
            check = self._member_list.admit if message == "connect" else self._member_list.require

            @functools.wraps(handler)
            def checked(*args: Any) -> Any:
                check(_sid(), needed)
                return handler(*args)

            return register(checked)

        return decorator

    def _register(self, message: str, namespace: str | None = None) -> Callable[[Callable[..., Any]], Any]:
        register: Callable[[Callable[..., Any]], Any] = super().on(message, namespace)  # type: ignore[no-untyped-call]
        return register


def _sid() -> str:
    sid: str = request.sid  # type: ignore[attr-defined]  # Flask-SocketIO adds it to the request
    return sid
