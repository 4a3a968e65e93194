"""What a server that has started says: where the page is, and how whoever has to log in gets in.

What lets somebody in is printed, not logged: the log is kept, and shown on the page.
"""

from __future__ import annotations

import logging
import socket
import sys
from typing import TYPE_CHECKING

from app.settings import ServerSettings
from app.web.tls import fingerprint
from shared.address import ANY_ADDRESS, Address

if TYPE_CHECKING:
    from app.environment import Environment

log = logging.getLogger(__name__)


DASHBOARD = "http://DASHBOARD"
"""Stands for an address that a federation does not know, unless --public-url tells it."""


def announce(env: Environment, port: int) -> None:
    """Tell that the server is ready, and leave word for the commands of this user where it is."""
    settings, auth = env.settings, env.auth
    url = page_url(settings, port, "localhost")
    public = settings.deployment.public_url
    env.answers_at(_own_address(settings, port))
    warn_of_plain_http(settings)
    if not auth.owner_is_known and not auth.ask_everybody:
        log.warning(
            "This system does not tell which of its users opens the page, so everybody is asked for a key or "
            "a password, also you."
        )
    log.info("FedLoom is ready at %s (clients connect to port %d)", url, env.link.port)
    if public is not None:
        log.info("People open it at %s", public)
    if settings.on_loopback:
        whom = "Other users of this machine need" if auth.owner_is_known else "Whoever opens the page needs"
        _say(f"{whom} the key: {_where_people_come(settings, url)}/?token={auth.page_key}")
    elif auth.wants_first_user:
        there = _where_people_come(settings, page_url(settings, port, socket.gethostname()))
        _say(
            "There are no users yet. Make the first administrator, within an hour, at\n"
            f"    {there}/#setup={auth.setup_token}"
        )


def _where_people_come(settings: ServerSettings, own: str) -> str:
    """The beginning of an address that opens the page; `own`: where this process answers."""
    if settings.deployment.public_url is not None:
        return str(settings.deployment.public_url)
    return DASHBOARD if settings.deployment.role == "federation" else own


def warn_of_plain_http(settings: ServerSettings) -> None:
    """Say what crosses the network in the clear, or by which certificate it does not."""
    if not settings.on_loopback and not settings.tls:
        log.warning(
            "The page can be reached from other machines by plain HTTP: passwords and all that it shows "
            "cross the network in the clear. Serve it over HTTPS (--tls), or behind a proxy that does."
        )
    if settings.tls and settings.tls_cert is None:
        log.info(
            "The page has the server's own certificate, of which browsers warn. Its SHA-256 fingerprint, to "
            "compare: %s",
            fingerprint(settings),
        )


def page_url(settings: ServerSettings, port: int, anywhere: str) -> str:
    """The page's address; `anywhere`: this machine's name where it listens on all of its addresses."""
    host = settings.host
    if host in ANY_ADDRESS:
        host = anywhere
    elif host == "127.0.0.1":
        host = "localhost"
    return f"{'https' if settings.tls else 'http'}://{Address(host, port)}"


def _own_address(settings: ServerSettings, port: int) -> str:
    """Where this machine itself reaches the page."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    return f"{'https' if settings.tls else 'http'}://{Address(host, port)}"


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
