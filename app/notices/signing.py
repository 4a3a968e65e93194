"""The secret that a webhook's receiver shares with the server, and the signature of what it is sent.

As the specification Standard Webhooks has it (https://www.standardwebhooks.com), for which there are
libraries in most languages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path

from shared.errors import SettingsInvalid
from shared.security.files import NotOwn, read_own, write_first

PREFIX = "whsec_"
SECRET_BYTES = 32
LEAST_BYTES = 24
MAX_FILE_BYTES = 4096


def load_or_make_secret(file: Path) -> tuple[bytes, bool]:
    """The secret in a file, and whether it was made now. Raises SettingsInvalid, naming the file."""
    try:
        is_new = not file.exists()
        if is_new:
            made = PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
            write_first(file, f"{made}\n".encode())
        return _secret_of(read_own(file, MAX_FILE_BYTES)), is_new
    except NotOwn as error:
        raise SettingsInvalid(f"the webhook's secret is not read from {file}: it {error}") from error
    except OSError as error:
        raise SettingsInvalid(f"the webhook's secret cannot be had from {file}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsInvalid(
            f"{file} is no secret of a webhook: it holds {PREFIX} and then base64 of at least {LEAST_BYTES} "
            "bytes. Delete it, and the server makes one"
        ) from error


def _secret_of(content: bytes) -> bytes:
    """Raises ValueError."""
    text = content.decode("ascii").strip()
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if not text.startswith(PREFIX) or len(secret) < LEAST_BYTES:
        raise ValueError("too short, or without its prefix")
    return secret


def signed_headers(secret: bytes, notice_id: str, at: int, body: bytes) -> Mapping[str, str]:
    """The headers by which a receiver knows who has sent `body`, and when (`at`: Unix seconds)."""
    signed = f"{notice_id}.{at}.".encode() + body
    mac = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": notice_id, "webhook-timestamp": str(at), "webhook-signature": f"v1,{mac}"}
