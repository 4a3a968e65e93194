"""Where a client's key is, by the client's name: one key for its server and for the mesh."""

from __future__ import annotations

from pathlib import Path

from shared.errors import SettingsInvalid
from shared.names import CLIENT_ID
from shared.security.server_identity import KEYS


def key_file(home: Path, client_id: str) -> Path:
    """Where a client's key is."""
    return home / KEYS / "clients" / f"{client_id}.pem"


def require_name(client_id: str) -> None:
    """Raise SettingsInvalid for a name that no server would take."""
    if not CLIENT_ID.fullmatch(client_id):
        raise SettingsInvalid(
            "A client id has 1 to 64 letters, digits, dots, dashes and underscores, and begins with a "
            "letter or digit. Choose another --client-id."
        )
