"""Users of the page, their sessions, and tokens for programs, as they are kept. Secrets are hashes here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do; each also what those before it may."""

    VIEWER = "viewer"
    """Reads."""
    OPERATOR = "operator"
    """Starts, pauses, resumes and stops runs."""
    ADMIN = "admin"
    """Decides about clients, invitations, users and tokens."""

    def includes(self, other: Role) -> bool:
        """Whether this role may do what the other may."""
        return _RANK[self] >= _RANK[other]

    def at_most(self, other: Role) -> Role:
        """The lesser of the two."""
        return self if other.includes(self) else other


_RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}


@dataclass(frozen=True)
class User:
    """Somebody with a password. `password`: as `app/auth/passwords.py` keeps it."""

    name: str
    role: Role
    password: str
    created_at: float


@dataclass(frozen=True)
class Session:
    """A browser that has logged in: as a user, or by the server's key for the page, whose hash `key` then is.

    `id` is the hash of its cookie.
    """

    id: str
    user_name: str | None
    key: str | None
    created_at: float
    used_at: float


@dataclass(frozen=True)
class Token:
    """What a program shows. `creator`: the user who made it, whose role it never exceeds; None: the server's
    owner or its key."""

    id: str
    hash: str
    label: str
    role: Role
    creator: str | None
    created_at: float
    expires_at: float
