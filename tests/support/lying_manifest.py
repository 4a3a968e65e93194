"""Manifests by somebody who writes what no honest node writes, with a good signature."""

from __future__ import annotations

from typing import Any

from mesh.node import Content
from shared.canonical import canonical
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair
from shared.security.statement import Purpose, statement


def manifest_by(author: KeyPair, folder: str, entries: Any, **fields: Any) -> bytes:
    """Of these entries; `fields` take the place of what is right, and with None are left out."""
    told = {"entries": entries, "folder": folder, "format": 1, "sequence": 1, **fields}
    body = canonical({key: value for key, value in told.items() if value is not None})
    return author.sign(statement(Purpose.MESH_MANIFEST, folder, author.public.id.digest, body)) + body


def entry_of(name: str, content: Content, writer: KeyId) -> dict[str, Any]:
    """An entry as an honest node writes it, for a file of its own."""
    own = f"{str(writer)[:7]}-{0:016x}"
    return {
        "executable": False,
        "modified": 1,
        "name": name,
        "root": content.root.hex(),
        "size": content.size,
        "version": {own: 1},
        "writer": own,
    }
