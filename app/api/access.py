"""Access: recognises who sends a request, and lets it through only to what their role may have."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, g, request

from app.api.problems import problem
from app.auth.accounts import Accounts
from app.auth.authentication import Authentication
from app.auth.identity import Identity
from app.auth.peer import PEER, Peer, mark_known
from app.auth.replica_key import FOR_ANOTHER_HEADER, KEY_HEADER, KNOWN_HEADER, REPLICA
from app.auth.roles import PUBLIC, REPLICAS, Access, Role, access_of
from app.auth.secret import hash_of
from app.settings import ServerSettings
from shared.address import is_loopback

T = TypeVar("T")

CSRF_HEADER = "X-CSRF-Token"
CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})

FORWARDED = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Via",
    KEY_HEADER,
    FOR_ANOTHER_HEADER,
)
"""What proxies add: behind one, the connection says nothing of who asks."""

WHOLE_HOST = "__Host-"
"""Begins the name of a cookie that browsers take for all of a host, and by HTTPS only."""

NO_REPLICA = "This is for the federation's dashboards, which show the key that both have (--replica-key)."
NO_ROLE = "This route does not say who may use it, so nobody may. That is an error in the server."


class Gate:
    """What one server asks of a request."""

    def __init__(self, settings: ServerSettings, auth: Authentication) -> None:
        self._settings = settings
        self._auth = auth
        # The prefix has browsers take it by HTTPS only, and from this very host.
        is_whole_host = settings.tls and not settings.deployment.prefix
        self.cookie = f"{WHOLE_HOST}{auth.cookie}" if is_whole_host else auth.cookie

    def identify(self, incoming: Request) -> Identity | None:
        """Who sends this, whose connection is kept from now on, however many others there are."""
        identity = self._identity(incoming)
        if identity is not None:
            mark_known(incoming.environ)
        return identity

    def _identity(self, incoming: Request) -> Identity | None:
        """A token that does not hold is never made up for by the connection."""
        shown = incoming.headers.get("Authorization")
        if shown is not None:
            kind, _, secret = shown.partition(" ")
            if kind.lower() != "bearer":
                return None
            return self._auth.accounts.by_token(secret.strip()) or self._auth.accounts.by_key(secret.strip())
        by_cookie = self._auth.accounts.by_cookie(incoming.cookies.get(self.cookie, ""))
        if by_cookie is not None:
            return by_cookie
        return self._auth.owner() if self._is_owner(incoming) else None

    def _is_owner(self, incoming: Request) -> bool:
        peer = incoming.environ.get(PEER)
        if not isinstance(peer, Peer) or any(name in incoming.headers for name in FORWARDED):
            return False
        # Under another name a page from elsewhere could have this machine's browser ask (DNS rebinding).
        return is_loopback(host_name(incoming.host)) and self._auth.is_owner(peer.uid)

    def refusal(self, access: Access | None, identity: Identity | None, incoming: Request) -> Response | None:
        """Why a request is not let through to what takes this; None: it is."""
        if access is PUBLIC:
            return None
        if access is REPLICAS:
            return _unless_replica(incoming)
        if not isinstance(access, Role):
            return problem(HTTPStatus.FORBIDDEN, NO_ROLE)
        if identity is None:
            return unauthorized(self._what_to_do("Authorization" in incoming.headers))
        if not identity.role.includes(access):
            return problem(
                HTTPStatus.FORBIDDEN,
                f"This takes the role {access}, and you ({identity}) are {_article(identity.role)}. "
                "An administrator can change that.",
            )
        if identity.credential.cookie and incoming.method not in CHANGES_NOTHING:
            return self._without_csrf(incoming)
        return None

    def socket_refusal(self, incoming: Request, needed: Role) -> Response | None:
        """The same for a request of Socket.IO. Its library posts without a CSRF token; that it comes from our
        page is told by its origin, and by the number of the connection, which nobody else knows."""
        identity = self.identify(incoming)
        if identity is None or not identity.role.includes(needed):
            return self.refusal(needed, identity, incoming)
        return None

    def csrf_token(self, incoming: Request) -> str | None:
        """What a page sends with each change, so that no other page can make it; None: no cookie came."""
        secret = incoming.cookies.get(self.cookie)
        return csrf_token_of(secret) if secret else None

    def _without_csrf(self, incoming: Request) -> Response | None:
        wanted, sent = self.csrf_token(incoming) or "", incoming.headers.get(CSRF_HEADER, "")
        if hmac.compare_digest(wanted.encode(), sent.encode(errors="replace")):
            return None
        return problem(
            HTTPStatus.FORBIDDEN,
            f"A change made with a cookie needs the header {CSRF_HEADER}, with the `csrf` of GET /api/v1/me. "
            "Load the page again; a program is better off with a token of its own.",
        )

    def _what_to_do(self, showed_token: bool) -> str:
        if showed_token:
            return (
                "The token in the header Authorization is not known here, was revoked or has expired. An "
                "administrator can make another, on the page or with `python -m app.users token add`."
            )
        by_program = "a program sends a token: Authorization: Bearer TOKEN."
        if self._settings.is_for_this_machine:
            return (
                "You are not known here: only the user who started this server gets in without a word. "
                "Others open the address with the key that it printed when it started, or log in; "
                f"{by_program}"
            )
        return f"You are not known here. Log in on the page; {by_program}"


def control_access(flask_app: Flask, gate: Gate) -> None:
    """Have every request of an app checked before anything of it is done."""
    flask_app.extensions["fedloom-gate"] = gate

    @flask_app.before_request
    def _check() -> None:
        if request.endpoint is None:  # there is no such route, which is what will be answered
            return
        g.identity = gate.identify(request)
        access = access_of(flask_app.view_functions[request.endpoint])
        if (refusal := gate.refusal(access, g.identity, request)) is not None:
            abort(refusal)

    @flask_app.after_request
    def _tell_dashboard(response: Response) -> Response:
        if REPLICA in request.environ and g.get("identity") is not None:
            response.headers[KNOWN_HEADER] = "1"
        return response


def _unless_replica(incoming: Request) -> Response | None:
    """What a dashboard passes on has its key, too, and is no question of its own."""
    if REPLICA not in incoming.environ or FOR_ANOTHER_HEADER in incoming.headers:
        return problem(HTTPStatus.FORBIDDEN, NO_REPLICA)
    mark_known(incoming.environ)
    return None


def unauthorized(detail: str) -> Response:
    """401, which takes a header that says how to do it right."""
    response = problem(HTTPStatus.UNAUTHORIZED, detail)
    response.headers["WWW-Authenticate"] = 'Bearer realm="FedLoom"'
    return response


def csrf_token_of(cookie: str) -> str:
    """It follows from the cookie, which cannot be found from it."""
    return hash_of(f"fedloom/csrf/v1 {cookie}")


def gate_of(flask_app: Flask) -> Gate:
    """The gate of an app."""
    return cast(Gate, flask_app.extensions["fedloom-gate"])


def current() -> Identity:
    """Who sent the request that is handled; only where the route takes a role."""
    return cast(Identity, g.identity)


def while_admitted(accounts: Accounts, asker: Identity, pieces: Iterable[T]) -> Iterator[T]:
    """The pieces of an answer that goes on for long, as long as whoever asked has the role they had."""
    for piece in pieces:
        identity = accounts.identity(asker.credential)
        if identity is None or not identity.role.includes(asker.role):
            return
        yield piece


def host_name(netloc: str) -> str:
    """The name in a Host header, without the port; empty where there is none."""
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def client_address(incoming: Request) -> str:
    """Where a request comes from; behind a proxy that is trusted, what that says (`app/web/forwarded.py`)."""
    return incoming.remote_addr or ""


def _article(role: Role) -> str:
    return f"{'a' if role is Role.VIEWER else 'an'} {role}"
