"""The flags that say where a server's SuperLink is."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.federation.engines.superlink.settings import SuperLinkSettings
from shared.address import is_loopback, parse_address
from shared.errors import SettingsInvalid


def add_superlink_flags(parser: argparse._ActionsContainer) -> None:
    """`--superlink` and what belongs to it."""
    parser.add_argument(
        "--superlink",
        metavar="HOST:PORT",
        help="Flower's SuperLink for runs with the engine superlink: where its HTTP API is, which it has on "
        "--port; it must have been started with --isolation process",
    )
    parser.add_argument(
        "--superlink-root-certificates",
        type=Path,
        metavar="FILE",
        help="in PEM, by which the SuperLink is known (the system's)",
    )
    parser.add_argument(
        "--superlink-insecure", action="store_true", help="the SuperLink has no TLS; for this machine alone"
    )
    parser.add_argument(
        "--superlink-secret-file",
        type=Path,
        metavar="FILE",
        help="the SuperLink's --superexec-auth-secret-file, if it has one",
    )


def superlink_from(arguments: argparse.Namespace) -> SuperLinkSettings | None:
    """What parsed flags say; None: there is no SuperLink. Raises SettingsInvalid."""
    settings = SuperLinkSettings(
        address=arguments.superlink or "",
        root_certificates=arguments.superlink_root_certificates,
        insecure=arguments.superlink_insecure,
        secret_file=arguments.superlink_secret_file,
    )
    if arguments.superlink is None:
        if settings != SuperLinkSettings(""):
            raise SettingsInvalid("--superlink-… flags are for a SuperLink, which --superlink names")
        return None
    try:
        host, _ = parse_address(settings.address)
    except ValueError as error:
        raise SettingsInvalid(f"--superlink: {error}; there is no http:// before it") from error
    if settings.insecure and not is_loopback(host):
        raise SettingsInvalid(
            f"--superlink-insecure is for a SuperLink on this machine, such as 127.0.0.1:8000, and {host} "
            "may be another: models and the run's token would travel unencrypted. Start the SuperLink with "
            "TLS, and name what it is known by with --superlink-root-certificates"
        )
    if settings.insecure and settings.root_certificates is not None:
        raise SettingsInvalid("--superlink-insecure and --superlink-root-certificates exclude each other")
    for flag, file in (
        ("--superlink-root-certificates", settings.root_certificates),
        ("--superlink-secret-file", settings.secret_file),
    ):
        if file is not None and not file.is_file():
            raise SettingsInvalid(f"{flag} {file}: there is no such file")
    return settings
