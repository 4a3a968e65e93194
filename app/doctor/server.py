"""What a server finds on this machine: its folder, disk, store, clock, ports, proxies, and a GPU."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from app.doctor import roles
from app.running_server import RunningServer, ServerRefused
from app.settings import ServerSettings
from app.store.reader import StoreReader
from app.store.urls import default_url, display_url, parse_url
from shared import packages
from shared.doctor import machine
from shared.errors import StoreOutdated, StoreUnavailable
from shared.finding import Finding, ok, problem, warning
from shared.security.keys import KeyPair, KeyUnusable
from shared.security.server_identity import KEYS, SERVER_KEY

ROOM = 2 << 30
"""Bytes on the disk of the server's folder below which checkpoints and replies may soon fill it."""

AHEAD_S = 300.0
"""By so much the newest of what is kept may be ahead of the clock."""


def of(settings: ServerSettings) -> Iterator[Finding]:
    """All checks for a server that is started with these settings."""
    if settings.deployment.role == "dashboard":
        yield from _of_dashboard(settings)
        return
    home = settings.home
    yield from machine.home(home)
    yield room(machine.free_bytes(home))
    yield key(home)
    found, newest = store(settings.store or default_url(home))
    yield found
    yield clock(time.time(), newest)
    if settings.deployment.role == "federation":
        yield from roles.of_federation(settings.deployment, home)
    running = _running(home)
    for name, port, flag in (
        ("page", settings.port, "--port"),
        ("link", settings.link_port, "--link-port"),
    ):
        yield port_free(name, settings.host, port, flag, running)
    yield reach(settings)
    yield proxy(os.environ)
    yield ok("device", packages.device())


def _of_dashboard(settings: ServerSettings) -> Iterator[Finding]:
    """A dashboard keeps nothing, has no link, and computes nothing."""
    yield from roles.of_dashboard(settings.deployment, settings.home)
    yield clock(time.time(), 0.0)
    yield port_free("page", settings.host, settings.port, "--port", None)
    yield reach(settings)


def room(free: int) -> Finding:
    """Whether there is some on the disk."""
    words = f"{free / 1e9:.1f} GB are free in FEDLOOM_HOME"
    if free >= ROOM:
        return ok("room", words)
    return warning(
        "room", f"{words}.", "Make room, or bound what is kept with --keep-megabytes and --log-megabytes."
    )


def key(home: Path) -> Finding:
    """Whether the server's key can be used, if it has one."""
    path = home / KEYS / SERVER_KEY
    if not path.exists():
        return ok("key", "none yet: it is made at the first start")
    try:
        return ok("key", f"{KeyPair.load_or_make(path).public.id}")
    except KeyUnusable as error:
        return problem("key", str(error))


def store(url: str) -> tuple[Finding, float]:
    """Whether the store can be read, and the newest time in it; 0: there is none."""
    parsed = parse_url(url)
    shown = display_url(url)
    if parsed.drivername.startswith("sqlite") and not Path(str(parsed.database)).exists():
        return ok("store", f"{shown} is made at the first start"), 0.0
    try:
        with StoreReader.open_to_read(url) as reader:
            newest = reader.logs(limit=1)
            return ok("store", f"{shown} has this version's schema"), newest[-1].time if newest else 0.0
    except StoreOutdated:
        words = f"{shown} is of an older FedLoom, and brought up to date at the next start."
        return warning("store", words, "Make a backup before: `python -m app.backup FILE`."), 0.0
    except StoreUnavailable as error:
        return problem("store", str(error)), 0.0


def clock(now: float, newest: float) -> Finding:
    """Whether the clock is behind what this server has written down itself."""
    words = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M} UTC"
    if newest - now > AHEAD_S:
        last = datetime.fromtimestamp(newest, UTC)
        return warning(
            "clock",
            f"It is {words} here, but the store has something of {last:%Y-%m-%d %H:%M}.",
            "Set the clock: times in the page and the log would not fit, and certificates may not hold yet.",
        )
    return ok("clock", words)


def port_free(name: str, host: str, port: int, flag: str, running: tuple[str, set[int]] | None) -> Finding:
    """Whether a port can be listened on. `running`: the server of this folder, and its ports."""
    check = f"{name} port"
    if running is not None and port in running[1]:
        return ok(check, f"{port} is in use by the server of this folder, {running[0]}")
    if port == 0:
        return ok(check, "any that is free")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return problem(
            check,
            f"Nothing can listen at {host} port {port}: {error.strerror or error}.",
            f"End the other program, or choose another port with {flag}.",
        )
    return ok(check, f"{port} is free")


def reach(settings: ServerSettings) -> Finding:
    """From where the server can be reached."""
    is_dashboard = settings.deployment.role == "dashboard"
    if settings.on_loopback:
        who = "browsers" if is_dashboard else "clients and browsers"
        return ok("reach", f"{who} of this machine alone; --host 0.0.0.0 lets others in, who have to log in")
    if is_dashboard:
        return ok("reach", f"other machines, if firewalls let TCP to {settings.port} pass")
    words = f"other machines, if firewalls let TCP to {settings.port} and {settings.link_port} pass; "
    return ok("reach", f"{words}`python -m client.doctor` there says whether they do")


def proxy(environment: Mapping[str, str]) -> Finding:
    """What the variables for proxies mean here."""
    given = machine.proxies_in(environment)
    if given is None:
        return ok("proxy", "none is set")
    return ok(
        "proxy",
        f"{given} set: downloads of data sets, webhook and MLflow use it; page, link and dashboards do not",
    )


def _running(home: Path) -> tuple[str, set[int]] | None:
    """The address of the server that runs in this folder, and its ports."""
    with suppress(ServerRefused, KeyError, ValueError):
        server = RunningServer.find(home)
        if server is not None:
            link = int(server.get("/api/v1/status")["link"]["port"])
            return server.url, {int(server.url.rpartition(":")[2]), link}
    return None
