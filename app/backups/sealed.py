"""An encrypted file that is written and read as a stream: scrypt (RFC 7914) makes the key of a passphrase,
AES-256-GCM seals the content in pieces.

    magic   salt (16 bytes)   check (16 bytes)   piece   piece   ...

Each piece holds 1 MiB, the last one what is left, and 16 bytes by which AES-GCM knows it. Its nonce is its
number and whether it is the last, as in STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): pieces that are
changed, left out, in another order or from another file, and a file that was cut, are found before anything
of the piece in question is used. The check tells a wrong passphrase from a damaged file.
"""

from __future__ import annotations

import hmac
import secrets
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from shared.errors import FedLoomError

MAGIC = b"FedLoom backup 1\n"
SALT_BYTES = 16
CHECK_BYTES = 16
KEY_BYTES = 32
TAG_BYTES = 16
PIECE_BYTES = 1 << 20

SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 17, 8, 1
"""128 MiB and some 0.4 s for each guess."""


class BackupUnusable(FedLoomError):
    """A file is no backup, is damaged, or was made with another passphrase."""


class SealedWriter:
    """Seals what is written to it. Without `close` the file is one that was cut."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        salt = secrets.token_bytes(SALT_BYTES)
        key, check = _derive(passphrase, salt)
        self._header = MAGIC + salt + check
        self._cipher = AESGCM(key)
        self._file = file
        self._waiting = bytearray()
        self._number = 0
        file.write(self._header)

    def write(self, data: bytes) -> int:
        """Seal what makes whole pieces; the rest waits. Raises OSError."""
        self._waiting += data
        while len(self._waiting) > PIECE_BYTES:  # of a last piece it is known only then that it is none
            self._seal(bytes(self._waiting[:PIECE_BYTES]), is_last=False)
            del self._waiting[:PIECE_BYTES]
        return len(data)

    def close(self) -> None:
        """Seal what is left, as the end. The file stays open. Raises OSError."""
        self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _seal(self, piece: bytes, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, is_last), piece, self._header))
        self._number += 1


class SealedReader:
    """What was written through a SealedWriter. `name`: the file, as messages call it."""

    def __init__(self, file: BinaryIO, passphrase: str, name: str) -> None:
        """Raises BackupUnusable for a wrong passphrase and for what is no backup."""
        self._file = file
        self._name = name
        self._header = file.read(len(MAGIC) + SALT_BYTES + CHECK_BYTES)
        if not self._header.startswith(MAGIC):
            raise BackupUnusable(f"{name} is no backup that this version of FedLoom can read.")
        if len(self._header) < len(MAGIC) + SALT_BYTES + CHECK_BYTES:
            raise self._damaged()
        key, check = _derive(passphrase, self._header[len(MAGIC) :][:SALT_BYTES])
        if not hmac.compare_digest(check, self._header[-CHECK_BYTES:]):
            raise BackupUnusable(
                f"{name} was made with another passphrase, or its first {len(self._header)} bytes have "
                "changed."
            )
        self._cipher = AESGCM(key)
        self._number = 0
        self._following = file.read(PIECE_BYTES + TAG_BYTES)
        if not self._following:  # there is a last piece, if with nothing in it
            raise self._damaged()
        self._opened = bytearray()

    def read(self, size: int) -> bytes:
        """So many bytes, fewer at the end. Raises BackupUnusable where they are not what was written."""
        while len(self._opened) < size and self._following:
            self._opened += self._open_next()
        data = bytes(self._opened[:size])
        del self._opened[:size]
        return data

    def _open_next(self) -> bytes:
        sealed, self._following = self._following, self._file.read(PIECE_BYTES + TAG_BYTES)
        try:
            piece = self._cipher.decrypt(
                _nonce(self._number, is_last=not self._following), sealed, self._header
            )
        except (InvalidTag, ValueError) as error:
            raise self._damaged() from error
        self._number += 1
        return piece

    def _damaged(self) -> BackupUnusable:
        return BackupUnusable(
            f"{self._name} is damaged: it was cut short, or bytes in it have changed. Use another copy of it."
        )


def _derive(passphrase: str, salt: bytes) -> tuple[bytes, bytes]:
    """The key, and what shows in the file whether a passphrase is the right one."""
    scrypt = Scrypt(salt, KEY_BYTES + CHECK_BYTES, SCRYPT_N, SCRYPT_R, SCRYPT_P)
    derived = scrypt.derive(passphrase.encode())
    return derived[:KEY_BYTES], derived[KEY_BYTES:]


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
