"""What is signed: a purpose, and fields, as bytes that no other purpose and no other fields have."""

from __future__ import annotations

import struct
from enum import StrEnum

Field = bytes | str | int


class Purpose(StrEnum):
    """Of a signature, or of a key that is derived. One for one purpose is none for another."""

    HANDSHAKE = "fedloom/handshake/v1"
    MODEL = "fedloom/model/v1"
    UPDATE = "fedloom/update/v1"
    RECEIPT = "fedloom/receipt/v1"
    NEXT_KEY = "fedloom/next-key/v1"
    CHECKPOINT = "fedloom/checkpoint/v1"
    COSIGNATURE = "fedloom/cosignature/v1"
    RELEASE = "fedloom/release/v1"
    SECAGG_MODEL = "fedloom/secagg-model/v1"
    SECAGG_SESSION = "fedloom/secagg-session/v1"
    SECAGG_KEYS = "fedloom/secagg-keys/v1"
    SECAGG_SURVIVORS = "fedloom/secagg-survivors/v1"
    SECAGG_MASK = "fedloom/secagg-mask/v1"
    SECAGG_BOX = "fedloom/secagg-box/v1"
    SECAGG_SEED = "fedloom/secagg-seed/v1"
    MESH_HANDSHAKE = "fedloom/mesh-handshake/v1"
    MESH_PAIRING = "fedloom/mesh-pairing/v1"
    MESH_ENVELOPE = "fedloom/mesh-envelope/v1"
    MESH_ROSTER = "fedloom/mesh-roster/v1"
    MESH_MANIFEST = "fedloom/mesh-manifest/v1"


def statement(purpose: Purpose, *fields: Field) -> bytes:
    """The canonical encoding: the purpose and each field with its kind and its length before it."""
    return b"".join(map(_encoded, (purpose.value, *fields)))


def _encoded(field: Field) -> bytes:
    match field:
        case bool():
            raise TypeError("a statement has no field that is true or false: name what is meant")
        case bytes():
            kind, data = b"b", field
        case str():
            kind, data = b"s", field.encode()
        case int():
            kind, data = b"i", str(int(field)).encode()
    return kind + struct.pack("!Q", len(data)) + data
