"""Roles, and the mark by which every route and every event of the socket says which one it takes.

What bears no mark is refused, so that a route that was forgotten is closed and not open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from app.account_records import Role

__all__ = [
    "PUBLIC",
    "REPLICAS",
    "Access",
    "Everybody",
    "Replicas",
    "Role",
    "access_of",
    "mark",
    "needs",
    "public",
    "replicas_only",
]

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__fedloom_access__"


class Everybody:
    """The mark of what needs no role."""

    def __repr__(self) -> str:
        return "everybody"


class Replicas:
    """The mark of what a federation answers to its dashboards alone."""

    def __repr__(self) -> str:
        return "dashboards"


PUBLIC = Everybody()
REPLICAS = Replicas()

Access = Role | Everybody | Replicas


def needs(role: Role) -> Callable[[F], F]:
    """Mark a view or a handler as one for a role and those above it. Stands below the route's decorator."""
    return lambda function: mark(function, role)


def public(function: F) -> F:
    """Mark a view as one for everybody, known or not. Stands below the route's decorator."""
    return mark(function, PUBLIC)


def replicas_only(function: F) -> F:
    """Mark a view as one for the federation's dashboards. Stands below the route's decorator."""
    return mark(function, REPLICAS)


def mark(function: F, access: Access) -> F:
    """The same function, marked."""
    setattr(function, _MARK, access)
    return function


def access_of(function: Callable[..., Any] | None) -> Access | None:
    """What a view or handler is marked with; None: nothing, so nobody may have it."""
    access = getattr(function, _MARK, None)
    return access if isinstance(access, Role | Everybody | Replicas) else None
