"""What a client of a test joins by."""

from __future__ import annotations

from pathlib import Path

from client.membership import Membership
from shared.address import parse_address
from shared.security.keys import KeyPair
from shared.security.server_identity import KEYS


def member(client_id: str, address: str, home: Path) -> Membership:
    """A client with this name, as a server knows it whose folder this is, at an address."""
    key = KeyPair.load_or_make(home / KEYS / "clients" / f"{client_id}.pem")
    return Membership(parse_address(address), home, key=key)
