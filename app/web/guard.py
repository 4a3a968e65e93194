"""Headers and size limits for every response, and no requests but from our own page."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Request, Response, abort, request

from app.api.access import host_name
from app.api.problems import problem
from app.auth.replica_key import REPLICA
from app.settings import ServerSettings
from shared.address import is_loopback

MAX_BODY_BYTES = 1 << 20

HSTS_S = 180 * 24 * 3_600
"""How long a browser that came by HTTPS does not come by HTTP."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the component library sets styles on elements
        "font-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src blob:",  # the API page's search
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def guard(flask_app: Flask, settings: ServerSettings) -> None:
    """Install the checks and headers on an app."""
    flask_app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    @flask_app.before_request
    def _own_page_only() -> None:
        if REPLICA in request.environ:  # it has asked the same of the request before
            return
        if (refusal := foreign_request(request, settings)) is not None:
            abort(problem(HTTPStatus.FORBIDDEN, refusal))

    @flask_app.after_request
    def _headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        if settings.tls_cert is not None and not is_loopback(host_name(request.host)):
            # Not for the server's own certificate: a browser would not let anybody past its warning then.
            response.headers["Strict-Transport-Security"] = f"max-age={HSTS_S}"
        if request.path.startswith("/static/assets/") and response.status_code < HTTPStatus.BAD_REQUEST:
            response.cache_control.no_cache = None
            response.cache_control.max_age = 31_536_000  # names carry a hash of the content
            response.cache_control.immutable = True
        return response


def foreign_request(incoming: Request, settings: ServerSettings) -> str | None:
    """Why a request does not come from our own page or the user's own program; None when it does."""
    host = host_name(incoming.host)
    public = settings.deployment.public_url
    if settings.on_loopback and not is_loopback(host) and not (public and host == public.host):
        # A foreign name for this machine is DNS rebinding, by which any web page could act here.
        return (
            f"This server listens on this machine only and does not answer to the name {host!r}. "
            "Open it as localhost."
        )
    origin = incoming.headers.get("Origin")
    is_ours = origin is None or origin.partition("://")[2] == incoming.host
    if not is_ours and not (public and origin == public.origin):
        return f"Requests from pages of {origin!r} are not accepted."
    site = incoming.headers.get("Sec-Fetch-Site", "none")
    if site not in {"none", "same-origin"} and incoming.headers.get("Sec-Fetch-Mode") != "navigate":
        return "Requests from other sites' pages are not accepted."
    return None
