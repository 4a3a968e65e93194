"""Flags of a server that is more than one process, or stands behind a proxy."""

from __future__ import annotations

import argparse
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from shared.errors import SettingsInvalid
from shared.variables import setting

ServerRole = Literal["all", "federation", "dashboard"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class PublicUrl:
    """Where people open the page. `prefix`: the path below which it is, as `/fedloom`; empty: the root."""

    origin: str
    prefix: str = ""

    @property
    def host(self) -> str:
        """The name in it, without the port."""
        return urlsplit(self.origin).hostname or ""

    def __str__(self) -> str:
        return f"{self.origin}{self.prefix}"


@dataclass(frozen=True)
class InvitationFile:
    """Where a server leaves an invitation for clients that come and go. `host`: by which name or address they
    reach it; None: the one at which it listens, or that of the public URL."""

    file: Path
    host: str | None = None


@dataclass(frozen=True)
class Deployment:
    """What a process is among several, and whom it believes.

    `federation`: the URL of the process with that role, for a dashboard. `replica_key`: the file with the
    secret that both have; None: the one in the server's folder. `federation_cert`: the federation's
    certificate, if no authority vouches for it. `redis`: the URL of the event log's Redis.
    """

    role: ServerRole = "all"
    federation: str | None = None
    replica_key: Path | None = None
    federation_cert: Path | None = None
    redis: str | None = None
    public_url: PublicUrl | None = None
    trusted_proxies: tuple[Network, ...] = ()
    invitation: InvitationFile | None = None

    @property
    def is_passed_on(self) -> bool:
        """Whether others bring requests here: dashboards, or a proxy."""
        return self.role != "all" or self.public_url is not None or bool(self.trusted_proxies)

    @property
    def prefix(self) -> str:
        """The path below which people find the page; empty: the root."""
        return self.public_url.prefix if self.public_url else ""


def add_role_flags(parser: argparse.ArgumentParser) -> None:
    """Add them, in groups of their own."""
    roles = parser.add_argument_group("more than one process")
    roles.add_argument(
        "--role",
        choices=get_args(ServerRole),
        default="all",
        help="all: one process for everything; federation: runs, clients and the store, without the page; "
        "dashboard: the page alone, any number of them (%(default)s)",
    )
    roles.add_argument(
        "--federation",
        metavar="URL",
        help="for a dashboard: where the process with --role federation is",
    )
    roles.add_argument(
        "--federation-cert",
        type=Path,
        metavar="FILE",
        help="for a dashboard: the federation's own certificate (keys/server.crt in its FEDLOOM_HOME), "
        "where that serves HTTPS with it (--tls)",
    )
    roles.add_argument(
        "--replica-key",
        type=Path,
        metavar="FILE",
        help="the secret by which federation and dashboards know each other (keys/replica-key in "
        "FEDLOOM_HOME, where the federation makes it)",
    )
    roles.add_argument(
        "--redis",
        metavar="URL",
        help="by which dashboards follow what happens: redis://HOST:PORT/NUMBER; without it they ask the "
        "federation itself. One with a password is better given by the environment (FEDLOOM_REDIS)",
    )
    proxies = parser.add_argument_group("behind a proxy")
    proxies.add_argument(
        "--public-url",
        metavar="URL",
        help="where people open the page: https://example.org or, below a path, https://example.org/fedloom",
    )
    proxies.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS[/BITS]",
        help="a proxy whose X-Forwarded-For, -Proto, -Host and -Prefix are believed; can be repeated. "
        "Nobody else's are",
    )
    fleet = parser.add_argument_group("clients that come and go, as containers do")
    fleet.add_argument(
        "--invitation-file",
        type=Path,
        metavar="FILE",
        help="leave an invitation in this file, if it does not hold one to this server: for any number of "
        "clients, without an end, which are forgotten when they leave",
    )
    fleet.add_argument(
        "--invitation-host",
        metavar="HOST",
        help="the name or address at which these clients reach the server",
    )


def deployment_from(arguments: argparse.Namespace) -> Deployment:
    """What the flags say. Raises SettingsInvalid."""
    role: ServerRole = arguments.role
    if role == "dashboard" and arguments.federation is None:
        raise SettingsInvalid(
            "--role dashboard needs --federation URL: where the process with --role federation answers"
        )
    for flag, value, needed in (
        ("--federation", arguments.federation, ("dashboard",)),
        ("--federation-cert", arguments.federation_cert, ("dashboard",)),
        ("--replica-key", arguments.replica_key, ("federation", "dashboard")),
        ("--redis", arguments.redis, ("federation", "dashboard")),
    ):
        if value is not None and role not in needed:
            raise SettingsInvalid(f"{flag} is for --role {' and '.join(needed)} only")
    if role == "dashboard" and arguments.invitation_file is not None:
        raise SettingsInvalid("--invitation-file is for --role all and federation only")
    if arguments.invitation_host is not None and arguments.invitation_file is None:
        raise SettingsInvalid("--invitation-host belongs to --invitation-file, which is missing")
    redis = arguments.redis or (setting("FEDLOOM_REDIS") if role != "all" else None)
    return Deployment(
        role=role,
        federation=_base_url("--federation", arguments.federation) if arguments.federation else None,
        replica_key=arguments.replica_key,
        federation_cert=arguments.federation_cert,
        redis=_redis_url(redis) if redis else None,
        public_url=public_url(arguments.public_url) if arguments.public_url else None,
        trusted_proxies=tuple(_network(text) for text in arguments.trusted_proxy),
        invitation=InvitationFile(arguments.invitation_file, arguments.invitation_host)
        if arguments.invitation_file
        else None,
    )


def public_url(text: str) -> PublicUrl:
    """Raises SettingsInvalid."""
    base = _base_url("--public-url", text)
    parts = urlsplit(base)
    return PublicUrl(f"{parts.scheme}://{parts.netloc}", parts.path)


def _base_url(flag: str, text: str) -> str:
    """A URL of a server or of a path at one, without the slash at the end. Raises SettingsInvalid."""
    wrong = SettingsInvalid(
        f"{flag} {text!r} is not the address of a page: http://HOST[:PORT][/PATH] or https://…, "
        "without a user, a query or anything after #"
    )
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # raises for one that is no number
    except ValueError as error:
        raise wrong from error
    path = parts.path.rstrip("/")
    fits = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
    if not fits or parts.query or parts.fragment or not is_plain_path(path):
        raise wrong
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def is_plain_path(path: str) -> bool:
    """Whether a path is empty, or `/one/or/more` words that mean the same in every URL and in HTML."""
    words = path.split("/")[1:]
    return path == "" or (
        path.startswith("/")
        and all(word not in ("", ".", "..") and word.isascii() for word in words)
        and all(character.isalnum() or character in "-._~" for word in words for character in word)
    )


def _redis_url(text: str) -> str:
    """Not shown in what is raised: it may have a password in it."""
    parts = urlsplit(text)
    if parts.scheme not in ("redis", "rediss", "unix"):
        raise SettingsInvalid("--redis is not redis://HOST:PORT/NUMBER, rediss://… or unix://PATH")
    return text


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise SettingsInvalid(
            f"--trusted-proxy {text!r} is neither an address nor a network such as 10.1.0.0/16: {error}"
        ) from error
