"""Who asks, and by what that is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.auth.roles import Role


class By(StrEnum):
    """How somebody is known."""

    OWNER = "owner"
    """The user of this machine who started the server, by the connection."""
    KEY = "key"
    """The server's key for the page."""
    SESSION = "session"
    """A cookie, after a login with a password."""
    TOKEN = "token"
    """A token, as programs have it."""


@dataclass(frozen=True)
class Credential:
    """What can be asked again later whether it still holds. `id`: of a session or a token, else empty."""

    by: By
    id: str = ""
    cookie: bool = False
    """Whether a browser sends it by itself, so that a change needs a proof that it comes from our page."""


@dataclass(frozen=True)
class Identity:
    """Somebody who was recognised. `name`: the user's, or the token's label; None: the owner, or the key."""

    role: Role
    by: By
    name: str | None
    credential: Credential
    creator: str | None = None
    """The user to whom a token goes back that this one makes; None: to nobody who could lose a role."""

    @property
    def user(self) -> str | None:
        """The name of the user; None for a program, the owner and the key."""
        return self.name if self.by is By.SESSION else None

    def __str__(self) -> str:
        match self.by:
            case By.OWNER:
                return "the user who started the server"
            case By.KEY:
                return "somebody with the server's key"
            case By.SESSION:
                return f"user {self.name}"
            case By.TOKEN:
                return f"the program {self.name}"
