"""The address of a webhook's receiver, which an administrator has named on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shared.errors import SettingsInvalid


@dataclass(frozen=True)
class WebhookSettings:
    """Where notices go. `waiting_s`: how long a run may wait for clients before it is told of."""

    url: str
    secret_file: Path
    waiting_s: float

    @property
    def shown(self) -> str:
        """The address without what may be a secret in it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def webhook_url(text: str) -> str:
    """The address of a receiver. Raises SettingsInvalid."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsInvalid("the webhook's address begins with https:// or http:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise SettingsInvalid(
            "the webhook's address has a name or password in it, which would not be sent; the receiver knows "
            "the server by the signature"
        )
    return text
