"""Forwarded: what a proxy, or a dashboard, says of a request that it passes on, if it may be believed."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from app.auth.replica_key import KEY_HEADER, REPLICA
from app.role_flags import Deployment, is_plain_path

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEY = f"HTTP_{KEY_HEADER.upper().replace('-', '_')}"


class Forwarded:
    """A WSGI application around all others.

    From a proxy that is named, and from a dashboard that shows the key, X-Forwarded-For, -Proto, -Host and
    -Prefix take the place of what the connection says. Of all others they change nothing; that they are there
    is still seen by those who ask (`app/api/access.py`).
    """

    def __init__(
        self, application: WSGIApplication, deployment: Deployment, replica_key: str | None = None
    ) -> None:
        """`replica_key`: by which dashboards are known; None: there are none."""
        self._application = application
        self._deployment = deployment
        self._replica_key = replica_key

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        prefix = self._deployment.prefix
        is_passed_on = False
        if self._is_replica(environ):
            environ[REPLICA] = True
            is_passed_on = True
        elif self._is_trusted(_address(environ.get("REMOTE_ADDR", ""))):
            is_passed_on = True
        if is_passed_on:
            self._believe(environ)
            said = _last(environ, "HTTP_X_FORWARDED_PREFIX").rstrip("/")
            prefix = said if said and is_plain_path(said) else prefix
        _below(environ, prefix, is_passed_on=is_passed_on)
        return self._application(environ, start_response)

    def _is_replica(self, environ: WSGIEnvironment) -> bool:
        shown = environ.get(KEY)
        if shown is None or self._replica_key is None:
            return False
        return hmac.compare_digest(shown.encode(errors="replace"), self._replica_key.encode())

    def _is_trusted(self, address: IPv4Address | IPv6Address | None) -> bool:
        return address is not None and any(address in each for each in self._deployment.trusted_proxies)

    def _believe(self, environ: WSGIEnvironment) -> None:
        if (client := self._client(environ)) is not None:
            environ["REMOTE_ADDR"] = client
        if (scheme := _last(environ, "HTTP_X_FORWARDED_PROTO")) in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        if host := _last(environ, "HTTP_X_FORWARDED_HOST"):
            environ["HTTP_HOST"] = host

    def _client(self, environ: WSGIEnvironment) -> str | None:
        """The newest address in the list that is none of the named proxies'."""
        for said in reversed(list(_listed(environ, "HTTP_X_FORWARDED_FOR"))):
            address = _address(said)
            if address is None:
                return None
            if not self._is_trusted(address):
                return str(address)
        return None


def _below(environ: WSGIEnvironment, prefix: str, *, is_passed_on: bool) -> None:
    """Have the application find its own paths, and know below which path the browser has them, whether or not
    the proxy has taken that away."""
    path = environ["PATH_INFO"]
    if prefix and (path == prefix or path.startswith(f"{prefix}/")):
        environ["PATH_INFO"] = path[len(prefix) :] or "/"
        environ["SCRIPT_NAME"] = prefix
    elif is_passed_on:
        environ["SCRIPT_NAME"] = prefix


def _listed(environ: WSGIEnvironment, name: str) -> Iterator[str]:
    return (each for each in (part.strip() for part in environ.get(name, "").split(",")) if each)


def _last(environ: WSGIEnvironment, name: str) -> str:
    """What the nearest proxy has said; those before it have added theirs on the left."""
    return next(reversed(list(_listed(environ, name))), "")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
