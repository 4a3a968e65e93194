"""The cookie of a session: for this host and its own page only, out of reach of scripts."""

from __future__ import annotations

from flask import Request
from werkzeug.wrappers import Response as WerkzeugResponse

from app.api.access import WHOLE_HOST
from app.auth.accounts import SESSION_LONGEST_S


def set_cookie(answer: WerkzeugResponse, incoming: Request, name: str, secret: str) -> None:
    """Have the browser keep it, for as long as a session can last."""
    answer.set_cookie(
        name,
        secret,
        max_age=int(SESSION_LONGEST_S),
        path=_path(incoming, name),
        secure=_is_secure(incoming),
        httponly=True,
        samesite="Strict",
    )


def drop_cookie(answer: WerkzeugResponse, incoming: Request, name: str) -> None:
    """Have the browser forget it."""
    answer.delete_cookie(
        name, path=_path(incoming, name), secure=_is_secure(incoming), httponly=True, samesite="Strict"
    )


def _path(incoming: Request, name: str) -> str:
    """Below which path the browser sends it."""
    return "/" if name.startswith(WHOLE_HOST) else f"{incoming.root_path}/"


def _is_secure(incoming: Request) -> bool:
    """Whether the browser came by HTTPS. A proxy's word will do: a wrong one only loses the cookie."""
    return incoming.is_secure or incoming.headers.get("X-Forwarded-Proto") == "https"
