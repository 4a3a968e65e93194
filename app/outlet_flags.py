"""The flags that say where the server tells others of what happens: webhook and trackers."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from app.notices.address import WebhookSettings, webhook_url
from app.trackers.tracker import TrackerSettings
from shared.errors import SettingsInvalid

WAITING_S = 300.0
SECRET_FILE = "webhook-secret"
"""In FedLoom's folder, where `--webhook-secret-file` names no other."""


def add_webhook_flags(group: argparse._ActionsContainer) -> None:
    """The flags of a webhook."""
    group.add_argument(
        "--webhook",
        metavar="URL",
        default=os.environ.get("FEDLOOM_WEBHOOK") or None,
        help="tell this address of ends, failures, long waits, budgets nearly spent and clients to approve; "
        "one with a secret in it is better given by the environment (FEDLOOM_WEBHOOK)",
    )
    group.add_argument(
        "--webhook-secret-file",
        type=Path,
        metavar="FILE",
        help="the secret by which what is sent is signed, which is made if it is not there "
        f"({SECRET_FILE} in FEDLOOM_HOME)",
    )
    group.add_argument(
        "--webhook-waiting",
        type=_seconds,
        metavar="SECONDS",
        help=f"tell of a run that has waited for clients so long ({WAITING_S:g})",
    )


def add_track_flag(group: argparse._ActionsContainer) -> None:
    """The flag of trackers, for the server and the demo."""
    group.add_argument(
        "--track",
        action="append",
        metavar="KIND:WHERE",
        help="write runs as they go on: tensorboard:DIR or mlflow:URL; may be given several times",
    )


def webhook_from(arguments: argparse.Namespace, home: Path) -> WebhookSettings | None:
    """The webhook that the flags name. Raises SettingsInvalid."""
    if arguments.webhook is None:
        for flag, value in (
            ("--webhook-secret-file", arguments.webhook_secret_file),
            ("--webhook-waiting", arguments.webhook_waiting),
        ):
            if value is not None:
                raise SettingsInvalid(f"{flag} needs --webhook")
        return None
    return WebhookSettings(
        url=webhook_url(arguments.webhook),
        secret_file=arguments.webhook_secret_file or home / SECRET_FILE,
        waiting_s=WAITING_S if arguments.webhook_waiting is None else arguments.webhook_waiting,
    )


def trackers_from(texts: Sequence[str] | None) -> tuple[TrackerSettings, ...]:
    """The trackers that `--track` names, each once. Raises SettingsInvalid."""
    try:
        return tuple(dict.fromkeys(map(TrackerSettings.parse, texts or ())))
    except SettingsInvalid as error:
        raise SettingsInvalid(f"--track {error}") from error


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 1 at least")
    return value
